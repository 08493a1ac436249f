"""Frames, seconds and timecode, exact.

Drop-frame counts as SMPTE ST 12-1 does: at 30000/1001 the numbers ;00 and ;01 are skipped at the
start of every minute but each tenth, at 60000/1001 the first four, so that the clock keeps up with
real time. Nothing is dropped at 24000/1001.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from qdrant.errors import UsageError

if TYPE_CHECKING:
    from indexer.manifest import Manifest

DROPPED_A_MINUTE = {Fraction(30000, 1001): 2, Fraction(60000, 1001): 4}
TIMECODE = re.compile(r"^(\d{1,2}):(\d{2}):(\d{2})([:;.,])(\d{2,3})$")
MILLISECONDS = Fraction(1000)
"""The rate of titles that are sound alone: times in milliseconds, no timecode."""


@dataclass(frozen=True)
class Clock:
    """A title's frames on its own timecode."""

    rate: Fraction
    drop_frame: bool = False
    start_frame: int = 0  # the count that the first frame's timecode stands for

    @classmethod
    def of(cls, manifest: Manifest) -> Clock:
        """Return the clock of a title."""
        clock = cls(manifest.frame_rate, manifest.drop_frame)
        if manifest.start_timecode is None:
            return clock
        start = frames_of(manifest.start_timecode, rate=clock.rate)
        return cls(clock.rate, clock.drop_frame, start)

    def timecode(self, frame: int) -> str | None:
        """Return the timecode of a frame counted from the title's first; None for sound alone."""
        if self.rate == MILLISECONDS:
            return None
        return timecode_of(frame + self.start_frame, rate=self.rate, drop_frame=self.drop_frame)


def timecode_of(frame: int, *, rate: Fraction, drop_frame: bool = False) -> str:
    """Return `HH:MM:SS:FF` (`;FF` where frames are dropped) of a count of frames from midnight."""
    nominal = _nominal(rate)
    if drop_frame:
        frame += _dropped_before(frame, rate=rate)
    seconds, ff = divmod(frame, nominal)
    hours, rest = divmod(seconds, 3600)
    separator = ";" if drop_frame else ":"
    digits = 2 if nominal <= 100 else 3
    return f"{hours % 24:02}:{rest // 60:02}:{rest % 60:02}{separator}{ff:0{digits}}"


def frames_of(timecode: str, *, rate: Fraction) -> int:
    """Return the count of frames from midnight that a timecode stands for.

    Raises `UsageError` for text that is no timecode at this rate, or a number that drop-frame
    skips.
    """
    match = TIMECODE.match(timecode.strip())
    nominal = _nominal(rate)
    hours, minutes, seconds, ff = (int(match[i]) for i in (1, 2, 3, 5)) if match else (24, 0, 0, 0)
    if hours > 23 or minutes > 59 or seconds > 59 or ff >= nominal:
        raise UsageError(f"{timecode!r} is no timecode at {rate} frames a second (HH:MM:SS:FF).")
    count = (hours * 3600 + minutes * 60 + seconds) * nominal + ff
    if is_drop_frame(timecode) and rate in DROPPED_A_MINUTE:
        dropped, total_minutes = DROPPED_A_MINUTE[rate], hours * 60 + minutes
        if minutes % 10 and not seconds and ff < dropped:
            raise UsageError(
                f"{timecode!r} is no timecode in drop-frame, which skips the first {dropped} "
                f"numbers of this minute: it begins with {hours:02}:{minutes:02}:00;{dropped:02}."
            )
        count -= dropped * (total_minutes - total_minutes // 10)
    return count


def valid_timecode(text: str, *, rate: Fraction) -> str | None:
    """Return what a file's tag says where that is a timecode at its rate, else None.

    In the one spelling `HH:MM:SS:FF`, with `;` before the frames where they drop: nothing drops
    at other rates than 29.97 and 59.94, whatever the tag says.
    """
    try:
        frames_of(text, rate=rate)
    except UsageError:
        return None
    head, frames = re.split(r"[:;.,](?=\d+$)", text.strip())
    drops = is_drop_frame(text) and rate in DROPPED_A_MINUTE
    return f"{head:0>8}{';' if drops else ':'}{frames}"


def is_drop_frame(timecode: str) -> bool:
    """Whether a timecode is written as drop-frame (`;` or `,` before the frames)."""
    return bool(re.search(r"[;,.]\d+$", timecode.strip()))


def _nominal(rate: Fraction) -> int:
    return max(1, round(rate))


def _dropped_before(frame: int, *, rate: Fraction) -> int:
    """Return how many numbers the counter has skipped when it shows this frame."""
    if rate not in DROPPED_A_MINUTE:
        return 0
    dropped = DROPPED_A_MINUTE[rate]
    a_minute = _nominal(rate) * 60 - dropped
    ten_minutes = a_minute * 10 + dropped
    tens, rest = divmod(frame, ten_minutes)
    minutes = 0 if rest < dropped else (rest - dropped) // a_minute
    return dropped * (9 * tens + minutes)
