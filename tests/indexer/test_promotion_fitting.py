"""Stretches fitted to a count and a length: on cuts, apart, the best, within the time."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from indexer.promotion.fitting import Shots, Stretch, best_stretches


def shots_of(lengths: list[int], worth: list[float], *, hidden: tuple[int, ...] = ()) -> Shots:
    """Shots of these lengths in frames, each unlike any other."""
    ends = np.cumsum(lengths)
    usable = np.ones(len(lengths), bool)
    usable[list(hidden)] = False
    return Shots(
        bounds=np.stack([ends - lengths, ends], axis=1).astype(np.int64),
        worth=np.array(worth, float),
        usable=usable,
        vectors=np.eye(len(lengths), dtype=np.float32),
    )


def spans(found: list[Stretch]) -> list[tuple[int, int]]:
    return [(one.start_frame, one.end_frame) for one in found]


def test_the_best_shots_come_best_first_and_never_touch() -> None:
    """Ten shots of 10 frames; the third is best, the fourth is next but touches it."""
    shots = shots_of([10] * 10, [0.1, 0.1, 0.9, 0.8, 0.1, 0.1, 0.1, 0.7, 0.1, 0.1])
    assert spans(best_stretches(shots, count=2, num_frames=20)) == [(20, 30), (70, 80)]


def test_neighbours_join_where_a_shot_is_too_short() -> None:
    """20 frames each are asked for: shots 2 and 3 together, 5 and 6 together."""
    shots = shots_of([10] * 8, [0, 0, 0.9, 0.9, 0, 0.8, 0.8, 0])
    assert spans(best_stretches(shots, count=2, num_frames=40)) == [(20, 40), (50, 70)]


def test_a_long_shot_is_begun_on_its_cut_and_ends_inside() -> None:
    shots = shots_of([100, 100, 100], [0.1, 0.9, 0.1])
    assert spans(best_stretches(shots, count=1, num_frames=24)) == [(100, 124)]


def test_what_cannot_be_shown_is_never_part_of_a_stretch() -> None:
    shots = shots_of([10] * 6, [0.1, 1, 1, 1, 0.1, 0.1], hidden=(1, 2, 3))
    [one] = best_stretches(shots, count=1, num_frames=20)
    assert (one.start_frame, one.end_frame) == (40, 60)


def test_likeness_counts_against_what_is_next() -> None:
    """Shots 0, 2 and 4 are good; 2 looks as 0 does, so 4 comes though it is worth a little less."""
    shots = shots_of([10] * 6, [0.9, 0, 0.8, 0, 0.7, 0])
    shots.vectors[2] = shots.vectors[0]
    assert spans(best_stretches(shots, count=2, num_frames=20)) == [(0, 10), (40, 50)]


def test_the_time_is_filled_and_never_passed() -> None:
    random = np.random.default_rng(5)
    for _ in range(20):
        lengths = random.integers(5, 120, size=60).tolist()
        shots = shots_of(lengths, random.random(60).tolist())
        found = best_stretches(shots, count=6, num_frames=360)
        assert len(found) == 6
        assert 0.9 * 360 <= sum(one.num_frames for one in found) <= 360
        cuts = {0, *np.cumsum(lengths).tolist()}
        assert all(one.start_frame in cuts for one in found)
        ordered = sorted(found, key=lambda one: one.first)
        assert all(a.end < b.first for a, b in pairwise(ordered))


@pytest.mark.parametrize(("lengths", "num_found"), [([48], 1), ([10, 10], 1), ([1, 1, 1], 2)])
def test_a_title_of_few_shots_gives_what_it_has(lengths: list[int], num_found: int) -> None:
    found = best_stretches(shots_of(lengths, [0.5] * len(lengths)), count=6, num_frames=720)
    assert 1 <= len(found) <= num_found
    assert best_stretches(shots_of([10], [0.5]), count=6, num_frames=3) == []
