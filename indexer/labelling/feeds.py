"""What to ask next: four feeds of shots that nobody has answered yet. Pure.

Annotators who see the likeliest, the unlikeliest, the undecided and some of chance correct a
classifier where it is sure and wrong, and where it cannot tell (Video Annotator, arXiv 2402.06560).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Feed = Literal["likely", "unlikely", "borderline", "chance"]
APART = 3
"""Shots of one title that stand nearer to one another are much the same: one of them is asked."""


def feeds_of(
    scores: NDArray[np.float32],
    title: NDArray[np.int32],
    answered: NDArray[np.bool_],
    *,
    each: Mapping[Feed, int],
    seed: int,
) -> dict[Feed, list[int]]:
    """Return the places of so many shots a feed as `each` says, best first, none of them twice.

    `scores` (num_shots,) are how sure it is that the label holds, 0..1; `title` (num_shots,) which
    title a shot is of. What is `answered` (num_shots,) is not asked again, and what stands near it,
    or near what is asked, only where nothing else is left. `seed` draws what comes by chance.
    """
    orders: dict[Feed, NDArray[np.int64]] = {
        "likely": np.argsort(-scores, kind="stable"),
        "borderline": np.argsort(np.abs(scores - 0.5), kind="stable"),
        "unlikely": np.argsort(scores, kind="stable"),
        "chance": np.random.default_rng(seed).permutation(len(scores)),
    }
    free, apart = ~answered, ~answered
    for place in np.flatnonzero(answered).tolist():
        apart[_around(place, title)] = False
    found: dict[Feed, list[int]] = {feed: [] for feed in each}
    # In turn, so that what two feeds want goes to neither of them alone.
    candidates = {feed: _candidates(orders[feed], free, apart, title) for feed in each}
    for turn in range(max(each.values())):
        for feed, number in each.items():
            if turn < number and (following := next(candidates[feed], None)) is not None:
                found[feed].append(following)
    return found


def _candidates(
    order: NDArray[np.int64],
    free: NDArray[np.bool_],
    apart: NDArray[np.bool_],
    title: NDArray[np.int32],
) -> Iterator[int]:
    """Yield places in an order, those that stand apart first; each is marked as taken."""
    for may_be in (apart, free):
        for place in order.tolist():
            if may_be[place]:
                free[place] = False
                apart[_around(place, title)] = False
                yield place


def _around(place: int, title: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return the places of a shot and of those near it in its title."""
    near = np.arange(max(0, place - APART + 1), min(len(title), place + APART))
    return np.asarray(near[title[near] == title[place]], np.int64)
