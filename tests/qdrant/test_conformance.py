"""One suite over every backend, against a slow and obvious reference."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from asking import query_of

from qdrant.errors import LibraryOwned, UsageError
from qdrant.language import AnyOf, Between, Equals, Not
from qdrant.schema import LINE

TITLES = ("alpha", "bravo", "charlie")
CONDITIONS = {
    "none": (),
    "text equals": (Equals("title_id", "bravo"),),
    "number equals": (Equals("year", 1994),),
    "a list contains": (Equals("tags", "crane shot"), Equals("tags", "night")),
    "between": (Between("year", 1991, 1995), Between("position", high=0.5)),
    "open on both sides": (Between("year"),),
    "a name with a space": (Equals("house style", "close"),),
    "nothing fits": (Equals("year", 1800),),
}


@pytest.fixture
def published(place, shots_of):
    """Three titles, one of them in its second generation; returns the visible records."""
    visible = []
    for title in TITLES:
        if title == "bravo":
            place.writer.publish(title, "g0", shots_of(title, "g0", seed=7, count=40))
        records = shots_of(title)
        place.writer.publish(title, "g1", records)
        visible += records
    return visible


@pytest.mark.parametrize(
    ("spaces", "line", "candidates"),
    [
        (("video",), "", 7),
        (("audio",), "", 7),
        (("text",), "", 500),
        ((), "rain harbour", 500),
        (("video", "audio", "text"), "violin", 500),
        (("video", "audio"), "", 5),
    ],
)
def test_finds_what_the_reference_finds(
    place, published, reference, direction, spaces, line, candidates
):
    for name, conditions in CONDITIONS.items():
        vectors = {space: direction(space) for space in spaces}
        query = query_of(vectors, line, conditions, candidates)

        hits = place.reader.query(query)

        expected = reference(published, query)
        assert {(hit.title_id, hit.shot) for hit in hits} == expected.keys(), name
        for hit in hits:
            wanted = expected[hit.title_id, hit.shot]
            assert hit.answers[0] == pytest.approx(wanted, abs=1e-5), name
        keys = [(-max(hit.answers[0].values()), hit.title_id, hit.shot) for hit in hits]
        assert keys == sorted(keys), name


def test_shots_around_the_best_lines_are_scored_too(place, published, direction):
    narrow = query_of({"video": direction("video")}, "rain harbour", candidates=1)
    before = {(hit.title_id, hit.shot): hit for hit in place.reader.query(narrow)}
    line = max(before.values(), key=lambda hit: hit.answers[0].get(LINE, 0.0))
    stored = {(record.title_id, record.shot) for record in published}
    steps = range(line.shot - 2, line.shot + 3)
    around = stored & {(line.title_id, shot) for shot in steps}

    found = {(h.title_id, h.shot): h for h in place.reader.query(replace(narrow, reach=2))}

    assert found.keys() == before.keys() | around and len(around) > 2
    assert all("video" in found[where].answers[0] for where in around)
    until = Between("position", high=line.payload["position"])
    earlier = place.reader.query(replace(narrow, reach=2, conditions=(until,)))
    assert {hit.shot for hit in earlier if hit.title_id == line.title_id} >= {line.shot - 1}
    assert all(hit.payload["position"] <= line.payload["position"] for hit in earlier)


def test_a_hit_carries_its_payload(place, published, direction):
    hit = place.reader.query(query_of({"video": direction("video")}, candidates=1))[0]

    record = next(r for r in published if (r.title_id, r.shot) == (hit.title_id, hit.shot))
    added = {"library_id", "title_id", "generation", "shot"}
    assert {k: v for k, v in hit.payload.items() if k not in added} == dict(record.payload)
    assert hit.payload["library_id"] == "film-club"
    assert hit.payload["generation"] == "g1"


def test_a_silent_shot_never_ranks_above_a_bad_match(place, shots_of):
    silent, loud = shots_of("alpha", count=2)
    assert "audio" not in silent.vectors and "audio" in loud.vectors
    place.writer.publish("alpha", "g1", [silent, loud])
    opposite = -loud.vectors["audio"]

    by_sound = place.reader.query(query_of({"audio": opposite}))
    by_both = place.reader.query(query_of({"audio": opposite, "video": loud.vectors["video"]}))

    assert [(hit.shot, hit.answers[0]["audio"]) for hit in by_sound] == [
        (1, pytest.approx(-1, abs=1e-5))
    ]
    assert {hit.shot: set(hit.answers[0]) for hit in by_both} == {
        0: {"video"},
        1: {"video", "audio"},
    }


def test_a_line_that_is_not_said_scores_zero_and_one_without_words_is_left_out(
    place, published, direction
):
    hits = place.reader.query(query_of({"video": direction("video")}, "copper", candidates=500))

    spoken = {(r.title_id, r.shot): r.words for r in published}
    assert len(hits) == len(published)
    for hit in hits:
        dialogue = spoken[hit.title_id, hit.shot]
        assert (LINE in hit.answers[0]) is bool(dialogue)
        assert (hit.answers[0].get(LINE, 0.0) > 0) is ("copper" in dialogue)


def test_a_line_of_stop_words_alone_is_found(place, published, shots_of):
    spoken = [
        "Who are you?",
        "You are the violin who are silent",
        "Copper rain",
        "I don't know who you are",
    ]
    records = [
        replace(record, words=words)
        for record, words in zip(shots_of("hamlet", count=4), spoken, strict=True)
    ]
    place.writer.publish("hamlet", "g1", records)

    hits = place.reader.query(query_of(line="who are you"))

    assert [(hit.title_id, hit.shot) for hit in hits] == [
        ("hamlet", 0),
        ("hamlet", 1),
        ("hamlet", 3),
    ]
    # Beside words of its own, a question leaves them out.
    [hit] = place.reader.query(query_of(line="are you silent"))
    assert hit.shot == 1
    # They are no part of what other words mean.
    others = place.reader.query(query_of(line="rain", candidates=500))
    assert ("hamlet", 2) in {(hit.title_id, hit.shot) for hit in others}


def test_a_line_is_found_in_the_language_it_is_said_in(place, published, shots_of):
    [german, english] = shots_of("alpha-de", count=2)
    german = replace(german, words="Die Häuser sind leer", payload={"language": "de"})
    english = replace(english, words="Men die", payload={"language": "en"})
    place.writer.publish("alpha-de", "g1", [german, english])

    [hit] = place.reader.query(query_of(line="die"))  # a stop word of German

    assert hit.shot == 1


def test_conditions_alone_find_shots(place, published):
    hits = place.reader.query(query_of(conditions=(Equals("year", 1994),)))

    wanted = sorted((r.title_id, r.shot) for r in published if r.payload["year"] == 1994)
    assert [(hit.title_id, hit.shot) for hit in hits] == wanted
    assert all(hit.answers == () for hit in hits)
    assert place.reader.query(query_of()) == []


def test_tags_of_shots_are_kept_to_and_kept_away_from(place, shots_of):
    carried = {
        0: {"labels": ["closeup", "animal"], "tones": ["creepy"]},
        1: {"labels": ["nudity"], "tones": ["tense", "creepy"], "clip_genres": ["Sci-fi"]},
        2: {"tones": ["tender"]},
    }
    records = [
        replace(record, payload={**record.payload, **carried.get(record.shot, {})})
        for record in shots_of("alpha")[:4]
    ]
    place.writer.publish("alpha", "g1", records)

    def found(*conditions):
        return [hit.shot for hit in place.reader.query(query_of({}, "", conditions, 10))]

    creepy_or_tender = AnyOf("tones", ("creepy", "tender"))
    assert sorted(found(creepy_or_tender)) == [0, 1, 2]
    assert sorted(found(creepy_or_tender, Not(AnyOf("labels", ("nudity",))))) == [0, 2]
    assert sorted(found(Not(AnyOf("labels", ("nudity", "closeup"))))) == [2, 3]
    assert found(AnyOf("clip_genres", ("Sci-fi",))) == [1]
    assert found(AnyOf("tones", ("triumphant",))) == []


def test_counts_and_generations_are_of_what_is_visible(place, published):
    assert place.reader.count() == len(published) == 90
    assert place.reader.generations() == dict.fromkeys(TITLES, "g1")


def test_stored_vectors_come_back(place, published):
    record = published[31]

    stored = place.reader.vectors(record.title_id, record.shot)

    assert stored.keys() == record.vectors.keys()
    for space, vector in stored.items():
        np.testing.assert_allclose(vector, record.vectors[space], atol=1e-6)
    assert place.reader.vectors("bravo", 35) == {}  # only the generation before had it
    assert place.reader.vectors("nobody", 0) == {}


def test_a_removed_title_is_gone(place, published, direction):
    place.writer.remove("bravo")
    place.writer.remove("bravo")

    assert place.reader.generations() == {"alpha": "g1", "charlie": "g1"}
    assert place.reader.count() == 60
    hits = place.reader.query(query_of({"video": direction("video")}, candidates=500))
    assert {hit.title_id for hit in hits} == {"alpha", "charlie"}


def test_a_title_without_shots_is_there_and_empty(place):
    place.writer.publish("untitled", "g1", [])

    assert place.reader.generations() == {"untitled": "g1"}
    assert place.reader.count() == 0


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        ({"context": np.ones(8, np.float32)}, "has no `context` vectors.*video, audio, text"),
        ({"video": np.ones(7, np.float32)}, r"takes 8 finite numbers.*\(7,\)"),
        ({"video": np.full(8, np.nan, np.float32)}, "finite"),
        ({"video": np.zeros(8, np.float32)}, "not all zero"),
    ],
)
def test_a_query_that_cannot_be_asked_says_why(place, vectors, message):
    with pytest.raises(UsageError, match=message):
        place.reader.query(query_of(vectors))


@pytest.mark.parametrize(
    "condition", [Between("year", float("nan"), 1), Equals('a"b', 1), Equals("", 1)]
)
def test_a_condition_that_cannot_be_met_by_anything_says_why(place, direction, condition):
    with pytest.raises(UsageError, match=r"year|field"):
        place.reader.query(query_of({"video": direction("video")}, conditions=(condition,)))


def test_a_reader_does_not_write(place, published):
    if place.reader is place.writer:
        assert place.reader.owned
        return
    with pytest.raises(LibraryOwned, match=r"cannot publish.*`pytest` \(process \d+"):
        place.reader.publish("delta", "g1", [])
    with pytest.raises(LibraryOwned, match="cannot remove"):
        place.reader.remove("alpha")
    assert place.writer.count() == len(published)
