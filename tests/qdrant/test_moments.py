"""Neighbouring shots join into moments, by hand-checkable numbers."""

from __future__ import annotations

import pytest

from qdrant.language import ShotHit
from qdrant.moments import merge_neighbours
from qdrant.ranking import ScoredShot


def scored(shot, score, title_id="alpha", *, length_s=4.0, **shares):
    payload = {"start_s": shot * length_s, "end_s": (shot + 1) * length_s}
    hit = ShotHit(title_id, shot, ({},), payload)
    return ScoredShot(title_id, shot, score, shares, hit)


def spans(moments):
    return [(m.title_id, m.first, m.end, m.score) for m in moments]


def test_neighbours_above_the_fraction_join():
    shots = [scored(4, 0.61), scored(5, 0.8), scored(6, 0.7), scored(7, 0.59)]
    moments = merge_neighbours(shots, join_fraction=0.75)
    assert spans(moments) == [("alpha", 4, 7, 0.8), ("alpha", 7, 8, 0.59)]


def test_the_fraction_is_of_the_best_not_of_the_neighbour():
    slope = [scored(1, 1.0), scored(2, 0.8), scored(3, 0.7)]
    assert spans(merge_neighbours(slope)) == [("alpha", 1, 3, 1.0), ("alpha", 3, 4, 0.7)]


def test_a_gap_and_another_title_do_not_join():
    shots = [scored(1, 0.9), scored(3, 0.9), scored(2, 0.9, "bravo")]
    assert spans(merge_neighbours(shots)) == [
        ("alpha", 1, 2, 0.9),
        ("alpha", 3, 4, 0.9),
        ("bravo", 2, 3, 0.9),
    ]


def test_a_moment_takes_its_score_and_shares_from_its_best_shot():
    shots = [scored(1, 0.5, video=1.0), scored(2, 0.6, audio=1.0)]
    (moment,) = merge_neighbours(shots)
    assert (moment.score, moment.shares, moment.best.shot) == (0.6, {"audio": 1.0}, 2)
    assert [shot.shot for shot in moment.shots] == [1, 2]


def test_a_moment_grows_no_longer_than_allowed():
    shots = [scored(i, 0.9 if i == 3 else 0.8) for i in range(7)]
    moments = merge_neighbours(shots, max_length_s=12.0)
    assert spans(moments) == [
        ("alpha", 1, 4, 0.9),  # 3, then the earlier of two equal neighbours, twice
        ("alpha", 0, 1, 0.8),
        ("alpha", 4, 7, 0.8),
    ]


def test_the_better_neighbour_is_taken_first():
    shots = [scored(1, 0.8), scored(2, 1.0), scored(3, 0.9)]
    moments = merge_neighbours(shots, max_length_s=8.0)
    assert spans(moments) == [("alpha", 2, 4, 1.0), ("alpha", 1, 2, 0.8)]


def test_one_long_shot_is_a_moment_all_the_same():
    assert spans(merge_neighbours([scored(1, 0.5, length_s=600.0)])) == [("alpha", 1, 2, 0.5)]


def test_shots_without_times_stand_alone():
    timeless = [
        ScoredShot("alpha", shot, 0.5, {}, ShotHit("alpha", shot, ({},), {})) for shot in (1, 2)
    ]
    assert spans(merge_neighbours(timeless)) == [("alpha", 1, 2, 0.5), ("alpha", 2, 3, 0.5)]


def test_shots_that_say_nothing_make_no_moment():
    assert merge_neighbours([scored(1, 0.0), scored(2, 0.0)]) == []


def said(shot, score, dialogue, **shares):
    found = scored(shot, score, **shares)
    found.hit.payload["dialogue"] = dialogue
    return found


def test_a_moment_found_by_its_words_ends_with_the_sentence():
    shots = [
        said(1, 0.0, "That was all."),
        said(2, 0.0, "And when I saw"),
        said(3, 0.9, "him again,\nhe was an old man who", line=1.0),
        said(4, 0.0, "he was an old man who\nknew nothing."),
        said(5, 0.0, "Nothing at all."),
    ]
    assert spans(merge_neighbours(shots)) == [("alpha", 2, 5, 0.9)]


def test_sentences_do_not_matter_to_what_was_found_by_its_picture():
    shots = [said(3, 0.9, "he was an old man who", video=1.0), said(4, 0.0, "knew nothing.")]
    assert spans(merge_neighbours(shots)) == [("alpha", 3, 4, 0.9)]


def test_a_sentence_does_not_make_a_moment_longer_than_allowed():
    shots = [said(n, 0.9 if n == 3 else 0.0, "and then", line=1.0) for n in range(8)]
    (moment,) = merge_neighbours(shots, max_length_s=12.0)
    assert (moment.first, moment.end) == (1, 4)


@pytest.mark.parametrize("order", [1, -1])
def test_ties_are_settled_by_title_and_shot(order):
    shots = [scored(8, 0.5), scored(1, 0.5, "bravo"), scored(3, 0.5)][::order]
    assert spans(merge_neighbours(shots)) == [
        ("alpha", 3, 4, 0.5),
        ("alpha", 8, 9, 0.5),
        ("bravo", 1, 2, 0.5),
    ]


def test_nothing_found_is_no_moment():
    assert merge_neighbours([]) == []
