"""Similarities become scores, by hand-checkable numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from qdrant.calibration import Calibration
from qdrant.errors import UsageError
from qdrant.language import Query, Question, ShotHit
from qdrant.ranking import score_shots

HALF = Calibration(floor=0.0, ceiling=1.0, weight=0.5)


def hit(shot, title_id="alpha", **similarities):
    return ShotHit(title_id, shot, (similarities,), {})


def score(hits, calibrations, **how):
    """Score the answers to one question in words."""
    reach = how.pop("reach", 0)
    query = Query((Question(line="asked"),), reach=reach)
    return score_shots(hits, {"words": calibrations}, query, **how)


@pytest.mark.parametrize(
    ("similarity", "evidence"), [(-1, 0), (0.2, 0), (0.3, 0.2), (0.4, 0.4), (0.6, 0.8), (1, 0.8)]
)
def test_evidence_is_linear_between_floor_and_ceiling(similarity, evidence):
    calibration = Calibration(floor=0.2, ceiling=0.6, weight=0.8)
    assert calibration.evidence(similarity) == pytest.approx(evidence)


@pytest.mark.parametrize(("bm25", "evidence"), [(0, 0), (2, 0.2), (6, 0.45), (54, 0.81)])
def test_evidence_of_a_line_bends_towards_its_weight(bm25, evidence):
    line = Calibration(floor=0.0, ceiling=1.0, weight=0.9, half=6.0)
    expected = {0: 0.0, 2: 0.9 * 2 / 8, 6: 0.45, 54: 0.81}[bm25]
    assert line.evidence(bm25) == pytest.approx(expected)
    assert line.evidence(bm25) < line.evidence(bm25 + 1) < 0.9


def test_spaces_combine_by_noisy_or_and_share_by_their_logarithms():
    (shot,) = score([hit(0, video=1.0, audio=1.0)], {"video": HALF, "audio": HALF})
    assert shot.score == pytest.approx(0.75)  # 1 - .5 * .5
    assert shot.shares == pytest.approx({"video": 0.5, "audio": 0.5})

    strong = Calibration(floor=0.0, ceiling=1.0, weight=0.75)
    (shot,) = score([hit(0, video=1.0, audio=1.0)], {"video": strong, "audio": HALF})
    assert shot.score == pytest.approx(0.875)  # 1 - .25 * .5
    assert shot.shares == pytest.approx({"video": 2 / 3, "audio": 1 / 3})  # log 4 : log 2


def test_a_missing_space_says_nothing():
    """A shot without words scores as high as one whose words say nothing, never lower."""
    calibrations = {"video": HALF, "line": HALF}
    textless, silent = score([hit(0, video=0.8), hit(1, video=0.8, line=0.0)], calibrations)
    assert textless.score == pytest.approx(silent.score) == pytest.approx(0.4)
    assert textless.shares == {"video": 1.0}
    assert silent.shares == {"video": 1.0, "line": 0.0}


def test_no_evidence_has_no_shares():
    (shot,) = score([hit(0, video=-0.5)], {"video": HALF})
    assert (shot.score, shot.shares) == (0.0, {})
    (shot,) = score([hit(0)], {})
    assert (shot.score, shot.shares) == (0.0, {})


def test_scores_are_ordered_with_ties_by_title_and_shot():
    hits = [hit(2, video=0.5), hit(1, "bravo", video=0.5), hit(1, video=0.5), hit(9, video=0.6)]
    ranked = score(hits, {"video": HALF})
    assert [(s.title_id, s.shot) for s in ranked] == [
        ("alpha", 9),
        ("alpha", 1),
        ("alpha", 2),
        ("bravo", 1),
    ]


def test_a_space_without_calibration_is_told():
    with pytest.raises(UsageError, match=r"no calibration for `audio`.*video"):
        score([hit(0, audio=0.5)], {"video": HALF})


@pytest.mark.parametrize(
    "wrong",
    [
        {"floor": 0.5, "ceiling": 0.5},
        {"floor": 0, "ceiling": 1, "weight": 1.0},
        {"floor": 0, "ceiling": 1, "weight": 0.0},
        {"floor": math.nan, "ceiling": 1},
        {"floor": 0, "ceiling": 1, "half": 0.0},
    ],
)
def test_a_calibration_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(UsageError, match="floor < ceiling"):
        Calibration(**wrong)


LISTENING = {"video": HALF, "text": HALF, "line": HALF}


def test_a_wordless_shot_is_helped_by_the_best_line_near_by():
    hits = [hit(2, text=0.4), hit(4, video=0.2), hit(5, text=1.0), hit(9, text=1.0)]
    scored = {shot.shot: shot for shot in score(hits, LISTENING, reach=2)}
    # Seen: .5 * .2 = .1. Heard near by: half of the fifth shot's .5.
    assert scored[4].score == pytest.approx(1 - 0.9 * 0.75)
    assert scored[4].heard_near.shot == 5
    assert sum(scored[4].shares.values()) == pytest.approx(1)
    assert scored[4].shares["context"] == pytest.approx(
        math.log(0.75) / (math.log(0.9) + math.log(0.75))
    )
    assert scored[5].score == 0.5 and scored[5].heard_near is None


@pytest.mark.parametrize(
    ("wordless", "line", "why"),
    [
        (hit(4, video=0.2), hit(7, text=1.0), "it is out of reach"),
        (hit(4, video=0.2), hit(5, "bravo", text=1.0), "it is another title's"),
        (hit(4, video=0.2, text=0.0), hit(5, text=1.0), "the shot has words of its own"),
        (hit(4, video=0.0), hit(5, text=1.0), "the shot answers in no other way"),
        (hit(4, video=0.2), hit(5, text=0.0), "the line says nothing of it"),
    ],
)
def test_a_line_near_by_does_not_help_where(wordless, line, why):
    hits = [wordless, line]
    near = {(s.title_id, s.shot): s.score for s in score(hits, LISTENING, reach=2)}
    alone = {(s.title_id, s.shot): s.score for s in score(hits, LISTENING)}
    assert near == alone, why


def test_of_two_lines_as_good_the_nearer_helps():
    hits = [hit(2, text=1.0), hit(4, video=0.2), hit(5, text=1.0)]
    (wordless,) = [s for s in score(hits, LISTENING, reach=2) if s.shot == 4]
    assert wordless.heard_near.shot == 5


def asked(answers, query, **how):
    """Score one shot by its answers to the query's questions."""
    hit_ = ShotHit("alpha", 1, tuple(answers), {})
    (shot,) = score_shots([hit_], {"words": LISTENING, "likeness": LIKE}, query, **how)
    return shot


