"""The fast way through a title, and its confidence, against all ways there are."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product

import numpy as np
import pytest

from indexer.aligning.confidence import SHARPNESS, confidences
from indexer.aligning.paths import PRICES, Block, Order, Places, Prices, best_path
from indexer.aligning.worth import Worth

SHAPE = (2, 4, 4)
"""Blocks of one or two shots, four shots of a clip, four of a title: 4096 ways."""


def ways() -> Iterator[Places]:
    num_blocks, num_shots, num_title_shots = SHAPE
    blocks = [(j, j + k + 1) for k in range(num_blocks) for j in range(num_title_shots - k)]
    yield from product([None, *blocks], repeat=num_shots)


def price(end: int | None, first: int, prices: Prices, *, cheapest: bool) -> float:
    """Return the price of going from where the last match ended to the next one's first shot."""
    skip, back = prices.to_skip(SHAPE[2]), prices.to_go_back(SHAPE[2])
    if end is None:
        return skip
    if first == end:
        return 0.0
    if first > end:
        return skip
    if first == end - 1:
        return min(prices.stay, back) if cheapest else prices.stay
    return back


def worth_of_way(way: Places, net_worth: Worth, prices: Prices, *, cheapest: bool) -> float:
    total, end = 0.0, None
    for shot, block in enumerate(way):
        if block is not None:
            total += float(net_worth[block[1] - block[0] - 1, shot, block[0]])
            total -= price(end, block[0], prices, cheapest=cheapest)
            end = block[1]
    return total


def some_worth(seed: int) -> Worth:
    worth = np.random.default_rng(seed).uniform(-1.5, 2.5, SHAPE).astype(np.float32)
    worth[1, :, -1] = -np.inf  # there is no second shot after the last
    return worth


@pytest.mark.parametrize("order", PRICES)
@pytest.mark.parametrize("seed", range(10))
def test_no_way_is_worth_more_than_the_best(seed: int, order: Order) -> None:
    worth, prices = some_worth(seed), PRICES[order]
    best, total = best_path(worth, prices)
    most = max(worth_of_way(way, worth, prices, cheapest=True) for way in ways())
    assert total == pytest.approx(most, abs=1e-4)
    assert worth_of_way(best, worth, prices, cheapest=True) == pytest.approx(most, abs=1e-4)


@pytest.mark.parametrize("order", PRICES)
@pytest.mark.parametrize("seed", range(3))
def test_confidence_is_a_share_of_all_ways(seed: int, order: Order) -> None:
    worth, prices = some_worth(seed), PRICES[order]
    best, _ = best_path(worth, prices)
    sure, sure_of_none = confidences(worth, prices, best)
    through, nowhere, total = np.zeros(SHAPE[1]), np.zeros(SHAPE[1]), 0.0
    for way in ways():
        odds = math.exp(SHARPNESS * worth_of_way(way, worth, prices, cheapest=False))
        total += odds
        for shot, block in enumerate(way):
            nowhere[shot] += odds * (block is None)
            through[shot] += odds * shares(block, best[shot])
    np.testing.assert_allclose(sure, through / total, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(sure_of_none, nowhere / total, rtol=1e-6, atol=1e-12)


def shares(block: Block | None, other: Block | None) -> bool:
    return block is not None and other is not None and block[0] < other[1] and other[0] < block[1]
