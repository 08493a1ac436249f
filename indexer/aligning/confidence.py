"""How sure each step of a path is, against every other path there is. Pure.

A path's odds grow exponentially with what it is worth. The share of all paths' odds that goes
through a step, by the forward-backward algorithm (Rabiner, A Tutorial on Hidden Markov Models,
1989, section III), is its confidence: two places that are alike halve it, neighbours that fit
raise it. It is as right as the bands are: it counts no evidence that they do not give.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from indexer.aligning.paths import Places, Prices
from indexer.aligning.worth import Worth

SHARPNESS = 3.0
"""How much more a nat of a search's evidence tells of footage that is the same: a search asks for
what is alike, and knows nothing surer. With it confidence was about as often right as it says."""

Odds = NDArray[np.float64]
Sure = NDArray[np.float64]
"""(num_clip_shots,) 0..1"""


def confidences(net_worth: Worth, prices: Prices, places: Places) -> tuple[Sure, Sure]:
    """Return how sure the place of each shot of the clip is, and how sure that it has none.

    Any block that shares a shot of the title with the path's counts for it. Where the path has no
    place for a shot, the first is 0.
    """
    num_blocks, num_shots, num_title_shots = net_worth.shape
    steps = _Steps(prices, num_title_shots)

    def odds_of(shot: int) -> Odds:
        return np.asarray(np.exp(SHARPNESS * net_worth[:, shot].astype(np.float64)))

    # By where the last match ended; the last place of all is "no match yet".
    before = [steps.beginning()]
    for shot in range(num_shots):
        before.append(_scaled(_forward(before[-1], odds_of(shot), steps)))
    after = np.ones(num_title_shots + 2)
    sure, sure_of_none = np.zeros(num_shots), np.zeros(num_shots)
    for shot in reversed(range(num_shots)):
        starts, odds = steps.onwards(before[shot]), odds_of(shot)
        through = [
            starts[: num_title_shots - k]
            * odds[k, : num_title_shots - k]
            * after[k + 1 : num_title_shots + 1]
            for k in range(num_blocks)
        ]
        none = float(before[shot] @ after)
        total = none + sum(float(each.sum()) for each in through)
        block = places[shot]
        sure[shot] = 0.0 if block is None else _sharing(through, block) / total
        sure_of_none[shot] = none / total
        after = _scaled(_backward(after, odds, steps))
    return sure, sure_of_none


class _Steps:
    """The odds of each step between two matches."""

    def __init__(self, prices: Prices, num_title_shots: int) -> None:
        self.stay = math.exp(-SHARPNESS * prices.stay)
        self.skip = math.exp(-SHARPNESS * prices.to_skip(num_title_shots))
        self.back = math.exp(-SHARPNESS * prices.to_go_back(num_title_shots))
        self.num_title_shots = num_title_shots

    def beginning(self) -> Odds:
        start = np.zeros(self.num_title_shots + 2)
        start[-1] = 1.0
        return start

    def onwards(self, before: Odds) -> Odds:
        """Return the odds of coming to each shot of the title."""
        ends, nowhere = before[:-1], before[-1]
        earlier = np.cumsum(ends) - ends  # ended before the shot, and not right before it
        later = ends.sum() - earlier[:-1] - ends[:-1] - ends[1:]
        reach = ends[:-1] + self.stay * ends[1:] + self.skip * (earlier[:-1] + nowhere)
        return np.asarray(reach + self.back * np.maximum(later, 0.0))

    def from_here(self, matched: Odds) -> Odds:
        """Return what is to come after each end, given what comes with each shot matched next."""
        following = np.append(matched, 0.0)
        again = np.append(0.0, matched)
        later = matched.sum() - np.cumsum(following)
        earlier = np.cumsum(following) - following - again
        ends = following + self.stay * again + self.skip * np.maximum(later, 0.0)
        ends += self.back * np.maximum(earlier, 0.0)
        return np.append(ends, self.skip * matched.sum())


def _forward(before: Odds, odds: Odds, steps: _Steps) -> Odds:
    starts = steps.onwards(before)
    found = before.copy()
    for k, row in enumerate(odds):
        length = len(row) - k
        found[k + 1 : len(row) + 1] += starts[:length] * row[:length]
    return found


def _backward(after: Odds, odds: Odds, steps: _Steps) -> Odds:
    matched = np.zeros(odds.shape[1])
    for k, row in enumerate(odds):
        length = len(row) - k
        matched[:length] += row[:length] * after[k + 1 : len(row) + 1]
    return after + steps.from_here(matched)


def _scaled(odds: Odds) -> Odds:
    return np.asarray(odds / odds.max())


def _sharing(through: list[Odds], block: tuple[int, int]) -> float:
    first, end = block
    return sum(float(each[max(0, first - k) : end].sum()) for k, each in enumerate(through))
