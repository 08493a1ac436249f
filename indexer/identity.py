"""Which title a file is: known, moved, changed or new."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from indexer.library import Library
from indexer.manifest import Manifest, title_id_of
from indexer.media.probe import content_hash
from qdrant.errors import InputError


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
            and self.known.version == library.version
            and self.known.describes(self.path)
            and self.known.inputs == inputs
            and (checkpoint is None or self.known.checkpoint == checkpoint)
        )


def identify(path: Path, library: Library) -> Identity:
    """Return which title a file is. Raises `InputError` where it cannot be read.

    The same content is the same title, wherever it lies; content nobody knows is a new title, also
    where another film lay before. Size and modification time spare an unchanged file its reading.
    """
    titles = library.titles()
    try:
        stat = path.stat()
    except OSError as error:
        raise InputError(f"{path} cannot be opened ({error.strerror or error}).") from error
    known = next((manifest for manifest in titles if manifest.describes(path)), None)
    sha = known.content_hash if known else content_hash(path)
    known = known or next((m for m in titles if m.content_hash == sha), None)
    return Identity(
        title_id=known.title_id if known else title_id_of(sha),
        path=path,
        content_hash=sha,
        size=stat.st_size,
        mtime_ns=stat.st_mtime_ns,
        known=known,
        original=known if known and _is_another_copy(known, path) else None,
    )


def _is_another_copy(known: Manifest, path: Path) -> bool:
    """Whether a title's file is still where it was, so that this one is a second copy of it."""
    there = Path(known.path)
    return there != path and known.describes(there) and not there.samefile(path)
