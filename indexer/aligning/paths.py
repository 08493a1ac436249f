"""The way of a clip through a title that is worth most: dynamic programming over shots. Pure.

Subsequence alignment as in dynamic time warping (Mueller, Information Retrieval for Music and
Motion, 2007, section 4.4), with the gaps and the way back of local alignment (Smith and Waterman,
1981). Unlike these it gives every shot of the clip a place or none, for end cards and other
people's pictures, and may go back to an earlier place, at a price.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from indexer.aligning.worth import Worth

Block = tuple[int, int]
"""The title's shots `[first, end)`."""

Places = tuple[Block | None, ...]
"""Where each shot of a clip comes from; None: from nowhere in this title."""

Nats = NDArray[np.float32]


@dataclass(frozen=True)
class Prices:
    """What each step takes off, in nats. To go on to the very next shot costs nothing."""

    match: float = 0.6  # what it must be worth to be taken for a shot at all
    stay: float = 1.0  # in the same shot: the clip has a cut the title has not
    further: float = 1.0  # for each further shot that is one in the clip
    skip: float = 0.1  # times log(num_title_shots): ahead, however far; the first place too
    back: float | None = None  # times the same, beside the skip; None: never back

    def to_skip(self, num_title_shots: int) -> float:
        """Return the price of going ahead: in a long title more is alike by chance."""
        return self.skip * math.log(max(num_title_shots, 1))

    def to_go_back(self, num_title_shots: int) -> float:
        """Return the price of going back; infinite where the order is kept."""
        if self.back is None:
            return math.inf
        return self.to_skip(num_title_shots) + self.back * math.log(max(num_title_shots, 1))


Order = Literal["in order", "any order"]
PRICES: Mapping[Order, Prices] = {"in order": Prices(), "any order": Prices(back=0.1)}
"""Chosen on one trailer and five re-cuts with the offline profile: a first guess for others."""


def net(worth: Worth, prices: Prices) -> Worth:
    """Return what is left of each pair's worth when it has been paid to be taken for a match."""
    further = prices.further * np.arange(len(worth), dtype=np.float32)
    return np.asarray(worth - (np.float32(prices.match) + further)[:, None, None])


def best_path(net_worth: Worth, prices: Prices) -> tuple[Places, float]:
    """Return where each shot of the clip comes from, and what all of it is worth, in nats.

    `best[p]` is the best way so far whose last match ended before the title's shot `p`; `nowhere`
    one without any match has earned nothing. A row of the clip costs a few passes over the title.
    """
    num_blocks, num_shots, num_title_shots = net_worth.shape
    skip = np.float32(prices.to_skip(num_title_shots))
    back = np.float32(prices.to_go_back(num_title_shots))
    best = np.full(num_title_shots + 1, -np.inf, np.float32)
    came_from = np.empty((num_shots, num_title_shots), np.int32)
    taken = np.full((num_shots, num_title_shots + 1), -1, np.int8)  # block length - 1; -1: none
    for shot in range(num_shots):
        reach, came_from[shot] = _reach(best, skip, back, np.float32(prices.stay))
        for k in range(num_blocks):
            ending = reach[: num_title_shots - k] + net_worth[k, shot, : num_title_shots - k]
            better = ending > best[k + 1 :]
            best[k + 1 :][better] = ending[better]
            taken[shot, k + 1 :][better] = k
    return _walk_back(best, came_from, taken)


def _reach(
    best: Nats, skip: np.float32, back: np.float32, stay: np.float32
) -> tuple[Nats, NDArray[np.int32]]:
    """Return the best way to come to each shot of the title, and the end it comes from; -1: none.

    `best` (num_title_shots + 1,) is by where the last match ended.
    """
    num_title_shots = len(best) - 1
    places = np.arange(num_title_shots, dtype=np.int32)
    reach = np.full(num_title_shots, -skip, np.float32)
    source = np.full(num_title_shots, -1, np.int32)

    def take(offered: Nats, where: NDArray[np.int32]) -> None:
        better = offered > reach
        reach[better] = offered[better]
        source[better] = where[better]

    highest = np.maximum.accumulate(best[:-1])
    last_rise = np.where(best[:-1] >= highest, places, 0)
    take(highest - skip, np.maximum.accumulate(last_rise))
    if np.isfinite(back):
        top = int(best.argmax())
        take(np.full(num_title_shots, best[top] - back, np.float32), np.full_like(places, top))
    take(best[1:] - stay, places + 1)
    take(best[:-1], places)
    return reach, source


def _walk_back(
    best: Nats, came_from: NDArray[np.int32], taken: NDArray[np.int8]
) -> tuple[Places, float]:
    end = int(best.argmax())
    total = float(best[end])
    if total <= 0:
        return (None,) * len(taken), 0.0
    path: list[Block | None] = []
    for shot in reversed(range(len(taken))):
        k = int(taken[shot, end]) if end >= 0 else -1
        if k < 0:
            path.append(None)
            continue
        first = end - k - 1
        path.append((first, end))
        end = int(came_from[shot, first])
    return tuple(reversed(path)), total
