"""What to ask next: four feeds of shots that nobody has answered yet. Pure.

Annotators who see the likeliest, the unlikeliest, the undecided and some of chance correct a
classifier where it is sure and wrong, and where it cannot tell (Video Annotator, arXiv 2402.06560).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Feed = Literal["likely", "unlikely", "borderline", "chance"]
FEEDS: tuple[Feed, ...] = get_args(Feed)
APART = 3
"""Shots of one title that stand nearer to one another are much the same: one of them is asked."""


def feeds_of(
    scores: NDArray[np.float32],
    title: NDArray[np.int32],
    answered: NDArray[np.bool_],
    *,
    each: int,
    seed: int,
) -> dict[Feed, list[int]]:
    """Return the places of up to `each` shots a feed, best first, none of them twice.

    `scores` (num_shots,) are how sure it is that the label holds, 0..1; `title` (num_shots,) which
    title a shot is of; `answered` shots, and those beside them, are not asked again. `seed` draws
    what comes by chance.
    """
    free = ~beside(answered, title)
    orders = {
        "likely": np.argsort(-scores, kind="stable"),
        "borderline": np.argsort(np.abs(scores - 0.5), kind="stable"),
        "unlikely": np.argsort(scores, kind="stable"),
        "chance": np.random.default_rng(seed).permutation(len(scores)),
    }
    found: dict[Feed, list[int]] = {feed: [] for feed in FEEDS}
    # In turn, so that what two feeds want goes to neither of them alone.
    candidates = {feed: _free(orders[feed], free, title) for feed in FEEDS}
    for _ in range(each):
        for feed in FEEDS:
            place = next(candidates[feed], None)
            if place is not None:
                found[feed].append(place)
    return found


def beside(answered: NDArray[np.bool_], title: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Return which shots are answered, or stand near one of their title that is: (num_shots,)."""
    near = answered.copy()
    for place in np.flatnonzero(answered).tolist():
        near[_around(place, title)] = True
    return near


def _free(
    order: NDArray[np.int64], free: NDArray[np.bool_], title: NDArray[np.int32]
) -> Iterator[int]:
    for place in order.tolist():
        if free[place]:
            free[_around(place, title)] = False
            yield place


def _around(place: int, title: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return the places of a shot and of those near it in its title."""
    near = np.arange(max(0, place - APART + 1), min(len(title), place + APART))
    return np.asarray(near[title[near] == title[place]], np.int64)
