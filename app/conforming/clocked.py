"""When in a trailer something is, for people."""

from __future__ import annotations

from fractions import Fraction

from indexer.conforming.segment import Segment


def clocked(segment: Segment, rate: str) -> tuple[str, str]:
    """Return when a segment begins and ends in its trailer, as `M:SS.ss`."""
    first, last = (
        _clock(Fraction(frame) / Fraction(rate))
        for frame in (segment.clip_start_frame, segment.clip_end_frame)
    )
    return first, last


def _clock(seconds: Fraction) -> str:
    hundredths = round(seconds * 100)
    minutes, rest = divmod(hundredths, 6000)
    return f"{minutes}:{rest // 100:02}.{rest % 100:02}"
