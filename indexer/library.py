"""What lies on disk: a library's settings, its titles' folders and their manifests.

A title's folder is the truth; everything in the store can be made again from it. The manifest is
renamed into place last, so a title is there whole or not at all.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomlkit
from filelock import FileLock

from indexer.disk import explained, write_atomically
from indexer.manifest import MANIFEST_FILE, Manifest, read_manifest
from indexer.profiles import Profile, load_profile
from qdrant.errors import CannotRunNow, InputError, ProfileMismatch, UsageError

if TYPE_CHECKING:
    import pandas as pd

SETTINGS_FILE = "trimbin.toml"
SHOTS_FILE = "shots.parquet"
CONTEXT_RECORD = "context.json"
PROFILE_FILE = "profile.toml"
DEFAULT_PROFILE = "clip"


@dataclass
class Library:
    """A folder of indexed titles, bound to one profile."""

    root: Path
    library_id: str
    profile: Profile
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
        with _made_alone(root):
            if not (root / SETTINGS_FILE).is_file():
                return cls._bind(root, str(uuid.uuid4()), asked or load_profile(DEFAULT_PROFILE))
            library = cls._bound(root)
            if asked is None or asked.version == library.version:
                return library
            if any(root.glob(f"titles/*/{MANIFEST_FILE}")):
                raise ProfileMismatch(
                    f"The library at {root} is bound to profile {library.profile.name!r} "
                    f"({library.version}), so its vectors cannot be mixed with those of "
                    f"{profile!r}. Leave --profile out, or index into a new library with "
                    "`--library`."
                )
            return cls._bind(root, library.library_id, asked)

    @classmethod
    def _bound(cls, root: Path) -> Library:
        """Open a library that is there."""
        path = root / SETTINGS_FILE
        try:
            settings = tomlkit.parse(path.read_text(encoding="utf-8")).unwrap()
            library_id, bound = settings["library_id"], settings["profile"]
        except (OSError, KeyError, ValueError) as error:
            raise CannotRunNow(
                f"{path} cannot be read ({error}). Put it back from a copy, or index into a new "
                "library with `--library`."
            ) from error
        copy = root / PROFILE_FILE
        return cls(root, library_id, load_profile(copy if copy.is_file() else bound))

    @classmethod
    def _bind(cls, root: Path, library_id: str, profile: Profile) -> Library:
        library = cls(root, library_id, profile)
        with explained(root):
            (root / "titles").mkdir(exist_ok=True)
            write_atomically(root / PROFILE_FILE, profile.to_toml().encode())
        library._write_settings({})
        return library

    def _write_settings(self, consent: Mapping[str, str]) -> None:
        document = tomlkit.document()
        document["library_id"] = self.library_id
        document["profile"] = self.profile.name
        document["version"] = self.profile.version
        if consent:
            document["consent"] = dict(consent)
        with explained(self.root):
            write_atomically(self.root / SETTINGS_FILE, tomlkit.dumps(document).encode())

    @property
    def version(self) -> str:
        """The model version in use, which names the collection."""
        return self.profile.version

    @property
    def consented_endpoint(self) -> str | None:
        """The endpoint that dialogue may be sent to, once somebody has agreed."""
        settings = tomlkit.parse((self.root / SETTINGS_FILE).read_text(encoding="utf-8")).unwrap()
        endpoint: str | None = settings.get("consent", {}).get("endpoint")
        return endpoint

    def consent_to(self, endpoint: str) -> None:
        """Record that dialogue may be sent to this endpoint."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self._write_settings({"endpoint": endpoint, "given_at": now})

    @property
    def store_folder(self) -> Path:
        """Where the embedded shards lie, one folder a version."""
        return self.root / "qdrant"

    @property
    def models_folder(self) -> Path:
        """Where context checkpoints lie."""
        return self.root / "models"

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
        return self.root / "titles" / title_id

    def thumbnail(self, title_id: str, shot: int) -> Path:
        """Return where a shot's picture lies (it may be absent: sound has none)."""
        return self.folder(title_id) / "thumbs" / f"{shot:05d}.jpg"

    def titles(self) -> list[Manifest]:
        """Return every finished title, by name. Unchanged manifests are not read twice."""
        found: dict[str, tuple[int, Manifest]] = {}
        for path in self.root.glob(f"titles/*/{MANIFEST_FILE}"):
            try:
                mtime_ns = path.stat().st_mtime_ns
            except FileNotFoundError:
                continue
            known = self._manifests.get(path.parent.name)
            if known and known[0] == mtime_ns:
                found[path.parent.name] = known
            elif manifest := read_manifest(path):
                found[path.parent.name] = (mtime_ns, manifest)
        self._manifests = found
        manifests = (manifest for _, manifest in found.values())
        return sorted(manifests, key=lambda m: (m.title.casefold(), m.title_id))

    def in_use(self) -> list[Manifest]:
        """Return the finished titles whose vectors are of the version in use."""
        return [manifest for manifest in self.titles() if manifest.version == self.version]

    def has_folder(self, title_id: str) -> bool:
        """Whether a title has a manifest, readable or not: a damaged title is not a removed one."""
        return (self.folder(title_id) / MANIFEST_FILE).is_file()

    def damaged(self) -> list[Path]:
        """Return the manifests that cannot be read."""
        found = sorted(self.root.glob(f"titles/*/{MANIFEST_FILE}"))
        return [path for path in found if read_manifest(path) is None]

    def find(self, title_id: str) -> Manifest | None:
        """Return a finished title, or None."""
        return read_manifest(self.folder(title_id) / MANIFEST_FILE)

    def manifest(self, title_id: str) -> Manifest:
        """Return a finished title. Raises `InputError` where it has gone from the folder."""
        known = self._manifests.get(title_id)
        manifest = known[1] if known else self.find(title_id)
        if manifest is None:
            raise InputError(f"Title {title_id} has gone from the library at {self.root}.")
        return manifest

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


@contextmanager
def _made_alone(root: Path) -> Iterator[None]:
    """Let one process at a time make a library, so that two first runs make one and not two."""
    with explained(root):
        root.mkdir(parents=True, exist_ok=True)
        lock = FileLock(root / ".lock")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
