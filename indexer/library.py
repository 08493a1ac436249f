"""What lies on disk: a library's settings, its titles' folders and their manifests.

A title's folder is the truth; everything in the store can be made again from it. The manifest is
renamed into place last, so a title is there whole or not at all.

A model version that is made beside the first one has a home of its own, with titles and context
models; `trimbin.toml` says in which home the version in use lives. That file alone decides, and it
is replaced in one step: whoever opens the library finds one version or another, never half of each.
"""

from __future__ import annotations

import json
import os
import re
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomlkit

from indexer.disk import explained, write_atomically
from indexer.manifest import MANIFEST_FILE, Manifest, read_manifest
from indexer.profiles import Profile, load_profile
from indexer.settings import SETTINGS_FILE as SETTINGS_FILE
from indexer.settings import alone, change_settings, read_settings, write_settings
from qdrant.errors import CannotRunNow, InputError, ProfileMismatch, UsageError

if TYPE_CHECKING:
    import pandas as pd

SHOTS_FILE = "shots.parquet"
CONTEXT_RECORD = "context.json"
PROFILE_FILE = "profile.toml"
VERSIONS_FOLDER = "versions"
CONSENT_FILE = "consent.toml"
FURTHER = re.compile(r"(?<=-[0-9a-f]{8})-\d+$")
"""How the home of a further version of the same encoders ends: `offline-1a2b3c4d-2`."""
DEFAULT_PROFILE = "clip"


