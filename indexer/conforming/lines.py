"""Which frame of the film each frame of a trailer shows: straight lines through their likeness.

A piece of a trailer that was cut from a film, slowed or hastened, shows the film's frame
`pace * t + offset` at its own frame `t`. Windows of a second propose lines, each is grown as far as
it holds, and fitted again over all of that.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from indexer.conforming.blocks import Blocks, likeness, likeness_in_pairs
from indexer.conforming.footage import Footage
from indexer.conforming.framing import Box

SPEEDS = (0.5, 2.0)
NUM_SPEEDS = 19
"""Steps of four hundredths: within a window of a second they are half a frame apart."""
PLAIN_SPEEDS = (1.0, 0.5, 2.0, 0.75, 1.5, 0.8, 1.25)
"""What people set; taken where it fits as well as any other."""
AS_WELL = 0.002
OF_USUAL, OF_PLAIN, DRIFT_FRAMES = 0.06, 0.01, 1.0
"""How far from a plain speed, in its share or by the ends, one may be that stands for it; further
from the film's own, which nearly all of a trailer has."""
SLOPE = 0.002
"""What each doubling of the speed takes off: in a picture that stands still all speeds fit."""
LINES_A_WINDOW = 2
APART_FRAMES = 8
LEAST_ALIKE = 0.2
"""Likeness on the mean of a window, 0..1, below which there is no line."""
HOLDS = 0.22
"""Likeness below which a line has ended; over `SMOOTH_FRAMES`, for single frames may be bad."""
SMOOTH_FRAMES = 7
FITTED_FRAMES = 72
"""So many frames of a run are looked at to fit a line, evenly spread."""
STEPS = (8.0, 4.0, 2.0, 1.0, 0.5)
"""Frames by which a line's ends are moved, from coarse to fine."""
OFFSETS = np.arange(-2.0, 2.25, 0.25)
"""Frames by which a line of a plain speed is moved to fit."""
SAME_FRAMES = 2.5
"""Two lines that are nowhere further apart in a run are one."""

