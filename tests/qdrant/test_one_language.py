"""Every kind of query under every kind of condition: an embedded shard answers as memory does."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from qdrant.language import AnyOf, Between, Equals, Not, Query, Question
from qdrant.record import ShotRecord
from qdrant.schema import Schema
from qdrant.store import ShotStore, open_store

DIMS = {"video": 8, "audio": 6, "text": 5}
TITLES = ("alpha", "bravo", "charlie")


def vector(space: str, seed: int) -> np.ndarray:
    made = np.random.default_rng(seed).normal(size=DIMS[space])
    return (made / np.linalg.norm(made)).astype(np.float32)


SEEN = Question({"video": vector("video", 1)})
HEARD = Question({"audio": vector("audio", 2), "text": vector("text", 3)}, band="likeness")
SAID = Question(line="rain over the harbour")
EVERYTHING = Question({space: vector(space, 5) for space in DIMS}, "a copper lantern")
SOME = frozenset({("alpha", 3), ("bravo", 7), ("charlie", 29), ("charlie", 30), ("nobody", 1)})

QUERIES = {
    "pictures": Query((SEEN,)),
    "few candidates": Query((SEEN,), candidates=4),
    "sound and text": Query((HEARD,)),
    "a line": Query((SAID,)),
    "all spaces": Query((EVERYTHING,), candidates=9),
    "two that must fit": Query((SEEN, SAID), candidates=9),
    "three that must fit": Query((SEEN, HEARD, SAID), candidates=5),
    "one to keep away from": Query((SEEN,), (SAID,), candidates=12),
    "two to keep away from": Query((HEARD,), (SEEN, EVERYTHING), candidates=12),
    "around the lines": Query((EVERYTHING,), candidates=3, reach=2),
    "these too": Query((SEEN,), candidates=3, also=SOME),
    "only these": Query((SEEN, SAID), candidates=0, also=SOME),
    "nothing but conditions": Query(),
}
CONDITIONS = {
    "anywhere": (),
    "one title": (Equals("title_id", "bravo"),),
    "two titles": (AnyOf("title_id", ("alpha", "charlie", "nobody")),),
    "no such title": (AnyOf("title_id", ()),),
    "a tag": (Equals("tags", "night"),),
    "without a tag": (Not(Equals("tags", "night")),),
    "between": (Between("position", 0.2, 0.7), Between("year", 1991)),
    "not between": (Not(Between("position", 0.2, 0.7)),),
    "not one of": (Not(AnyOf("house style", ("close",))), Between("year", high=1997)),
}


@pytest.fixture(scope="module")
def stores(shots_of: Callable[[str], list[ShotRecord]]) -> Iterator[tuple[ShotStore, ShotStore]]:
    """The same titles in memory and in an embedded shard."""
    schema = Schema("v1", DIMS)
    with tempfile.TemporaryDirectory() as folder:
        named = {"library_id": "film-club", "command": "pytest"}
        memory = open_store(Path(folder), schema, url=":memory:", **named)
        with memory, open_store(Path(folder), schema, **named) as edge:
            for store in (memory, edge):
                for title in TITLES:
                    store.publish(title, "g1", shots_of(title))
            yield memory, edge


@pytest.mark.parametrize("where", CONDITIONS.values(), ids=CONDITIONS)
@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_edge_answers_as_memory_does(
    stores: tuple[ShotStore, ShotStore], query: Query, where: tuple
) -> None:
    memory, edge = (store.query(replace(query, conditions=where)) for store in stores)
    assert [(h.title_id, h.shot) for h in edge] == [(h.title_id, h.shot) for h in memory]
    for ours, theirs in zip(edge, memory, strict=True):
        assert len(ours.answers) == len(query.questions)
        for answer, expected in zip(ours.answers, theirs.answers, strict=True):
            assert answer == pytest.approx(expected, abs=1e-3)
        assert ours.payload.keys() == theirs.payload.keys()
        assert ours.payload["tags"] == theirs.payload["tags"]


def test_conditions_hold_for_every_hit(stores: tuple[ShotStore, ShotStore]) -> None:
    for store in stores:
        both = (Not(Equals("tags", "night")), AnyOf("title_id", ("alpha", "bravo")))
        hits = store.query(Query((EVERYTHING,), (SEEN,), both, also=SOME, reach=2))
        assert {(h.title_id, "night" in h.payload["tags"]) for h in hits} == {
            ("alpha", False),
            ("bravo", False),
        }


def test_what_is_unwanted_proposes_nothing_and_is_scored(
    stores: tuple[ShotStore, ShotStore],
) -> None:
    for store in stores:
        plain = store.query(Query((SEEN,), candidates=5))
        pressed = store.query(Query((SEEN,), (HEARD,), candidates=5))
        assert {(h.title_id, h.shot) for h in pressed} == {(h.title_id, h.shot) for h in plain}
        assert all("text" in hit.answers[1] for hit in pressed)