@dataclass
class Library:
    """A folder of indexed titles, in one of its versions: by default the one in use."""

    root: Path
    library_id: str
    profile: Profile
    beside: str | None = None  # the home of a version made beside the first: versions/<beside>
    _manifests: dict[str, tuple[int, Manifest]] = field(default_factory=dict, repr=False)

    @classmethod
    def open(cls, root: Path, *, create: bool = False, profile: str | None = None) -> Library:
        """Open the library at `root`, or make one there.

        A library without titles may still be bound to another profile. Raises `UsageError` where
        there is none and `create` is false, `ProfileMismatch` where it is bound to another
        profile, and `CannotRunNow` where the folder cannot be written.
        """
        root = Path(os.path.normpath(root.expanduser().absolute()))
        if not create:
            if not (root / SETTINGS_FILE).is_file():
                raise UsageError(
                    f"There is no library at {root}. Make one with "
                    f"`trimbin index PATH --library {root}`."
                )
            return cls._bound(root)
        asked = load_profile(profile) if profile else None
        with alone(root):
            if not (root / SETTINGS_FILE).is_file():
                return cls._bind(root, str(uuid.uuid4()), asked or load_profile(DEFAULT_PROFILE))
            library = cls._bound(root)
            if asked is None or asked.version == library.version:
                return library
            if library.beside or any(root.glob(f"titles/*/{MANIFEST_FILE}")):
                raise ProfileMismatch(
                    f"The library at {root} is bound to profile {library.profile.name!r} "
                    f"({library.version}), so its vectors cannot be mixed with those of "
                    f"{profile!r}. Leave --profile out, move the library with `trimbin versions "
                    f"register --profile {profile}`, or index into a new one with `--library`."
                )
            return cls._bind(root, library.library_id, asked)

    @classmethod
    def _bound(cls, root: Path) -> Library:
        """Open a library that is there."""
        path = root / SETTINGS_FILE
        try:
            settings = read_settings(root)
            library_id, bound = settings["library_id"], settings["profile"]
        except (OSError, KeyError, ValueError) as error:
            raise CannotRunNow(
                f"{path} cannot be read ({error}). Put it back from a copy, or index into a new "
                "library with `--library`."
            ) from error
        beside = settings.get("beside")
        copy = root / VERSIONS_FOLDER / beside / PROFILE_FILE if beside else root / PROFILE_FILE
        if beside and not copy.is_file():
            raise CannotRunNow(
                f"{path} says that version {beside} is in use, and {copy} is not there. Put the "
                "folder back, or take the line `beside` out to use the first version."
            )
        return cls(root, library_id, load_profile(copy if copy.is_file() else bound), beside)

    @classmethod
    def _bind(cls, root: Path, library_id: str, profile: Profile) -> Library:
        library = cls(root, library_id, profile)
        with explained(root):
            (root / "titles").mkdir(exist_ok=True)
            write_atomically(root / PROFILE_FILE, profile.to_toml().encode())
        write_settings(
            root, {"library_id": library_id, "profile": profile.name, "version": profile.version}
        )
        return library

    @property
    def version(self) -> str:
        """The model version, which names the collection: the profile's, and which one of it."""
        further = FURTHER.search(self.beside or "")
        return self.profile.version + (further[0] if further else "")

    @property
    def home(self) -> Path:
        """Where this version's titles and context models lie."""
        return self.root / VERSIONS_FOLDER / self.beside if self.beside else self.root

    def at(self, beside: str | None) -> Library:
        """Return this library as it is in another version's home; None: in the first one's.

        Raises `UsageError` where that version's profile is not there.
        """
        if beside == self.beside:
            return self
        path = self.root / VERSIONS_FOLDER / beside if beside else self.root
        return Library(self.root, self.library_id, load_profile(path / PROFILE_FILE), beside)

    def is_current(self) -> bool:
        """Whether the library still uses the version that it was opened in, as far as one can see.

        A process that stays open asks now and then, and opens the library anew where it does not.
        """
        try:
            return bool(read_settings(self.root).get("beside") == self.beside)
        except (OSError, ValueError):
            return True

    def used_before(self) -> tuple[str | None, ...]:
        """Return the homes of the versions used before the one in use, the latest last."""
        return tuple(name or None for name in read_settings(self.root).get("before", ()))

    def use(self, *, before: Sequence[str | None]) -> None:
        """Make this the version in use: one file is replaced, and all that is to it.

        `before` are the homes of those used before it. Raises `CannotRunNow` where the library
        cannot be written.
        """
        chosen = {
            "profile": self.profile.name,
            "version": self.version,
            "beside": self.beside,
            "before": [name or "" for name in before],
        }
        change_settings(self.root, lambda settings: {**settings, **chosen})

    @property
    def consented_endpoint(self) -> str | None:
        """The endpoint that dialogue may be sent to, once somebody has agreed."""
        return self._consent().get("endpoint")

    def consent_to(self, endpoint: str) -> None:
        """Record that dialogue may be sent to this endpoint, to make this version's vectors."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        consent = {"endpoint": endpoint, "given_at": now}
        if self.beside:
            with explained(self.root):
                write_atomically(self.home / CONSENT_FILE, tomlkit.dumps(consent).encode())
            return
        change_settings(self.root, lambda settings: {**settings, "consent": consent})

    def _consent(self) -> dict[str, str]:
        if not self.beside:
            return dict(read_settings(self.root).get("consent", {}))
        try:
            told = (self.home / CONSENT_FILE).read_text(encoding="utf-8")
        except FileNotFoundError:
            return {}
        return dict(tomlkit.parse(told).unwrap())

    @property
    def store_folder(self) -> Path:
        """Where the embedded shards lie, one folder a version."""
        return self.root / "qdrant"

    @property
    def models_folder(self) -> Path:
        """Where context checkpoints lie."""
        return self.home / "models"

    @property
    def context_folder(self) -> Path:
        """Where the context model in use lies."""
        return self.models_folder / "context"

    def checkpoint_id(self) -> str | None:
        """Return the id of the context model in use, without loading it."""
        checkpoint_id: str | None = self._checkpoint_record().get("id")
        return checkpoint_id

    def shots_trained_on(self) -> int | None:
        """Return how many shots the context model has learned from; None: there is no model."""
        num_shots: int | None = self._checkpoint_record().get("metrics", {}).get("num_shots")
        return num_shots

    def context_is_worthy(self) -> bool:
        """Whether the context model may take part in the ranking, by its own record."""
        told = self._checkpoint_record().get("metrics", {}).get("evaluation", {})
        return bool(told) and told["loss"] < told["control_loss"]

    def _checkpoint_record(self) -> dict[str, Any]:
        try:
            text = (self.context_folder / CONTEXT_RECORD).read_text(encoding="utf-8")
            return dict(json.loads(text))
        except (OSError, ValueError):
            return {}

    @property
    def cache_folder(self) -> Path:
        """What can be thrown away: paid-for embeddings, playback proxies."""
        return self.root / "cache"

    def folder(self, title_id: str) -> Path:
        """Return a title's folder."""
        return self.home / "titles" / title_id

    def thumbnail(self, title_id: str, shot: int) -> Path:
        """Return where a shot's picture lies (it may be absent: sound has none)."""
        return self.folder(title_id) / "thumbs" / f"{shot:05d}.jpg"

    def sheet(self, title_id: str, shot: int) -> Path:
        """Return where a shot's sheet of small frames lies (older titles and sound have none)."""
        return self.folder(title_id) / "sheets" / f"{shot:05d}.jpg"

    def titles(self) -> list[Manifest]:
        """Return every finished title, by name. Unchanged manifests are not read twice."""
        found = {
            path.parent.name: read
            for path in self.home.glob(f"titles/*/{MANIFEST_FILE}")
            if (read := self._read(path))
        }
        self._manifests = found
        manifests = (manifest for _, manifest in found.values())
        return sorted(manifests, key=lambda m: (m.title.casefold(), m.title_id))

    def _read(self, path: Path) -> tuple[int, Manifest] | None:
        """Return when a manifest was written, and it; None where there is none to be read."""
        try:
            mtime_ns = path.stat().st_mtime_ns
        except FileNotFoundError:
            return None
        known = self._manifests.get(path.parent.name)
        if known and known[0] == mtime_ns:
            return known
        manifest = read_manifest(path)
        return (mtime_ns, manifest) if manifest else None

    def in_use(self) -> list[Manifest]:
        """Return the finished titles whose vectors are of the version in use."""
        return [manifest for manifest in self.titles() if manifest.version == self.version]

    def has_folder(self, title_id: str) -> bool:
        """Whether a title has a manifest, readable or not: a damaged title is not a removed one."""
        return (self.folder(title_id) / MANIFEST_FILE).is_file()

    def damaged(self) -> list[Path]:
        """Return the manifests that cannot be read."""
        found = sorted(self.home.glob(f"titles/*/{MANIFEST_FILE}"))
        return [path for path in found if read_manifest(path) is None]

    def find(self, title_id: str) -> Manifest | None:
        """Return a finished title, or None."""
        return read_manifest(self.folder(title_id) / MANIFEST_FILE)

    def manifest(self, title_id: str) -> Manifest:
        """Return a finished title. Raises `InputError` where it has gone from the folder."""
        read = self._read(self.folder(title_id) / MANIFEST_FILE)
        if read is None:
            raise InputError(f"Title {title_id} has gone from the library at {self.root}.")
        self._manifests[title_id] = read
        return read[1]

    def shots(self, title_id: str) -> pd.DataFrame:
        """Return a title's shots, a row each, in order (columns: docs/development.md)."""
        import pandas as pd

        return pd.read_parquet(self.folder(title_id) / SHOTS_FILE)

    def finish(self, manifest: Manifest) -> Manifest:
        """Put a title's manifest into place: from now on the title is there."""
        stamped = replace(manifest, indexed_at=datetime.now(UTC).isoformat(timespec="seconds"))
        payload = json.dumps(asdict(stamped), indent=1, ensure_ascii=False)
        with explained(self.root):
            write_atomically(self.folder(manifest.title_id) / MANIFEST_FILE, payload.encode())
        return stamped
