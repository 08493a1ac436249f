"""Times as caption files write them: clocks, offsets, frames and ticks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

CLOCK_TIME = re.compile(r"(\d{2,3}):(\d{2}):(\d{2})(?:(\.\d{1,9})|[:;](\d{1,3})(?:\.\d{1,9})?)?")
OFFSET_TIME = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)(h|ms|m|s|f|t)")
SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
DEFAULT_FRAME_RATE = Fraction(30)  # TTML2 7.2.5
NTSC_RATE = Fraction(30000, 1001)
NTSC_NOMINAL = 30
DROPPED_A_MINUTE = 2
"""Numbers that drop-frame skips each minute but every tenth (SMPTE ST 12-1)."""
HIGHEST_RATE = 1_000_000_000
"""Frames or ticks a second beyond this are damage."""


@dataclass(frozen=True)
class Clock:
    """How a document counts time."""

    frame_rate: Fraction = DEFAULT_FRAME_RATE  # frames a second, the multiplier included
    nominal_rate: Fraction = DEFAULT_FRAME_RATE  # frames that the clock counts as a second
    tick_rate: Fraction = Fraction(1)  # ticks a second
    counts_frames: bool = False  # timeBase="smpte": 00:01:00:00 is a count of frames
    drop_frame: bool = False  # dropMode="dropNTSC"

    @staticmethod
    def of(attributes: Mapping[str, str]) -> Clock:
        """Read the root's parameters; those that make no sense count as not stated."""
        nominal = _rate(attributes.get("frameRate")) or DEFAULT_FRAME_RATE
        multiplier = _ratio(attributes.get("frameRateMultiplier", "")) or Fraction(1)
        sub_frames = _rate(attributes.get("subFrameRate")) or Fraction(1)
        ticks = _rate(attributes.get("tickRate"))
        if ticks is None:
            ticks = nominal * sub_frames if "frameRate" in attributes else Fraction(1)
        return Clock(
            nominal * multiplier,
            nominal,
            ticks,
            attributes.get("timeBase") == "smpte",
            attributes.get("dropMode") == "dropNTSC",
        )

    def seconds(self, text: str | None) -> float | None:
        """Return a time in seconds; None where there is none that can be understood."""
        text = (text or "").strip()
        if offset := OFFSET_TIME.fullmatch(text):
            amount, unit = float(offset[1]), offset[2]
            if unit == "f":
                return amount / float(self.frame_rate)
            return amount / float(self.tick_rate) if unit == "t" else amount * SECONDS[unit]
        clock = CLOCK_TIME.fullmatch(text)
        if clock is None:
            return None
        hours, minutes, seconds, frames = (int(clock[group] or 0) for group in (1, 2, 3, 5))
        whole_s = hours * 3600 + minutes * 60 + seconds
        if not self.counts_frames or clock[4]:
            return whole_s + float(clock[4] or 0) + frames / float(self.frame_rate)
        if self.drop_frame and self.frame_rate == NTSC_RATE:
            return ntsc_seconds(hours, minutes, seconds, frames, drop_frame=True)
        return float((whole_s * self.nominal_rate + frames) / self.frame_rate)


def ntsc_seconds(hours: int, minutes: int, seconds: int, frames: int, *, drop_frame: bool) -> float:
    """Return the seconds at 29.97 frames a second that a timecode stands for.

    A number that drop-frame skips counts as the next one there is: caption files have such.
    """
    total_minutes = hours * 60 + minutes
    count = (total_minutes * 60 + seconds) * NTSC_NOMINAL + frames
    if drop_frame:
        if minutes % 10 and not seconds:
            count += max(0, DROPPED_A_MINUTE - frames)
        count -= DROPPED_A_MINUTE * (total_minutes - total_minutes // 10)
    return float(count / NTSC_RATE)


def _rate(text: str | None) -> Fraction | None:
    if text is None or not re.fullmatch(r"\d{1,10}", text.strip()):
        return None
    rate = Fraction(int(text))
    return rate if 0 < rate <= HIGHEST_RATE else None


def _ratio(text: str) -> Fraction | None:
    """Return "1000 1001", or "1000:1001" as early drafts had it, as a fraction."""
    found = re.fullmatch(r"\s*(\d{1,6})[\s:]+(\d{1,6})\s*", text)
    return (
        Fraction(int(found[1]), int(found[2]))
        if found and int(found[1]) and int(found[2])
        else None
    )
