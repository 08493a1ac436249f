"""Where a title may be interrupted, on shots written down by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd

from indexer.promotion.breaks import Break
from indexer.promotion.breaks import breaks_between as between
from indexer.promotion.scenes import parted

SHOT_S = 20.0


def shots_of(num_shots: int, **columns: list[object]) -> pd.DataFrame:
    """Shots of 20 s at 24 frames a second, bright, loud and wordless unless told otherwise."""
    starts = np.arange(num_shots) * SHOT_S
    shots = {
        "start_s": starts,
        "end_s": starts + SHOT_S,
        "start_frame": (starts * 24).astype(int),
        "end_frame": ((starts + SHOT_S) * 24).astype(int),
        "brightness": [0.5] * num_shots,
        "silent": [False] * num_shots,
    }
    return pd.DataFrame({**shots, **columns})


def looks(*ways: int) -> np.ndarray:
    """A vector a shot: which of a few ways it looks, and a little of its own."""
    random = np.random.default_rng(0)
    return np.float32(np.eye(6)[list(ways)] + 0.01 * random.standard_normal((len(ways), 6)))


def breaks_between(shots: pd.DataFrame, vectors: np.ndarray) -> list[Break]:
    return between(shots, vectors, [first for first, _ in parted(vectors)])


SAME = np.ones((8, 6), np.float32)
TWO_SCENES = looks(0, 0, 0, 0, 1, 1, 1, 1)


def test_a_break_is_where_a_scene_begins() -> None:
    [found] = breaks_between(shots_of(8), TWO_SCENES)
    assert (found.shot, found.frame, found.at_s) == (4, 1920, 80.0)
    assert (found.signs, found.turn, found.quality) == (("scene",), 1.0, 0.6)


def test_silence_and_black_make_it_better_and_black_is_one_break() -> None:
    """The fifth shot is black and silent: the break is where it begins, not where it ends."""
    dark = shots_of(9, brightness=[0.5] * 4 + [0.01] + [0.5] * 4, silent=[False] * 4 + [True] + [False] * 4)  # fmt: skip  # noqa: E501
    found = breaks_between(dark, looks(0, 0, 0, 0, 5, 1, 1, 1, 1))
    best = max(found, key=lambda one: one.quality)
    assert (best.shot, set(best.signs)) == (4, {"scene", "silence", "black"})
    assert all(one.shot != 5 for one in found)


def test_no_break_in_a_sentence() -> None:
    """A line is told in both shots, at its one time, where it runs over the cut."""
    over = [[], [], [], [79.0], [79.0, 85.0], [], [], []]
    beside = [[], [], [], [75.0], [85.0], [], [], []]
    assert breaks_between(shots_of(8, dialogue_at_s=over), TWO_SCENES) == []
    assert len(breaks_between(shots_of(8, dialogue_at_s=beside), TWO_SCENES)) == 1


def test_no_break_in_a_talk_whose_lines_nobody_knows() -> None:
    talk = [0.0, 0.0, 0.0, 0.9, 0.8, 0.0, 0.0, 0.0]
    assert breaks_between(shots_of(8, speech=talk), TWO_SCENES) == []
    assert len(breaks_between(shots_of(8, speech=[0.9, *talk[1:4], 0, 0, 0, 0]), TWO_SCENES)) == 1


def test_no_break_near_the_ends_and_none_in_one_shot() -> None:
    """160 s: sixteen at either end are too near; a silent shot at each end would do otherwise."""
    silent = [True] + [False] * 6 + [True]
    assert [one.shot for one in breaks_between(shots_of(8, silent=silent), SAME)] == [
        1,
        7,
    ]
    early = shots_of(8, silent=silent)
    early["start_s"] = early["start_s"].where(early.index != 1, 10.0)
    assert [one.shot for one in breaks_between(early, SAME)] == [7]
    assert breaks_between(shots_of(1), looks(0)) == []


def test_of_breaks_that_are_near_one_another_the_best_stays() -> None:
    """Three silent shots of 2 s around the turn of the scene, then long ones."""
    edges = np.cumsum([0, 60, 2, 2, 2, 60, 60])
    shots = shots_of(6, start_s=edges[:-1], end_s=edges[1:], silent=[False, True, True, True, False, False])  # fmt: skip  # noqa: E501
    found = breaks_between(shots, looks(0, 0, 0, 1, 1, 1))
    assert [one.shot for one in found] == [3]


def test_where_scenes_cannot_be_told_apart_context_turns_all_the_same() -> None:
    """Eight shots of one scene, each its own; five have a little in common, and three else."""
    vectors = np.hstack([np.eye(8), np.zeros((8, 2))]).astype(np.float32)
    vectors[:5, 8] = vectors[5:, 9] = 0.3
    assert [(one.shot, one.signs) for one in breaks_between(shots_of(8), vectors)] == [
        (5, ("turn",))
    ]
