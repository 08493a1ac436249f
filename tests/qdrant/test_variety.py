"""Which moments are shown: repeats folded, titles capped, likeness traded against the score."""

from __future__ import annotations

import numpy as np

from qdrant.language import ShotHit
from qdrant.moments import Moment
from qdrant.ranking import ScoredShot
from qdrant.variety import at_most, fold_repeats, varied


def moment(shot: int, score: float, title: str = "alpha", **payload: object) -> Moment:
    scored = ScoredShot(title, shot, score, {}, ShotHit(title, shot, ({},), payload))
    return Moment(title, shot, shot + 1, score, {}, (scored,), scored)


def test_the_same_picture_is_folded_onto_the_earliest_of_its_title() -> None:
    found = [
        moment(9, 0.9, fingerprint="00000000000000ff"),
        moment(5, 0.8, fingerprint="ffffffffffffffff"),
        moment(2, 0.7, fingerprint="00000000000000fe"),
        moment(1, 0.6, "bravo", fingerprint="00000000000000ff"),
    ]
    folded = fold_repeats(found)
    assert [(m.title_id, m.first, m.score, m.repeats) for m in folded] == [
        ("alpha", 2, 0.9, 2),
        ("alpha", 5, 0.8, 0),
    ]


def test_other_words_over_the_same_picture_are_no_repeat() -> None:
    found = [
        moment(1, 0.9, fingerprint="0", dialogue="I will."),
        moment(2, 0.8, fingerprint="0", dialogue="I won't."),
        moment(3, 0.7),
    ]
    assert fold_repeats(found) == found


def test_no_title_takes_more_than_its_share() -> None:
    found = [moment(1, 0.9), moment(2, 0.8), moment(3, 0.7, "bravo"), moment(4, 0.6)]
    assert [m.first for m in at_most(found, 1)] == [1, 3]
    assert at_most(found, None) == found


def test_variety_puts_what_is_alike_behind() -> None:
    found = [moment(1, 0.9), moment(2, 0.85), moment(3, 0.5)]
    near, far = np.eye(2, dtype=np.float32)
    vectors = [{"video": near}, {"video": near}, {"video": far}]
    assert [m.first for m in varied(found, vectors, 0.0)] == [1, 2, 3]
    assert [m.first for m in varied(found, vectors, 0.5)] == [1, 3, 2]
    assert [m.first for m in varied(found, [{}, {}, {}], 0.5)] == [1, 2, 3]
