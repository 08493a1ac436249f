"""A passage: a stretch of a title as people and programs receive it, in frames, time, timecode."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.tell import clock
from indexer.manifest import Manifest
from indexer.media.timecode import Clock

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Passage:
    """Frames `[start_frame, end_frame)` of a title."""

    title_id: str
    title: str
    start_frame: int
    end_frame: int
    rate: str
    start_s: float
    end_s: float
    start_tc: str | None  # None: sound alone has no timecode
    end_tc: str | None

    @property
    def seconds(self) -> float:
        """How long it is shown."""
        return self.end_s - self.start_s

    def line(self) -> str:
        """Return where it begins and ends, for a person."""
        if self.start_tc:
            return f"{self.start_tc} - {self.end_tc}"
        return f"{clock(self.start_s)} - {clock(self.end_s)}"


def passage_of(
    manifest: Manifest, shots: pd.DataFrame, start_frame: int, end_frame: int
) -> Passage:
    """Return these frames of a title, timed as its shots (a row each) were seen."""
    tc = Clock.of(manifest).timecode
    return Passage(
        title_id=manifest.title_id,
        title=manifest.title,
        start_frame=start_frame,
        end_frame=end_frame,
        rate=manifest.rate,
        start_s=round(second_of(start_frame, shots), 3),
        end_s=round(second_of(end_frame, shots), 3),
        start_tc=tc(start_frame),
        end_tc=tc(end_frame),
    )


def second_of(frame: int, shots: pd.DataFrame) -> float:
    """Return when a frame of a title is shown, or where it is the one after the last, when it ends.

    Frames of a variable rate last differently long, so it is told by the shot that it is in.
    """
    ends = shots["end_frame"].to_numpy()
    row = shots.iloc[min(int((ends <= frame).sum()), len(ends) - 1)]
    share = (frame - row["start_frame"]) / (row["end_frame"] - row["start_frame"])
    return float(row["start_s"] + share * (row["end_s"] - row["start_s"]))
