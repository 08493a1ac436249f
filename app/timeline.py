"""A title over time: its cuts, what is said, what is measured, and where a search found something.

Everything here is plain lists, a value a shot, for whatever draws them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.search import Answer
from indexer.library import Library
from indexer.manifest import Manifest
from indexer.media.timecode import Clock
from indexer.tagging.tags import Tags, read_tags

if TYPE_CHECKING:
    import pandas as pd

QUIETEST_LUFS, LOUDEST_LUFS = -60.0, 0.0
"""What a loudness curve runs from and to: EBU R128 gates at -70, and no programme is above 0."""

MEASURES = {
    "loudness": "Loudness",
    "speech": "Speech",
    "music": "Music",
    "brightness": "Brightness",
    "motion": "Motion",
}
"""Columns of shots.parquet that are drawn as curves where a title has them, and their names."""


@dataclass(frozen=True)
class Curve:
    """Something measured of every shot, drawn from the bottom (0) to the top (1) of its lane."""

    name: str
    values: list[float | None]  # 0..1 a shot; None: not measured
    scale: str  # what 0 and 1 stand for


@dataclass(frozen=True)
class Tones:
    """The strongest tone of each shot, drawn as a band of colours."""

    names: list[str]  # the commonest first
    values: list[int | None]  # a shot's number in `names`; None: it carries none


@dataclass(frozen=True)
class Line:
    """Something that is said."""

    at_s: float
    shot: int
    text: str


@dataclass(frozen=True)
class Match:
    """Shots `[first, end)` that a search found together, and their score."""

    first: int
    end: int
    score: float  # 0..1
    is_good: bool  # above the confidence floor


@dataclass(frozen=True)
class Timeline:
    """A title's shots over time."""

    starts_s: list[float]
    ends_s: list[float]
    timecodes: list[str]  # of each shot's first frame; seconds for sound alone
    lines: list[Line]
    curves: list[Curve]
    tones: Tones | None = None  # None: its shots were not asked for tones, or carry none


def timeline_of(library: Library, manifest: Manifest) -> Timeline:
    """Return a title's timeline. Raises `OSError` where the title is being removed."""
    shots = library.shots(manifest.title_id).iloc[: manifest.num_shots]
    clock = Clock.of(manifest)
    starts_s = [round(float(start_s), 3) for start_s in shots["start_s"]]
    return Timeline(
        starts_s=starts_s,
        ends_s=[round(float(end_s), 3) for end_s in shots["end_s"]],
        timecodes=[
            clock.timecode(int(frame)) or f"{start_s:.2f} s"
            for frame, start_s in zip(shots["start_frame"], starts_s, strict=True)
        ],
        lines=_lines(shots),
        curves=[c for name in MEASURES if name in shots and (c := _curve(name, shots[name]))],
        tones=_tones(library, manifest),
    )


def matches_of(answer: Answer) -> list[Match]:
    """Return where an answer found something, in the order of the film."""
    found = [
        Match(*moment.shots, moment.score, is_good)
        for moments, is_good in ((answer.hits, True), (answer.weak, False))
        for moment in moments
    ]
    return sorted(found, key=lambda match: match.first)


def _tones(library: Library, manifest: Manifest) -> Tones | None:
    tags = read_tags(library.folder(manifest.title_id), manifest) or Tags("")
    strongest = tags.strongest("tone", manifest.num_shots)
    common = [tone for tone, _ in Counter(tone for tone in strongest if tone).most_common()]
    if not common:
        return None
    return Tones(common, [common.index(tone) if tone else None for tone in strongest])


def _lines(shots: pd.DataFrame) -> list[Line]:
    """Return what is said, when; a line whose time is not known stands where its shot begins."""
    if "dialogue" not in shots:
        return []
    times = shots["dialogue_at_s"] if "dialogue_at_s" in shots else [()] * len(shots)
    told = zip(shots["start_s"], shots["dialogue"], times, strict=True)
    return [
        Line(round(float(at_s), 3), shot, words)
        for shot, (start_s, dialogue, at) in enumerate(told)
        for words, at_s in _timed(str(dialogue or "").splitlines(), list(at), float(start_s))
    ]


def _timed(lines: list[str], times: list[float], start_s: float) -> Iterable[tuple[str, float]]:
    known = times if len(times) == len(lines) else [start_s] * len(lines)
    return zip(lines, known, strict=True)


def _curve(name: str, column: pd.Series[Any]) -> Curve | None:
    """Return a column as a curve; None where it holds no numbers."""
    try:
        measured = [None if _is_missing(value) else float(value) for value in column]
    except (TypeError, ValueError):
        return None
    there = [value for value in measured if value is not None]
    if not there:
        return None
    low, high, scale = 0.0, 1.0, "0 to 1"
    if name == "loudness":
        low, high, scale = QUIETEST_LUFS, LOUDEST_LUFS, "-60 to 0 LUFS"
    elif name == "motion":  # little of a picture changes: told beside the title's liveliest shot
        high = max(there) or 1.0
        scale = f"0 to {high:.2f}, the title's most"
    values = [
        None if v is None else round(min(max((v - low) / (high - low), 0.0), 1.0), 3)
        for v in measured
    ]
    return Curve(MEASURES[name], values, scale)


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))
