"""What a shot is worth without labels, and where scenes part."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from indexer.promotion.scenes import parted
from indexer.promotion.worth import measures_of, stands_out, surprise


def test_surprise_is_how_far_the_expectation_misses() -> None:
    seen = np.array([[1, 0], [1, 0], [0, 2], [0, 0]], np.float32)
    expected = np.array([[2, 0], [0, 1], [0, -1], [1, 0]], np.float32)
    assert surprise(seen, expected)[:3] == pytest.approx([0, 1, 2])
    assert np.isnan(surprise(seen, expected)[3])


def test_a_measure_is_a_rank_and_one_that_is_missing_says_nothing() -> None:
    """Motion ranks 0, 1, 1/2; the middle shot was not heard; nobody knows of speech."""
    shots = pd.DataFrame({"motion": [0.1, 0.9, 0.3], "loudness": [-10.0, None, -50.0]})
    told = measures_of(shots, np.array([0.2, 0.2, 0.2]))
    assert told["motion"].tolist() == [0, 1, 0.5]
    assert told["surprise"].tolist() == [0.5, 0.5, 0.5]
    assert told["loudness"].tolist()[::2] == [1, 0]
    assert np.isnan(told["loudness"][1])
    assert np.isnan(told["speech"]).all()
    # motion, surprise, loudness count 1 each: (0 + .5 + 1) / 3; (1 + .5) / 2; (.5 + .5 + 0) / 3
    assert stands_out(told) == pytest.approx([0.5, 0.75, 1 / 3])


def test_a_shot_is_loud_beside_those_around_it() -> None:
    """The first half is loud throughout, and the peak is in the quiet half."""
    loudness = [-10.0] * 20 + [-40.0] * 10 + [-30.0] + [-40.0] * 10
    told = measures_of(pd.DataFrame({"loudness": loudness}), np.full(41, np.nan))
    assert int(np.argmax(told["loudness"][25:])) + 25 == 30
    assert told["loudness"][30] > told["loudness"][5]


def test_scenes_part_where_shots_become_others() -> None:
    """Three looks, of five, two and eight shots, each a little unlike its neighbours."""
    random = np.random.default_rng(0)
    looks = np.eye(8)[[0] * 5 + [1] * 2 + [2] * 8]
    shots = (looks + 0.05 * random.standard_normal(looks.shape)).astype(np.float32)
    assert parted(shots) == [(0, 5), (5, 7), (7, 15)]


@pytest.mark.parametrize("num_shots", [1, 2, 3])
def test_shots_that_are_the_same_are_one_scene(num_shots: int) -> None:
    assert parted(np.ones((num_shots, 4), np.float32)) == [(0, num_shots)]
    assert parted(np.zeros((num_shots, 4), np.float32)) == [(0, num_shots)]


def test_scenes_are_the_cheapest_of_all_ways_to_part() -> None:
    """Against every way to part seven shots, one by one."""
    shots = np.random.default_rng(3).standard_normal((7, 3)).astype(np.float32)
    apart = np.median(np.sum(np.diff(shots, axis=0) ** 2, axis=1)) / 2

    def cost(cuts: list[int]) -> float:
        edges = [0, *cuts, 7]
        runs = [shots[a:b] for a, b in pairwise(edges)]
        return sum(float(np.sum((run - run.mean(axis=0)) ** 2)) + 1.2 * apart for run in runs)

    ways = [[c for c in range(1, 7) if mask >> c & 1] for mask in range(0, 128, 2)]
    best = min(ways, key=cost)
    assert [first for first, _ in parted(shots, price=1.2)][1:] == best