Span = tuple[int, int]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Line:
    """A straight map from frames of the trailer to frames of a film."""

    footage: Footage
    framing: Box
    pace: float  # frames of the film a frame of the trailer
    offset: float
    run: Span  # the trailer's frames that it was fitted on
    alike: float = 0.0  # 0..1, on the mean of the run

    def frames(self, clip_frames: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the film's frames that these of the trailer show."""
        # From a whole number on, halves would be rounded by how floats happen to fall.
        shown = np.floor(self.pace * clip_frames + self.offset + 0.5 + 1e-6)
        return np.asarray(shown, np.int64)


def lines_in(
    window: NDArray[np.int64], clip: Blocks, footage: Footage, framing: Box, *, rates: float
) -> list[Line]:
    """Return the likeliest lines through a window of the trailer's frames.

    `rates` is the film's frame rate over the trailer's: the pace at which it runs as fast.
    """
    alike = likeness(clip[window], footage.blocks(framing))
    length, num_frames = alike.shape
    places = window - window[0]
    found: list[tuple[float, float, float]] = []
    for speed in np.geomspace(*SPEEDS, NUM_SPEEDS):
        pace = float(speed) * rates
        steps = np.floor(pace * places + 0.5).astype(np.int64)
        starts = num_frames - int(steps[-1])
        if starts <= 0:
            continue
        score = sum(alike[row, step : step + starts] for row, step in enumerate(steps)) / length
        score = np.asarray(score) - SLOPE * abs(np.log2(speed))
        for start in np.argsort(-score)[:LINES_A_WINDOW]:
            found.append((float(score[start]), pace, float(start)))
    lines: list[Line] = []
    middle = float(places[-1]) / 2
    taken: list[float] = []
    for score, pace, start in sorted(found, reverse=True):
        at = start + pace * middle
        if score < LEAST_ALIKE or len(lines) == LINES_A_WINDOW:
            break
        if all(abs(at - other) >= APART_FRAMES for other in taken):
            taken.append(at)
            offset = footage.first_frame + start - pace * float(window[0])
            run = int(window[0]), int(window[-1]) + 1
            lines.append(Line(footage, framing, pace, offset, run, score))
    return lines


def along(line: Line, clip: Blocks, frames: NDArray[np.int64]) -> Floats:
    """Return how alike the trailer's frames and the line's are, 0..1; NaN outside the footage."""
    shown = line.frames(frames)
    inside = line.footage.holds(shown)
    alike = np.full(len(frames), np.nan, np.float32)
    film = line.footage.blocks(line.framing)[shown[inside] - line.footage.first_frame]
    alike[inside] = likeness_in_pairs(clip[frames[inside]], film)
    return alike


def grown(line: Line, clip: Blocks, is_seen: NDArray[np.bool_], *, rates: float) -> Line:
    """Return a line fitted over all of the trailer around its run in which it holds."""
    for _ in range(2):
        line = fitted(line, clip, is_seen, rates=rates)
        line = replace(line, run=_run(line, clip, is_seen))
    return fitted(line, clip, is_seen, rates=rates)


def _run(line: Line, clip: Blocks, is_seen: NDArray[np.bool_]) -> Span:
    """Return the frames around a line's run in which it holds; dark ones do not end it."""
    frames = np.arange(len(clip))
    alike = along(line, clip, frames)
    outside = np.isnan(alike)
    alike = np.where(is_seen | outside, np.nan_to_num(alike), HOLDS)
    padded = np.pad(alike, SMOOTH_FRAMES // 2, mode="edge")
    smooth = np.convolve(padded, np.full(SMOOTH_FRAMES, 1 / SMOOTH_FRAMES), mode="valid")
    breaks = np.flatnonzero((smooth < HOLDS - 1e-6) | outside)
    middle = sum(line.run) // 2
    before, after = breaks[breaks < middle], breaks[breaks >= middle]
    start = int(before[-1]) + 1 if len(before) else 0
    end = int(after[0]) if len(after) else len(clip)
    return (start, end) if end - start >= line.run[1] - line.run[0] else line.run


def fitted(line: Line, clip: Blocks, is_seen: NDArray[np.bool_], *, rates: float) -> Line:
    """Return the line that fits its run best, near this one; at a plain speed if that does."""
    frames = np.arange(*line.run)
    frames = frames[is_seen[frames]]
    if not len(frames):
        return line
    if len(frames) > FITTED_FRAMES:
        frames = frames[np.linspace(0, len(frames) - 1, FITTED_FRAMES).astype(np.int64)]
    first, last = int(frames[0]), int(frames[-1])
    length = max(1, last - first)

    def through(start: float, end: float) -> Line:
        pace = (end - start) / length
        return replace(line, pace=pace, offset=start - pace * first)

    def score(candidate: Line) -> float:
        speed = candidate.pace / rates
        if not SPEEDS[0] * 0.98 <= speed <= SPEEDS[1] * 1.02:
            return -1.0
        alike = np.nan_to_num(along(candidate, clip, frames)).mean()
        return float(alike - SLOPE * abs(math.log2(speed)))

    best, best_score = line, score(line)
    ends = [line.pace * frame + line.offset for frame in (first, last)]
    for step in STEPS:
        moved = True
        while moved:
            moved = False
            for by in itertools.product((-step, 0.0, step), repeat=2):
                candidate = through(ends[0] + by[0], ends[1] + by[1])
                found = score(candidate)
                if found > best_score + 1e-5:
                    best, best_score, best_ends, moved = candidate, found, by, True
            if moved:
                ends = [end + by for end, by in zip(ends, best_ends, strict=True)]
    plain = _plainly(best, best_score, frames, score, rates=rates)
    return replace(plain, alike=float(np.nan_to_num(along(plain, clip, frames)).mean()))


def _plainly(
    best: Line,
    best_score: float,
    frames: NDArray[np.int64],
    score: Callable[[Line], float],
    *,
    rates: float,
) -> Line:
    """Return the line of a plain speed that fits as well as the best, or the best."""
    middle = float(frames.mean())
    at = best.pace * middle + best.offset
    for speed in PLAIN_SPEEDS:
        pace = speed * rates
        drift = abs(pace - best.pace) * (frames[-1] - frames[0]) / 2
        near = OF_USUAL if speed == 1.0 else OF_PLAIN
        if abs(pace / best.pace - 1) > near and drift > DRIFT_FRAMES:
            continue
        offsets = np.round((at - pace * middle + OFFSETS) * 4) / 4
        scores = np.array([score(replace(best, pace=pace, offset=one)) for one in offsets])
        if scores.max() >= best_score - AS_WELL:
            ties = offsets[scores >= scores.max() - 1e-5]
            return replace(best, pace=pace, offset=float(ties[len(ties) // 2]))
    return best


def different(lines: Iterable[Line]) -> list[Line]:
    """Return lines of which no two say the same, the most alike and longest first."""
    kept: list[Line] = []
    for line in sorted(lines, key=lambda one: -one.alike * (one.run[1] - one.run[0]) ** 0.5):
        if not any(says_the_same(line, other) for other in kept):
            kept.append(line)
    return kept


def says_the_same(line: Line, other: Line) -> bool:
    """Whether one says in its run what the other says, too."""
    if line.footage is not other.footage or line.framing != other.framing:
        return False
    if line.run[0] < other.run[0] - SAME_FRAMES or line.run[1] > other.run[1] + SAME_FRAMES:
        return False
    ends = (line.run[0], line.run[1] - 1)
    apart = [line.pace * t + line.offset - other.pace * t - other.offset for t in ends]
    return max(map(abs, apart)) <= SAME_FRAMES
