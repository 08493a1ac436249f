"""Only the shots that score best are copied out of a store; nothing that is shown changes."""

from __future__ import annotations

import uuid
from dataclasses import replace

import numpy as np
import pytest
from asking import query_of

from qdrant.answer import LEAST_KEPT
from qdrant.calibration import Calibration
from qdrant.language import Between, Question
from qdrant.moments import merge_neighbours
from qdrant.phrases import Phrase
from qdrant.ranking import score_shots, scoring
from qdrant.record import near_pairs, neighbour, point_id
from qdrant.schema import LINE

BANDS = {
    "words": {
        "video": Calibration(-0.5, 0.9),
        "audio": Calibration(-0.5, 0.9),
        "text": Calibration(-0.2, 1.0),
        LINE: Calibration(0.0, 1.0, half=1.0),
    }
}
TITLES = ("alpha", "bravo", "charlie")


@pytest.fixture
def filled(place, shots_of):
    for title in TITLES:
        place.writer.publish(title, "g1", shots_of(title, count=150))
    return place.reader


def told(moments):
    return [
        (m.title_id, m.first, m.end, m.best.shot, round(m.score, 5), m.best.heard_near is not None)
        for m in moments
    ]


@pytest.mark.parametrize("in_all", [False, True])
@pytest.mark.parametrize("reach", [0, 3])
@pytest.mark.parametrize("conditions", [(), (Between("year", 1992, 1997),)])
def test_the_best_moments_are_the_same(filled, direction, in_all, reach, conditions):
    for seed in range(6):
        vectors = {space: direction(space, seed) for space in ("video", "audio", "text")}
        query = query_of(vectors, "rain lantern", conditions, 24, reach)
        if seed % 2:
            unwanted = Question({"video": direction("video", 40 + seed)})
            query = replace(query, unwanted=(unwanted,))
        by = scoring(BANDS, query, all_modalities=in_all)
        whole, fewer = filled.query(query), filled.query(query, scoring=by)

        assert {(hit.title_id, hit.shot) for hit in fewer} < {
            (hit.title_id, hit.shot) for hit in whole
        }
        best, same = (
            merge_neighbours(score_shots(hits, BANDS, query, all_modalities=in_all))[:8]
            for hits in (whole, fewer)
        )
        assert told(same) == told(best)


def test_of_a_line_that_must_be_said_all_who_may_say_it_are_returned():
    query = replace(query_of(line="rain"), wanted=(Question(line="rain", phrase=Phrase("rain")),))
    assert scoring(BANDS, query) is None


def test_where_nothing_is_wanted_all_are_returned():
    assert scoring(BANDS, query_of(conditions=(Between("year", 1992, 1997),))) is None


def test_of_those_asked_for_by_name_the_best_are_returned(filled, direction):
    places = frozenset((title, shot) for title in TITLES for shot in range(100))
    query = query_of({"video": direction("video")}, candidates=1)
    query = replace(query, also=places)
    hits = filled.query(query, scoring=scoring(BANDS, query))
    everything = score_shots(filled.query(query), BANDS, query)
    named = [(s.title_id, s.shot) for s in everything if (s.title_id, s.shot) in places]
    assert {*named[:LEAST_KEPT]} <= {(hit.title_id, hit.shot) for hit in hits}
    assert len(hits) < len(everything) / 2


def test_what_is_computed_for_all_at_once_is_the_score_itself(filled, direction):
    query = query_of(
        {"video": direction("video"), "text": direction("text")}, "copper rain", reach=2
    )
    hits = filled.query(query)
    scored = {(s.title_id, s.shot): s.score for s in score_shots(hits, BANDS, query)}
    rows = {(hit.title_id, hit.shot): row for row, hit in enumerate(hits)}
    near = [
        (row, rows[title, shot + step])
        for step in (-1, 1, -2, 2)
        for (title, shot), row in rows.items()
        if (title, shot + step) in rows
    ]
    similarities = {
        space: np.array([hit.answers[0].get(space, np.nan) for hit in hits])
        for space in ("video", "text", LINE)
    }
    by = scoring(BANDS, query)
    assert by is not None
    expected = [scored[hit.title_id, hit.shot] for hit in hits]
    assert by([similarities], np.array(near)) == pytest.approx(expected)


def test_an_id_tells_its_neighbours():
    ids = [point_id("alpha", generation="g1", shot=shot, version="v1") for shot in range(3000)]
    assert [neighbour(ids[0], shot) for shot in range(3000)] == ids
    assert neighbour(ids[7], -7) == ids[0]
    assert len({*ids}) == 3000
    assert {(uuid.UUID(id_).version, uuid.UUID(id_).variant) for id_ in ids} == {(8, uuid.RFC_4122)}
    for other in (
        point_id("bravo", generation="g1", shot=0, version="v1"),
        point_id("alpha", generation="g2", shot=0, version="v1"),
        point_id("alpha", generation="g1", shot=0, version="v2"),
        point_id("alpha", generation="g1", shot=0, version="v1", library_id="club"),
    ):
        assert other[8:] != ids[0][8:]


def test_what_begins_a_list_in_the_order_of_ids_is_a_fair_sample():
    places = sorted(
        (point_id(f"title {t}", generation="g", shot=shot, version="v"), t, shot)
        for t in range(20)
        for shot in range(1000)
    )[:400]
    of_each = np.bincount([title for _, title, _ in places], minlength=20)
    assert of_each.min() >= 15 and of_each.max() <= 25
    shots = np.array([shot for _, _, shot in places])
    assert np.histogram(shots, bins=4, range=(0, 1000))[0].min() >= 60


def test_pairs_of_neighbours_are_found_by_their_ids():
    rng = np.random.default_rng(0)
    places = [("alpha", int(n)) for n in rng.choice(60, 30, replace=False)]
    places += [("bravo", int(n)) for n in rng.choice(60, 30, replace=False)]
    ids = [point_id(title, generation="g", shot=shot, version="v") for title, shot in places]
    expected = {
        (row, other)
        for row, (title, shot) in enumerate(places)
        for other, (second, number) in enumerate(places)
        if title == second and 0 < abs(shot - number) <= 3
    }
    found = near_pairs(ids, 3)
    assert {tuple(pair) for pair in found.tolist()} == expected and len(found) == len(expected)
    apart = [abs(places[a][1] - places[b][1]) for a, b in found]
    assert apart == sorted(apart)
    assert near_pairs([], 3).shape == near_pairs(ids, 0).shape == (0, 2)
