"""Which title a file is: known, moved, changed or new."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from indexer.library import Library
from indexer.manifest import Manifest, live_title_id_of, title_id_of
from indexer.media.probe import content_hash
from qdrant.errors import InputError

HEAD_BYTES = 2**20
"""What a recording must have before it can be told from others that grow."""
HEADER_BYTES = 2**16
"""Left out of what tells it: writers put the length in there when they finish (Matroska)."""


@dataclass(frozen=True)
class Identity:
    """A file and the title it belongs to."""

    title_id: str
    path: Path
    content_hash: str  # sha256
    size: int
    mtime_ns: int
    known: Manifest | None  # what the library holds of it
    original: Manifest | None = None  # the title this file is a second copy of

    def is_settled(self, inputs: Mapping[str, str], library: Library) -> bool:
        """Whether the finished title already says all that these inputs would make it say."""
        checkpoint = library.checkpoint_id()
        return (
            self.known is not None
            and not self.known.live
            and self.known.version == library.version
            and self.known.describes(self.path)
            and self.known.inputs == inputs
            and (checkpoint is None or self.known.checkpoint == checkpoint)
        )


def identify(path: Path, library: Library) -> Identity:
    """Return which title a file is. Raises `InputError` where it cannot be read.

    The same content is the same title, wherever it lies; content nobody knows is a new title, also
    where another film lay before. Size and modification time spare an unchanged file its reading.
    A recording that was followed while it grew is told by its name and its first MiB.
    """
    titles = library.titles()
    try:
        stat = path.stat()
    except OSError as error:
        raise InputError(f"{path} cannot be opened ({error.strerror or error}).") from error
    known = next((manifest for manifest in titles if manifest.describes(path)), None)
    sha = (known and known.content_hash) or content_hash(path)
    known = known or next((m for m in titles if m.content_hash == sha), None)
    known = known or _followed(path, titles)
    return Identity(
        title_id=known.title_id if known else title_id_of(sha),
        path=path,
        content_hash=sha,
        size=stat.st_size,
        mtime_ns=stat.st_mtime_ns,
        known=known,
        original=known if known and _is_another_copy(known, path) else None,
    )


def live_title_id(path: Path, *, head: bytes) -> str:
    """Return the id of a recording by its name and its first MiB, without the file's header."""
    told = head[HEADER_BYTES:HEAD_BYTES] or head
    return live_title_id_of(path.name, hashlib.sha256(told).hexdigest())


def _followed(path: Path, titles: Sequence[Manifest]) -> Manifest | None:
    """Return the title that this file was while it grew, if that was never finished."""
    there = [manifest for manifest in titles if manifest.live and manifest.path == str(path)]
    if not there:
        return None
    try:
        with path.open("rb") as stream:
            title_id = live_title_id(path, head=stream.read(HEAD_BYTES))
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror or error}).") from error
    return next((manifest for manifest in there if manifest.title_id == title_id), None)


def _is_another_copy(known: Manifest, path: Path) -> bool:
    """Whether a title's file is still where it was, so that this one is a second copy of it."""
    there = Path(known.path)
    return there != path and known.describes(there) and not there.samefile(path)
