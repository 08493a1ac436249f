"""A few stretches of a title, the best, unlike one another, that last so long together. Pure.

A stretch runs from cut to cut. Where that would be too long, it begins on a cut and ends inside
the shot.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from indexer.encoders.protocol import Vectors, unit

Floats = NDArray[np.float64]
Bounds = NDArray[np.int64]
"""(num_shots, 2): each shot's first frame and the one after its last"""

SHORTEST, LONGEST = 0.6, 1.6
"""How long a stretch may be, in parts of what it would be if all were equally long."""
UNEVEN = 0.25
"""What it costs a stretch, in worth, to be twice as long as that, or nothing."""
TRIMMED = 0.15
"""What it costs a stretch, in worth, to end inside a shot."""
FULL = 0.95
"""Stretches that last this much of what was asked for are long enough; then worth decides."""
VARIETY = 0.3
"""How much likeness counts against worth."""
REACH = 4
"""By how many shots a chosen stretch may begin or end elsewhere, to fill the time."""
STEPS = 300
"""Into so many parts the time is divided when it is filled."""


@dataclass(frozen=True)
class Stretch:
    """Frames `[start_frame, end_frame)` of shots `[first, end)`."""

    first: int
    end: int
    start_frame: int
    end_frame: int
    worth: float  # the mean of its shots by their length, 0..1, less what a trim costs

    @property
    def num_frames(self) -> int:
        """How long it is."""
        return self.end_frame - self.start_frame


@dataclass(frozen=True)
class Shots:
    """A title's shots as stretches are made of them."""

    bounds: Bounds
    worth: Floats  # (num_shots,) 0..1
    usable: NDArray[np.bool_]  # (num_shots,) may be shown
    vectors: Vectors  # (num_shots, dim) by which stretches are alike

    def stretch(self, first: int, end: int) -> Stretch:
        """Return shots `[first, end)` whole."""
        bounds = self.bounds[first:end]
        worth = float(np.average(self.worth[first:end], weights=bounds[:, 1] - bounds[:, 0]))
        return Stretch(first, end, int(bounds[0, 0]), int(bounds[-1, 1]), worth)

    def at_most(self, first: int, num_frames: int) -> Stretch:
        """Return so many frames from a shot's cut on, or fewer where what can be shown ends."""
        limit, end = int(self.bounds[first, 0]) + num_frames, first + 1
        while end < len(self.bounds) and self.usable[end] and self.bounds[end, 0] < limit:
            end += 1
        whole = self.stretch(first, end)
        if whole.end_frame <= limit:
            return whole
        return replace(whole, end_frame=limit, worth=whole.worth - TRIMMED)


def best_stretches(shots: Shots, *, count: int, num_frames: int) -> list[Stretch]:
    """Return at most `count` stretches of at most `num_frames` in all, the best first.

    Fewer where the usable shots give no more; two never touch. Which is next best is decided by
    maximal marginal relevance, as a search's variety is (`qdrant/variety.py`); how long each is, by
    which lengths fill the time best.
    """
    each = num_frames // count
    if each < 1:
        return []
    starts = np.flatnonzero(shots.usable).tolist()
    pool = [
        max(_from(shots, first, each), key=lambda one: one.worth - _uneven(one, each))
        for first in starts
    ]
    return _fitted(shots, _varied(shots, pool, count, each), each, num_frames)


def _from(shots: Shots, first: int, each: int) -> Iterator[Stretch]:
    """Yield the stretches that begin with a shot and are about so many frames long."""
    yield shots.at_most(first, each)
    for end in range(first + 1, len(shots.bounds) + 1):
        length = int(shots.bounds[end - 1, 1] - shots.bounds[first, 0])
        if not shots.usable[end - 1] or length > LONGEST * each:
            return
        if length >= SHORTEST * each:
            yield shots.stretch(first, end)


def _uneven(stretch: Stretch, each: int) -> float:
    return UNEVEN * abs(stretch.num_frames - each) / each


def _varied(shots: Shots, pool: Sequence[Stretch], count: int, each: int) -> list[Stretch]:
    """Return the stretches chosen of the pool, in the order they were chosen."""
    own = unit(shots.vectors - shots.vectors.mean(axis=0))  # what all have in common tells nothing
    summed = np.vstack([np.zeros((1, own.shape[1])), np.cumsum(own, axis=0, dtype=np.float64)])
    firsts, ends = (np.array([getattr(one, n) for one in pool], int) for n in ("first", "end"))
    looks = unit(summed[ends] - summed[firsts])
    worth = np.array([one.worth - _uneven(one, each) for one in pool])
    likeness, free = np.zeros(len(pool)), np.ones(len(pool), bool)
    chosen: list[Stretch] = []
    while free.any() and len(chosen) < count:
        gain = (1 - VARIETY) * worth - VARIETY * likeness
        best = int(np.argmax(np.where(free, gain, -np.inf)))
        chosen.append(pool[best])
        likeness = np.maximum(likeness, looks @ looks[best])
        free &= (firsts > ends[best]) | (ends < firsts[best])
    return chosen


def _fitted(shots: Shots, chosen: Sequence[Stretch], each: int, num_frames: int) -> list[Stretch]:
    """Return the chosen with their ends moved, so that together they fill the time best.

    As in a knapsack with one thing of each kind: the most worth among what fills `FULL` of the
    time, else the longest. Each keeps to its side of the middle between its neighbours.
    """
    in_order = sorted(chosen, key=lambda one: one.first)
    edges = [0, *(_middle(a, b) for a, b in pairwise(in_order)), len(shots.bounds) + 1]
    kinds = [
        list(_moved(shots, one, each, zone))
        for one, zone in zip(in_order, pairwise(edges), strict=True)
    ]
    shortest = [min(one.num_frames for one in kind) for kind in kinds]
    step = max(1, num_frames // STEPS)
    reached: dict[int, tuple[float, int, tuple[Stretch, ...]]] = {0: (0.0, 0, ())}
    for number, kind in enumerate(kinds, start=1):
        room = num_frames - sum(shortest[number:])
        further: dict[int, tuple[float, int, tuple[Stretch, ...]]] = {}
        for worth, taken, so_far in reached.values():
            for one in kind:
                total, better = taken + one.num_frames, worth + one.worth
                known = further.get(total // step)
                if total <= room and (known is None or better > known[0]):
                    further[total // step] = better, total, (*so_far, one)
        reached = further
    full = [way for way in reached.values() if way[1] >= FULL * num_frames]
    best = max(full) if full else max(reached.values(), key=lambda way: way[1])
    return sorted(best[2], key=lambda one: (-one.worth, one.first))


def _moved(shots: Shots, chosen: Stretch, each: int, zone: tuple[int, int]) -> Iterator[Stretch]:
    """Yield a chosen stretch as it is, short, and with its ends at other cuts of its zone."""
    yield chosen
    yield shots.at_most(chosen.first, each)
    for first in range(
        max(zone[0], chosen.first - REACH), min(chosen.first + REACH + 1, chosen.end)
    ):
        for one in _from(shots, first, each) if shots.usable[first] else ():
            if chosen.first < one.end < zone[1] and abs(one.end - chosen.end) <= REACH:
                yield one


def _middle(one: Stretch, other: Stretch) -> int:
    """Return the first shot that belongs to the other's side; one between them stays free."""
    return max(one.end + 1, (one.end + other.first + 1) // 2)
