"""Assets: what has been made of titles, as the frames of them that it shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.shortlist import Shortlists
from app.shortlists.rows import unknown
from indexer.library import Library

Frames = tuple[str, int, int]
"""(title_id, start_frame, end_frame), half-open"""

NOT_USED_YET = "not used yet"
"""The note of a moment that was kept because no asset shows it; while it says so, none does."""


@dataclass(frozen=True)
class Asset:
    """A shortlist or a finished clip, and what it shows."""

    name: str
    frames: tuple[Frames, ...]

    def of(self, title_id: str) -> list[tuple[int, int]]:
        """Return what it shows of a title: `[start_frame, end_frame)`, in its own order."""
        return [(start, end) for title, start, end in self.frames if title == title_id]


def listed(library: Library, names: Sequence[str] | None = None) -> list[Asset]:
    """Return shortlists as assets; without names all there are.

    Raises `UsageError` for a list that is not there.
    """
    lists = Shortlists.of(library)
    return [_listed(lists, name) for name in (lists.names() if names is None else names)]


def _listed(lists: Shortlists, name: str) -> Asset:
    found = lists.look(name)
    if found is None:
        raise unknown(name)
    frames = (
        (item.title_id, item.start_frame, item.end_frame)
        for item in found.items
        if item.note != NOT_USED_YET
    )
    return Asset(found.name, tuple(frames))


def conformed(library: Library, clip: Path) -> Asset:
    """Return a finished clip or trailer as what it shows of the library's titles.

    Raises as `conform_file` does, for what is no film say.
    """
    from app.conforming.conform import conform_file
    from app.studio import bars

    with bars() as drawn:
        found = conform_file(clip, library, progress=drawn.draw).found
    frames = ((one.title_id, one.start_frame, one.end_frame) for one in found if one.title_id)
    return Asset(clip.name, tuple(frames))
