"""A place that somebody names, `like:"A Film"@1:10-1:20`, becomes shots of the library."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from app.request import Place
from indexer.library import Library
from indexer.manifest import Manifest
from indexer.media.timecode import Clock, frames_of
from qdrant.errors import UsageError

SECONDS = re.compile(r"(?:(?:(\d+):)?(\d{1,2}):)?(\d+(?:\.\d+)?)s?")
LEAST_S = 0.001
"""Less of a shot is no part of a span, but rounding at a cut."""
MAX_NAMED = 10
"""How many titles a message lists."""
FRAME = re.compile(r"(\d+)f")
TIMECODE = re.compile(r"\d{1,2}:\d{2}:\d{2}[:;]\d{2,3}")


@dataclass(frozen=True)
class Span:
    """Shots of a title: how many seconds of each are meant."""

    title_id: str
    seconds: dict[int, float]  # shot -> seconds of it, all above 0


def span_of(place: Place, library: Library) -> Span:
    """Return the shots that a place names; a single time names the shot that shows it.

    Times are timecode as the title's own, `M:SS` or seconds from its first frame, or `120f`. Raises
    `UsageError` for a title or a time that is not there, and for a span that is none.
    """
    manifest = find_title(place.title, library)
    shots = library.shots(manifest.title_id)
    starts, ends = shots["start_s"].tolist(), shots["end_s"].tolist()
    if place.start is None:
        return Span(manifest.title_id, _meant(starts, ends, 0.0, manifest.duration_s))
    start_s = _time(place.start, manifest)
    if place.end is None:
        shot = max(bisect_right(starts, start_s) - 1, 0)
        return Span(manifest.title_id, {shot: ends[shot] - starts[shot]})
    end_s = _time(place.end, manifest)
    if end_s <= start_s:
        raise UsageError(f"A span cannot run from {place.start} to {place.end}; swap them.")
    return Span(manifest.title_id, _meant(starts, ends, start_s, end_s))


def find_titles(asked: str, library: Library) -> list[Manifest]:
    """Return the titles of this name or id, at least one. Raises `UsageError` where none is."""
    titles, name = library.titles(), asked.casefold()
    found = [m for m in titles if name in (m.title_id, m.title.casefold())]
    if not found:
        known = ", ".join(repr(manifest.title) for manifest in titles[:MAX_NAMED])
        raise UsageError(f"No title is called {asked!r} here. There are: {known or 'none'}.")
    return found


def find_title(asked: str, library: Library) -> Manifest:
    """Return the one title of this name or id. Raises `UsageError` where none is, or several."""
    found = find_titles(asked, library)
    if len(found) > 1:
        ids = ", ".join(manifest.title_id for manifest in found[:MAX_NAMED])
        raise UsageError(f"{len(found)} titles are called {asked!r}; say which by its id: {ids}.")
    return found[0]


def seconds_of(text: str) -> float:
    """Return `90`, `1:30` or `1:00:30.5` as seconds. Raises `UsageError` for anything else."""
    match = SECONDS.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"{text!r} is no time; write seconds, `1:30` or `1:00:30.5`.")
    hours, minutes, seconds = match.groups()
    return int(hours or 0) * 3600 + int(minutes or 0) * 60 + float(seconds)


def frame_of(text: str, manifest: Manifest, library: Library) -> int:
    """Return the frame of a title that a time names, as `span_of` reads times.

    Seconds become the frame nearest to them, by the times that the title's shots were seen at.
    Raises `UsageError` for what is no time of the title.
    """
    text = text.strip()
    seconds = _time(text, manifest)
    if frame := FRAME.fullmatch(text):
        return int(frame[1])
    if TIMECODE.fullmatch(text):
        clock = Clock.of(manifest)
        return frames_of(text, rate=clock.rate) - clock.start_frame
    shots = library.shots(manifest.title_id)
    shot = max(bisect_right(shots["start_s"].tolist(), seconds) - 1, 0)
    columns = ["start_s", "end_s", "start_frame", "end_frame"]
    start_s, end_s, start, end = map(float, shots[columns].iloc[shot])
    return round(start + (seconds - start_s) / (end_s - start_s) * (end - start))


def _time(text: str, manifest: Manifest) -> float:
    """Return a time of a title in seconds from its first frame."""
    if frame := FRAME.fullmatch(text):
        seconds = int(frame[1]) / float(manifest.frame_rate)
    elif TIMECODE.fullmatch(text):
        clock = Clock.of(manifest)
        counted = frames_of(text, rate=clock.rate) - clock.start_frame
        seconds = counted / float(clock.rate)
    else:
        seconds = seconds_of(text)
    if not 0 <= seconds <= manifest.duration_s:
        raise UsageError(f"{manifest.title} has no {text}; it is {manifest.duration_s:.1f} s long.")
    return seconds


def _meant(
    starts: Sequence[float], ends: Sequence[float], start_s: float, end_s: float
) -> dict[int, float]:
    overlaps = (
        (shot, min(end, end_s) - max(start, start_s))
        for shot, (start, end) in enumerate(zip(starts, ends, strict=True))
    )
    return {shot: seconds for shot, seconds in overlaps if seconds > LEAST_S}
