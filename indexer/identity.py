"""Which title a file is: known, moved, changed or new."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexer.library import Library
from indexer.manifest import Manifest, title_id_of
from indexer.media.probe import content_hash
from indexer.media.timed_text import Sidecar
from indexer.workbench import digest
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

    def is_settled(
        self,
        sidecar: Sidecar | None,
        metadata: Mapping[str, Any],
        *,
        version: str,
        checkpoint: str | None,
    ) -> bool:
        """Whether the finished title already says all that these inputs would make it say."""
        return (
            self.known is not None
            and self.known.version == version
            and self.known.describes(self.path)
            and self.known.content_hash == self.content_hash
            and self.known.inputs == inputs_of(sidecar, metadata)
            and (checkpoint is None or self.known.checkpoint == checkpoint)
        )


def inputs_of(sidecar: Sidecar | None, metadata: Mapping[str, Any]) -> dict[str, str]:
    """Return the hashes of what a title is made from beside its media."""
    words = digest(sidecar.path.name, sidecar.content_hash) if sidecar else ""
    return {"words": words, "metadata": digest(metadata)}


def identify(path: Path, library: Library) -> Identity:
    """Return which title a file is. Raises `InputError` where it cannot be read.

    The same path is the same title, however its content changed; the same content at a new path is
    the same title, moved; all else is new. Size and modification time spare an unchanged file its
    reading.
    """
    titles = library.titles()
    by_path = next((m for m in titles if m.path == str(path)), None)
    try:
        stat = path.stat()
    except OSError as error:
        raise InputError(f"{path} cannot be opened ({error.strerror or error}).") from error
    if by_path and by_path.describes(path):
        return Identity(
            by_path.title_id, path, by_path.content_hash, stat.st_size, stat.st_mtime_ns, by_path
        )
    sha = content_hash(path)
    same_content = next((m for m in titles if m.content_hash == sha), None)
    if same_content and not by_path and same_content.is_online:
        raise InputError(f"{path} is the same file as {same_content.path}, which is indexed.")
    known = by_path or same_content
    title_id = known.title_id if known else title_id_of(sha)
    if known is None and any(m.title_id == title_id for m in titles):
        title_id = title_id_of(f"{sha}{path}")  # the id is taken: that title's file has changed
    return Identity(title_id, path, sha, stat.st_size, stat.st_mtime_ns, known)
