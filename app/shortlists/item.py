"""A kept moment, a list of them, a change of one; and what their names and marks may be.

An item refers to a title and a span of its frames, never to a shot number: shots are numbered anew
whenever a title is indexed again, frames stay where they are.
"""

from __future__ import annotations

from dataclasses import dataclass

from indexer.manifest import Manifest
from qdrant.errors import UsageError

DEFAULT_LIST = "Selects"
MAX_NAME_CHARACTERS = 80
MAX_NOTE_CHARACTERS = 4000
MAX_STARS = 5
MAX_HANDLE_FRAMES = 1000

COLOURS = ("red", "orange", "yellow", "green", "cyan", "blue", "purple", "pink")
"""Labels, in words that Premiere, Resolve and Avid all have a marker colour for."""


@dataclass(frozen=True)
class Pick:
    """A moment that somebody wants kept: frames `[start_frame, end_frame)` of a title."""

    title_id: str
    start_frame: int
    end_frame: int
    rate: str
    title: str
    note: str = ""
    query: str = ""
    stars: int = 0
    colour: str = ""

    @classmethod
    def of(
        cls,
        title: Manifest,
        start_frame: int,
        end_frame: int,
        *,
        note: str = "",
        query: str = "",
        stars: int = 0,
        colour: str = "",
    ) -> Pick:
        """Return these frames of a title as the library knows it."""
        return cls(
            title.title_id,
            start_frame,
            end_frame,
            title.rate,
            title.title,
            note,
            query,
            stars,
            colour,
        )

    def check(self) -> None:
        """Raise `UsageError` for a span, a note or a mark that an item cannot have."""
        check_span(self.start_frame, self.end_frame, None)
        check_marks(note=self.note, stars=self.stars, colour=self.colour)


@dataclass(frozen=True)
class Item:
    """One kept moment: frames `[start_frame, end_frame)` of a title."""

    item_id: int
    list: str
    title_id: str
    start_frame: int
    end_frame: int
    rate: str  # frames a second as a fraction, as the title's manifest said
    title: str  # the title's name when it was kept: all that is left when the title has gone
    note: str
    query: str  # the words that found it
    added_at: str  # UTC, ISO 8601
    stars: int = 0  # 0..5
    colour: str = ""  # one of `COLOURS`, or none
    added_by: str = ""  # a name, where somebody gave one


@dataclass(frozen=True)
class Shortlist:
    """A list as it was at one instant."""

    list_id: int  # stays the same when the list is renamed
    name: str
    handles: int  # frames on either side that its exports have unless told otherwise
    items: tuple[Item, ...]
    last_change: int  # the newest change's id
    can_undo: str  # what undo would take back, or nothing
    can_redo: str


@dataclass(frozen=True)
class Change:
    """One change of a list, as the ledger has it."""

    change_id: int
    at: str  # UTC, ISO 8601
    who: str  # a name, or nothing
    what: str
    kind: str  # "do", "undo", "redo", or "list": begun, deleted, recovered
    is_undone: bool


def list_name(name: str) -> str:
    """Return a shortlist's name with its spaces in order. Raises `UsageError` for an empty one."""
    tidy = " ".join(name.split())
    if not tidy:
        raise UsageError("A shortlist needs a name.")
    if len(tidy) > MAX_NAME_CHARACTERS:
        raise UsageError(f"A shortlist's name has at most {MAX_NAME_CHARACTERS} characters.")
    return tidy


def check_span(start_frame: int, end_frame: int, num_frames: int | None) -> None:
    """Raise `UsageError` for a span that is none, or that leaves the title."""
    if not 0 <= start_frame < end_frame:
        raise UsageError(
            f"Frames {start_frame} to {end_frame} are no span: the in point comes first, and "
            "the out point lies after it."
        )
    if num_frames is not None and end_frame > num_frames:
        raise UsageError(
            f"The title ends at frame {num_frames}; an out point at {end_frame} lies beyond it."
        )


def check_marks(*, note: str = "", stars: int = 0, colour: str = "") -> None:
    """Raise `UsageError` for a note, stars or a colour that an item cannot have."""
    if len(note) > MAX_NOTE_CHARACTERS:
        raise UsageError(f"A note has at most {MAX_NOTE_CHARACTERS} characters.")
    if not 0 <= stars <= MAX_STARS:
        raise UsageError(f"A moment has 0 to {MAX_STARS} stars, not {stars}.")
    if colour and colour not in COLOURS:
        raise UsageError(f"{colour!r} is no label; there are: {', '.join(COLOURS)}.")
