"""What every import format is read into: selects, as their file tells them.

A file's text is only compared with what the library knows; a path in it never touches the disk.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

RATE = re.compile(r"^\d{1,9}([./]\d{1,18})?$", re.ASCII)


@dataclass(frozen=True)
class At:
    """A point in a source: timecode, or frames, or seconds; exactly one is stated."""

    timecode: str = ""
    frames: int | None = None  # at the select's rate; where that is unknown, the title's own
    seconds: Fraction | None = None
    on_clock: bool = False  # frames or seconds count from midnight, not from the first frame


@dataclass(frozen=True)
class Select:
    """One moment somebody chose, half-open: the frame at `end` is not in it."""

    where: str  # in the file, for messages: "event 003", "line 7"
    start: At
    end: At | None = None  # None: a marker without duration, which means the shot that shows it
    reel: str = ""
    clip_name: str = ""
    path: str = ""  # as the file says it; only its last part is compared
    title: str = ""
    title_id: str = ""
    rate: Fraction | None = None  # frames a second, if the file says it
    note: str = ""
    colour: str = ""
    stars: int = 0
    is_marker: bool = False  # on a sequence: says nothing of its source


@dataclass(frozen=True)
class Selects:
    """What a file holds."""

    selects: tuple[Select, ...]
    problems: tuple[str, ...] = ()  # a sentence for each entry that cannot be read


def rate_of(timebase: str, *, is_ntsc: bool = False) -> Fraction | None:
    """Return frames a second of a rate as files write it (25, 23.976, 29.97, 30000/1001)."""
    if not RATE.match(timebase.strip()):  # an exponent could fill the memory
        return None
    try:
        rate = Fraction(timebase.strip())
    except ZeroDivisionError:
        return None
    if not 1 <= rate <= 1000:
        return None
    ntsc = Fraction(round(rate) * 1000, 1001)
    return ntsc if is_ntsc or abs(rate - ntsc) < Fraction(1, 200) else rate
