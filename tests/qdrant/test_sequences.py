"""A then B, on constructed sequences and against trying every chain."""

from __future__ import annotations

import itertools
import random

import pytest

from qdrant.language import ShotHit
from qdrant.ranking import ScoredShot
from qdrant.sequences import Gap, chain

LENGTH_S = 4.0


def shot(number: int, score: float = 0.5, title: str = "alpha", **shares: float) -> ScoredShot:
    payload = {"start_s": number * LENGTH_S, "end_s": (number + 1) * LENGTH_S}
    return ScoredShot(title, number, score, shares, ShotHit(title, number, ({},), payload))


def spans(moments):
    return [(m.title_id, m.first, m.end) for m in moments]


def test_the_later_follows_the_earlier_in_the_same_title() -> None:
    found = chain([[shot(1), shot(9)], [shot(2), shot(3, title="bravo")]], [Gap()])
    assert spans(found) == [("alpha", 1, 3)]
    assert [step.shot for step in found[0].steps] == [1, 2]


@pytest.mark.parametrize(
    ("gap", "found"),
    [
        (Gap(seconds=8.0), [("alpha", 1, 5)]),  # shots 2 and 3 lie between
        (Gap(seconds=7.9), []),
        (Gap(seconds=1e9, shots=3), [("alpha", 1, 5)]),
        (Gap(seconds=1e9, shots=2), []),
    ],
)
def test_it_must_follow_soon_enough(gap: Gap, found: list[object]) -> None:
    assert spans(chain([[shot(1)], [shot(4)]], [gap])) == found


def test_the_same_shot_does_not_follow_itself() -> None:
    assert chain([[shot(1)], [shot(1)]], [Gap()]) == []


def test_the_score_is_the_geometric_mean_and_shares_are_the_mean() -> None:
    (moment,) = chain([[shot(1, 0.9, video=1.0)], [shot(2, 0.4, line=1.0)]], [Gap()])
    assert moment.score == pytest.approx(0.6)
    assert moment.shares == {"video": 0.5, "line": 0.5}
    assert moment.best.shot == 1


def test_of_chains_that_overlap_the_best_is_kept() -> None:
    found = chain([[shot(1, 0.2), shot(2, 0.8)], [shot(3, 0.5), shot(4, 0.6)]], [Gap()])
    assert spans(found) == [("alpha", 2, 5)]


def test_chains_of_three_agree_with_trying_every_one() -> None:
    rng = random.Random(4)
    for _ in range(200):
        gaps = [Gap(rng.uniform(0, 20), rng.choice([1, 2, 9])) for _ in range(2)]
        steps = [
            [shot(n, rng.uniform(0.1, 1)) for n in sorted(rng.sample(range(12), 5))]
            for _ in range(3)
        ]
        found = chain(steps, gaps)
        whole = [
            (a, b, c)
            for a, b, c in itertools.product(*steps)
            if follows(a, b, gaps[0]) and follows(b, c, gaps[1])
        ]
        assert bool(found) == bool(whole)
        if whole:
            best = max((a.score * b.score * c.score) ** (1 / 3) for a, b, c in whole)
            assert found[0].score == pytest.approx(best)
            for one, other in itertools.combinations(found, 2):
                assert one.end <= other.first or other.end <= one.first


def follows(earlier: ScoredShot, later: ScoredShot, gap: Gap) -> bool:
    seconds = later.hit.payload["start_s"] - earlier.hit.payload["end_s"]
    return 0 < later.shot - earlier.shot <= gap.shots and seconds <= gap.seconds
