"""From the text of a profile to a `Profile`, or to the sentence that says what is wrong with it."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from indexer.encoders.kinds import CHOICES, ENCODED_SPACES, KINDS, SPACES, Kind
from qdrant.calibration import Calibration
from qdrant.errors import UsageError
from qdrant.schema import DENSE_SPACES, LINE

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
"""A profile's name becomes part of folder and collection names."""


@dataclass(frozen=True)
class EncoderSpec:
    """One encoder of a profile."""

    kind: str  # a key of `indexer.encoders.kinds.KINDS`
    dim: int  # numbers in a vector
    settings: Mapping[str, Any] = field(default_factory=dict)  # as the kind wants them
    languages: tuple[str, ...] = ()  # ISO 639-1 codes it knows; () where words play no part
    licence: str = ""  # of the weights
    repository: str = ""  # where on the hub they lie, where `settings` do not say it


UNMEASURED: Mapping[str, Calibration] = dict.fromkeys(DENSE_SPACES, Calibration(0.5, 0.95))
"""How the cosines of shots to shots count where a profile has no [likeness] for a space."""


@dataclass(frozen=True)
class Endpoint:
    """A machine that text is sent to."""

    url: str
    api_key_env: str  # the environment variable that holds the key; the key is never stored
    usd_per_million_tokens: float


@dataclass(frozen=True)
class Profile:
    """Which models make a library's vectors, and how its similarities are read."""

    name: str
    description: str
    encoders: Mapping[str, EncoderSpec]  # space -> encoder, those that are fused first
    ranking: Mapping[str, Calibration]  # space -> how similarities of words to shots count
    confidence_floor: float  # scores below: "nothing good found"
    likeness: Mapping[str, Calibration]  # the same of shots to shots
    remote: Endpoint | None = None
    text: str = field(default="", repr=False, compare=False)  # the TOML it was read from

    @cached_property
    def version(self) -> str:
        """`<name>-<8 hex>`, a hash of what decides the vectors: kinds, revisions, sizes, settings.

        Ranking numbers, prices and notes may change without a library having to be made anew.
        """
        decisive = {
            space: [spec.kind, KINDS[spec.kind].revision, spec.dim, dict(spec.settings)]
            for space, spec in self.encoders.items()
        }
        told = json.dumps(decisive, sort_keys=True)
        return f"{self.name}-{hashlib.sha256(told.encode()).hexdigest()[:8]}"

    @property
    def fused(self) -> Mapping[str, EncoderSpec]:
        """The encoders whose vectors are fused, in the order of fusing."""
        return {space: spec for space, spec in self.encoders.items() if space in SPACES}

    @property
    def dims(self) -> Mapping[str, int]:
        """Numbers in a vector of each space that is fused, in the order of fusing."""
        return {space: spec.dim for space, spec in self.fused.items()}

    @property
    def stored_dims(self) -> Mapping[str, int]:
        """Numbers in a vector of each space that its encoders fill, fused or not."""
        return {space: spec.dim for space, spec in self.encoders.items()}

    @property
    def endpoint(self) -> str | None:
        """The address dialogue would be sent to, or None where everything stays here."""
        return self.remote.url if self.remote else None

    @property
    def text_languages(self) -> tuple[str, ...]:
        """Languages the text encoder knows, as ISO 639-1 codes."""
        spec = self.encoders.get("text")
        return spec.languages if spec else ()

    def to_toml(self) -> str:
        """Return the profile as it was written, for a library to keep."""
        return self.text


