"""A finished title's manifest: what the file is, what was made of it, what is missing and why."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

MANIFEST_FILE = "manifest.json"
MANIFEST_FORMAT = 1
TITLE_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "titles.trimbin")


@dataclass(frozen=True)
class Manifest:
    """One finished title: what the file is, what was made of it, what is missing and why."""

    title_id: str
    path: str  # where the file was last seen, absolute
    content_hash: str  # sha256 of the file; empty while it is being recorded
    size: int  # bytes, with mtime_ns the shortcut for "unchanged"
    mtime_ns: int
    title: str
    kind: str  # "film", "episode", "podcast", ... as titles.csv says; else "film" or "podcast"
    metadata: Mapping[str, Any]  # the title's row of titles.csv
    inputs: Mapping[str, str]  # hashes of what it was made from beside the media
    rate: str  # frames a second as a fraction, "24000/1001"; "1000/1" for sound alone
    drop_frame: bool
    start_timecode: str | None  # of the first frame, as the file says; None: the file has none
    num_frames: int  # length in frames of `rate`
    duration_s: float
    width: int  # 0 for sound alone
    height: int
    container: str
    video_codec: str | None
    pixel_format: str | None
    audio_codec: str | None
    language: str | None  # of the timed text
    num_shots: int
    spaces: Mapping[str, str]  # space -> its vector file's name in the folder
    checkpoint: str | None  # the context model that made `context`
    version: str  # the profile's version
    generation: str  # hash of everything that goes into the points
    notes: tuple[str, ...] = ()  # sentences: what this title lacks, and why
    choices: Mapping[str, Any] = field(default_factory=dict)  # how it was made: see `Choices`
    is_interlaced: bool = False  # its pictures are two fields each
    is_variable_rate: bool = False  # `rate` is what it is conformed to
    loudness_lufs: float | None = None  # EBU R128, of the whole title
    partial: bool = False  # the file ended before it should have
    tags: str | None = None  # the file in the folder that has its shots' tags; None: never tagged
    tag_names: Mapping[str, Sequence[str]] = field(default_factory=dict)  # group -> those it has
    indexed_at: str = ""
    format: int = MANIFEST_FORMAT

    @property
    def frame_rate(self) -> Fraction:
        """Frames a second, exact."""
        return Fraction(self.rate)

    @property
    def live(self) -> bool:
        """Whether it is still being recorded: these are the shots that are final so far."""
        return not self.content_hash

    @property
    def publication(self) -> str:
        """The name that its points are published under: its generation, and whose tags they carry.

        Tags come and go beside the generation, so that what is made of shots alone, maps and
        models, stays as it is.
        """
        return f"{self.generation}+{self.tags}" if self.tags else self.generation

    @property
    def is_online(self) -> bool:
        """Whether the file, or one of the same size, is where it was last seen."""
        path = Path(self.path)
        return path.is_file() and (self.live or path.stat().st_size == self.size)

    def describes(self, path: Path) -> bool:
        """Whether this file looks unchanged: same path, size and modification time."""
        try:
            stat = path.stat()
        except OSError:
            return False
        return (self.path, self.size, self.mtime_ns) == (
            str(path),
            stat.st_size,
            stat.st_mtime_ns,
        )


def read_manifest(path: Path) -> Manifest | None:
    """Return the manifest in this file, or None where there is none that we can read."""
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        return Manifest(**{**fields, "notes": tuple(fields["notes"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def title_id_of(content_hash: str) -> str:
    """Return the id of a title first seen with this content."""
    return str(uuid.uuid5(TITLE_NAMESPACE, content_hash))


def live_title_id_of(name: str, head_hash: str) -> str:
    """Return the id of a title first seen under this name while it was being recorded."""
    return str(uuid.uuid5(TITLE_NAMESPACE, f"live {name} {head_hash}"))
