"""When a kept moment is seen."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from pathlib import Path

from app.shortlists.item import Item
from indexer.library import SHOTS_FILE, Library
from indexer.media.timecode import Clock
from qdrant.errors import InputError


def seconds_of(item: Item, library: Library) -> tuple[float, float]:
    """Return a kept moment's half-open span in seconds, `(start_s, end_s)`.

    Frames of a variable rate last differently long, so the times are those the shots were seen at.
    Where the title's shots have gone, frames are taken to be equally long.
    """
    shots_file = library.folder(item.title_id) / SHOTS_FILE
    try:
        shots = _seen_at(shots_file, shots_file.stat().st_mtime_ns)
    except (OSError, ValueError):  # gone, or being written anew
        shots = []
    rate = Fraction(item.rate)
    start_s, end_s = (
        _second_of(frame, shots, rate, is_out=is_out)
        for frame, is_out in ((item.start_frame, False), (item.end_frame, True))
    )
    return start_s, end_s


@lru_cache(maxsize=256)
def _seen_at(shots_file: Path, mtime_ns: int) -> list[tuple[int, int, float, float]]:
    """Return a title's shots as `(start_frame, end_frame, start_s, end_s)`, in order."""
    import pandas as pd

    shots = pd.read_parquet(shots_file, columns=["start_frame", "end_frame", "start_s", "end_s"])
    return list(shots.itertuples(index=False, name=None))


def _second_of(
    frame: int, shots: list[tuple[int, int, float, float]], rate: Fraction, *, is_out: bool
) -> float:
    """Return when a frame is shown; an out point on a cut is the end of the shot before it."""
    for start_frame, end_frame, start_s, end_s in shots:
        if frame < end_frame or (is_out and frame == end_frame):
            share = (frame - start_frame) / (end_frame - start_frame)
            return float(start_s + share * (end_s - start_s))
    last_frame, last_s = (shots[-1][1], shots[-1][3]) if shots else (0, 0.0)
    return float(last_s + (frame - last_frame) / rate)


def points_of(item: Item, library: Library) -> tuple[str, str]:
    """Return a moment's in and out as its title counts: timecode; seconds where it has none."""
    try:
        clock = Clock.of(library.manifest(item.title_id))
    except InputError:  # the title has gone
        pass
    else:
        start, end = clock.timecode(item.start_frame), clock.timecode(item.end_frame)
        if start and end:
            return start, end
    start_s, end_s = seconds_of(item, library)
    return f"{start_s:.3f}", f"{end_s:.3f}"