def parse_profile(
    text: str, *, source: str, likeness: Mapping[str, Calibration] = UNMEASURED
) -> Profile:
    """Return the profile a TOML text describes; `source` names it in errors.

    `likeness` stands for what the text does not say of it.

    Raises `UsageError` for text that is not TOML, a table or key that is missing or unknown, a
    value of the wrong type or out of range.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"The profile {source} is not TOML ({error}).") from error
    top = _Table(document, source)
    name = top.take("name", str)
    if not NAME.fullmatch(name):
        raise top.wrong("name", "lower-case letters, digits, - and _, at most 32")
    floor = top.take("confidence_floor", float)
    if not 0 <= floor < 1:
        raise top.wrong("confidence_floor", "a number from 0 up to 1")
    profile = Profile(
        name=name,
        description=top.take("description", str),
        encoders=_encoders(top.table("encoders")),
        ranking=_bands(top.table("ranking")),
        likeness={**likeness, **_bands(top.table("likeness", optional=True))},
        confidence_floor=floor,
        remote=_endpoint(top),
        text=text,
    )
    top.done()
    _check_whole(profile, source)
    return profile


def _encoders(table: _Table) -> dict[str, EncoderSpec]:
    specs = {
        space: _encoder(table.table(space), space)
        for space in ENCODED_SPACES
        if space in table.rest
    }
    table.done()
    if not set(specs) & set(SPACES):
        raise UsageError(f"{table.where} names no encoder; give one for {' or '.join(SPACES)}.")
    return specs


def _encoder(table: _Table, space: str) -> EncoderSpec:
    name = table.take("kind", str)
    fitting = [known for known, kind in KINDS.items() if kind.space == space]
    if name not in fitting:
        raise table.wrong("kind", f"one of {', '.join(fitting)}")
    dim = table.take("dim", int)
    if dim < 1:
        raise table.wrong("dim", "a whole number above 0")
    languages = table.take("languages", list, [])
    if not all(isinstance(code, str) for code in languages):
        raise table.wrong("languages", "a list of language codes")
    licence, repository = table.take("licence", str, ""), table.take("repository", str, "")
    settings = _settings(table.table("settings", optional=True), KINDS[name])
    table.done()
    return EncoderSpec(name, dim, settings, tuple(languages), licence, repository)


def _settings(table: _Table, kind: Kind) -> dict[str, Any]:
    settings = {key: table.take(key, wanted) for key, wanted in kind.required.items()}
    for key, wanted in kind.optional.items():
        if key in table.rest:
            settings[key] = table.take(key, wanted)
            if key in CHOICES and settings[key] not in CHOICES[key]:
                raise table.wrong(key, f"one of {', '.join(CHOICES[key])}")
    table.done()
    return settings


def _bands(table: _Table) -> dict[str, Calibration]:
    bands = {}
    for space in (*DENSE_SPACES, LINE):
        if space in table.rest:
            band = table.table(space)
            numbers = {
                key: band.take(key, float) for key in ("floor", "ceiling", "weight", "half")
                if key in band.rest or key in ("floor", "ceiling")
            }  # fmt: skip
            band.done()
            bands[space] = Calibration(**numbers)
    table.done()
    return bands


def _endpoint(top: _Table) -> Endpoint | None:
    if "endpoint" not in top.rest:
        return None
    table = top.table("endpoint")
    endpoint = Endpoint(
        url=table.take("url", str),
        api_key_env=table.take("api_key_env", str),
        usd_per_million_tokens=table.take("usd_per_million_tokens", float),
    )
    table.done()
    return endpoint


def _check_whole(profile: Profile, source: str) -> None:
    asked = [space for space in (*profile.encoders, LINE) if space not in profile.ranking]
    if asked:
        raise UsageError(
            f"The profile {source} has no [ranking.{asked[0]}]; give it a floor and a ceiling."
        )
    needs_endpoint = any(KINDS[spec.kind].is_remote for spec in profile.encoders.values())
    if needs_endpoint and profile.remote is None:
        raise UsageError(
            f"The profile {source} has an encoder that sends text away and no [endpoint]; give "
            "its url, api_key_env and usd_per_million_tokens."
        )
    if profile.remote and not needs_endpoint:
        raise UsageError(f"The profile {source} has an [endpoint] that no encoder uses; remove it.")


class _Table:
    """A TOML table that is taken apart key by key, so that whatever is left over shows."""

    def __init__(self, rest: Mapping[str, Any], source: str, path: str = "") -> None:
        self.rest = dict(rest)
        self._source, self._path = source, path
        self.where = f"The profile {source}" + (f", in [{path}]," if path else "")

    def take(self, key: str, wanted: type, default: Any = None) -> Any:
        """Take a value out. Raises `UsageError` where it is missing or of another type."""
        if key not in self.rest:
            if default is not None:
                return default
            raise UsageError(f"{self.where} lacks {key!r} ({wanted.__name__}).")
        value = self.rest.pop(key)
        if wanted is float and type(value) is int:
            value = float(value)
        if type(value) is not wanted:
            raise self.wrong(key, f"of type {wanted.__name__}")
        return value

    def table(self, key: str, *, optional: bool = False) -> _Table:
        """Take a table out. Raises `UsageError` where it is missing or not a table."""
        inner = self.take(key, dict, {} if optional else None)
        return _Table(inner, self._source, f"{self._path}.{key}" if self._path else key)

    def wrong(self, key: str, allowed: str) -> UsageError:
        """Return the error for a value that is not allowed."""
        return UsageError(f"{self.where} has a {key!r} that is not {allowed}.")

    def done(self) -> None:
        """Raise `UsageError` where keys are left that nobody asked for."""
        if self.rest:
            raise UsageError(
                f"{self.where} has an unknown key {next(iter(self.rest))!r}; remove it."
            )