LIKE = {"video": Calibration(floor=0.5, ceiling=1.0, weight=0.8)}
SEEN, ALIKE = Question(line="seen"), Question(band="likeness")


def test_wanted_questions_must_all_be_answered():
    shot = asked([{"video": 1.0}, {"video": 1.0}], Query((SEEN, ALIKE)))
    assert shot.score == pytest.approx(math.sqrt(0.5 * 0.8))
    assert shot.shares == {"video": pytest.approx(1.0)}
    assert asked([{"video": 1.0}, {"video": 0.5}], Query((SEEN, ALIKE))).score == 0
    assert asked([{"video": 1.0}, {}], Query((SEEN, ALIKE))).score == 0


def test_shares_are_the_mean_over_the_wanted_questions():
    shot = asked([{"text": 1.0}, {"video": 1.0}], Query((SEEN, ALIKE)))
    assert shot.shares == pytest.approx({"text": 0.5, "video": 0.5})


def test_what_is_unwanted_takes_its_share_away_and_no_more():
    query = Query((SEEN,), (ALIKE,))
    assert asked([{"video": 1.0}, {"video": 0.4}], query).score == pytest.approx(0.5)
    assert asked([{"video": 1.0}, {}], query).score == pytest.approx(0.5)
    pressed = asked([{"video": 1.0}, {"video": 1.0}], query)
    assert pressed.score == pytest.approx(0.5 * 0.2)
    assert pressed.shares == {"video": 1.0}


def test_conditions_alone_are_wholly_answered():
    assert asked([], Query()).score == 1
    assert asked([{"video": 1.0}], Query((), (ALIKE,))).score == pytest.approx(0.2)


def test_all_modalities_must_answer_where_that_is_wanted():
    question = Question({"video": None, "text": None}, "seen and said")
    both, one = {"video": 1.0, "text": 0.5}, {"video": 1.0, "text": 0.0}
    assert asked([both], Query((question,)), all_modalities=True).score == pytest.approx(
        math.sqrt(0.5 * 0.25)
    )
    assert asked([one], Query((question,)), all_modalities=True).score == 0
    assert asked([one], Query((question,))).score == 0.5


def test_a_sound_asked_for_by_name_may_be_heard_or_told():
    """With all modalities too; a clip's sound is one with what else is heard of it."""
    bands = {"words": {"sound": HALF, "line": HALF, "video": HALF, "audio": HALF}}
    thunder = Question({"sound": np.ones(1, np.float32)}, line="thunder")
    heard, told = score_shots(
        [hit(0, sound=0.8), hit(1, line=0.6)], bands, Query((thunder,)), all_modalities=True
    )
    assert (heard.score, told.score) == pytest.approx((0.4, 0.3))
    clip = Question({space: np.ones(1, np.float32) for space in ("video", "audio", "sound")})
    (shot,) = score_shots(
        [hit(0, video=1.0, sound=1.0)], bands, Query((clip,)), all_modalities=True
    )
    assert shot.score == pytest.approx(0.5)  # seen .5, heard .5: their geometric mean
