"""What is installed, reachable and writable here, and which profiles can run."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from indexer import environment
from indexer.library import PROFILE_FILE, SETTINGS_FILE, Library
from qdrant.errors import TrimbinError

PACKAGES = (
    "torch", "open_clip_torch", "transformers", "av", "scenedetect-headless", "qdrant-client",
    "qdrant-edge-py", "streamlit", "openai", "pandas",
)  # fmt: skip
LOW_DISK_BYTES = 2 * 1024**3

Verdict = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    about: str
    verdict: Verdict
    told: str

    @property
    def is_fatal(self) -> bool:
        """Whether nothing will work until this is mended."""
        return self.verdict == "fail"

    def line(self) -> str:
        """Return the finding as a line for a terminal."""
        return f"{self.verdict:<5} {self.about:<18} {self.told}"

    def to_json(self) -> dict[str, Any]:
        """Return the finding as JSON values."""
        return asdict(self)


def examine(root: Path) -> list[Finding]:
    """Look at everything that Trimbin needs; no model is loaded, no title touched.

    The store is opened as a search would open it.
    """
    root = root.expanduser().absolute()
    return [*_programs(), *_disk(root), *_profiles(root), *_abilities(), *_library(root)]


def _programs() -> Iterator[Finding]:
    import imageio_ffmpeg

    from indexer.words.screen import cv2_owners

    yield Finding("python", "ok", f"{platform.python_version()} on {platform.platform()}")
    for name in PACKAGES:
        try:
            yield Finding(name, "ok", importlib.metadata.version(name))
        except importlib.metadata.PackageNotFoundError:
            yield Finding(name, "fail", "not installed; `pip install trimbin` brings it")
    owners = cv2_owners()
    yield Finding(
        "cv2",
        "ok" if len(owners) == 1 else "warn",
        owners[0] if len(owners) == 1 else f"has {len(owners)} owners ({', '.join(owners)}): keep "
        "opencv-python-headless alone",
    )  # fmt: skip
    try:
        yield Finding("ffmpeg", "ok", imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        yield Finding("ffmpeg", "warn", f"no program for playback proxies ({error})")


def _disk(root: Path) -> Iterator[Finding]:
    existing = next(p for p in (root, *root.parents) if p.exists())
    if not os.access(existing, os.W_OK):
        yield Finding("library folder", "fail", f"{existing} cannot be written; choose --library")
        return
    free = shutil.disk_usage(existing).free
    verdict: Verdict = "ok" if free > LOW_DISK_BYTES else "warn"
    yield Finding("library folder", verdict, f"{root}, {free / 1024**3:.1f} GiB free")


def _profiles(root: Path) -> Iterator[Finding]:
    from indexer.encoders.load import can_run
    from indexer.profiles import BUILT_IN, load_profile

    own = root / PROFILE_FILE
    for profile in map(load_profile, (*BUILT_IN, *([str(own)] if own.is_file() else []))):
        name = profile.name
        obstacles = {space: why for space, why in can_run(profile).items() if why}
        told = "; ".join(f"{space}: {why}" for space, why in obstacles.items())
        yield Finding(f"profile {name}", "warn" if obstacles else "ok", told or "can run here")


def _abilities() -> Iterator[Finding]:
    """Tell what is made of media beside the profiles' vectors, and what of it cannot run here."""
    from indexer.profiles import load_profile
    from indexer.shots import network
    from indexer.sound import voice
    from indexer.words import screen, transcribe

    abilities = {
        "shot network": network.absent(),
        "voice activity": voice.obstacle(),
        "transcripts": transcribe.obstacle(load_profile("offline")),
        "text on screen": screen.obstacle(),
    }
    for ability, why_not in abilities.items():
        yield Finding(ability, "warn" if why_not else "ok", why_not or "can run here")


def _library(root: Path) -> Iterator[Finding]:
    if not (root / SETTINGS_FILE).is_file():
        yield Finding("library", "warn", "none yet; `trimbin index PATH` makes one")
        return
    try:
        library = Library.open(root)
    except TrimbinError as error:
        yield Finding("library", "fail", str(error))
        return
    titles = library.titles()
    shots = sum(manifest.num_shots for manifest in titles)
    yield Finding(
        "library", "ok", f"{len(titles)} titles, {shots} shots, profile {library.version}"
    )
    if behind := len(titles) - len(library.in_use()):
        told = f"{behind} titles have vectors of an earlier version: run `trimbin index` on them"
        yield Finding("version", "warn", told)
    for path in library.damaged():
        yield Finding("damaged", "warn", f"{path} cannot be read; index its film again")
    for manifest in titles:
        if not manifest.is_online:
            yield Finding("off line", "warn", f"{manifest.title}: {manifest.path} is not there")
    yield _context(library)
    yield _store(library)


def _context(library: Library) -> Finding:
    if library.checkpoint_id() is None:
        return Finding("context model", "warn", "none yet; `trimbin train` makes one")
    return Finding(
        "context model", "ok", f"{library.checkpoint_id()}, from {library.shots_trained_on()} shots"
    )


def _store(library: Library) -> Finding:
    from indexer.catalogue import Catalogue

    catalogue = Catalogue(library, command="trimbin doctor")
    where = environment.server_url() or "embedded"
    try:
        return Finding("store", "ok", f"{where}, {catalogue.count()} shots visible")
    except TrimbinError as error:
        return Finding("store", "fail", str(error))
    finally:
        catalogue.close()
