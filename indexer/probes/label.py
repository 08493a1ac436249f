"""What somebody says of a stretch of a title."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Label:
    """One answer: of these frames of a title this holds, does not hold, or holds so much."""

    title_id: str
    start_frame: int  # half-open, in frames of the title's rate
    end_frame: int
    label: str  # "creepy", "popularity"; empty: looked at, and none of the labels fits
    value: float = 1.0  # 1 it holds, 0 it does not; for popularity as much as it was clicked
    by: str = ""  # who says so
