"""A then B in a store: found whichever of the two is one of many, and nothing that isn't there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app.following import Answers, follow
from qdrant.calibration import Calibration
from qdrant.language import Between, Query, Question
from qdrant.ranking import score_shots
from qdrant.record import ShotRecord
from qdrant.schema import Schema
from qdrant.sequences import Gap
from qdrant.store import ShotStore, open_store

FACE, DOOR, DARK, OTHER = np.eye(4, dtype=np.float32)
BAND = {"words": {"video": Calibration(0.3, 1.0)}}
CANDIDATES = 10
SHOTS = 300
RARE = 222


def mixed(main: np.ndarray, share: float) -> np.ndarray:
    """Return a unit vector whose cosine with `main` is `share`."""
    return (main * share + OTHER * np.sqrt(1 - share**2)).astype(np.float32)


def publish(store: ShotStore, title: str, vectors: dict[int, np.ndarray]) -> None:
    records = [
        ShotRecord(title, "g", shot, {"video": vectors.get(shot, OTHER)}, "", {
            "start_s": shot * 4.0, "end_s": shot * 4.0 + 4.0, "position": shot / SHOTS})
        for shot in range(SHOTS)
    ]  # fmt: skip
    store.publish(title, "g", records)


@pytest.fixture(scope="module")
def answers() -> Iterator[Answers]:
    """A title of faces with one door in it, one of doors with one face, and one of neither."""
    schema = Schema("v1", {"video": 4})
    rng = np.random.default_rng(3)
    with open_store(Path(), schema, library_id="x", command="test", url=":memory:") as store:
        faces = {shot: mixed(FACE, rng.uniform(0.8, 0.99)) for shot in range(0, SHOTS, 2)}
        publish(store, "faces", {**faces, RARE - 1: mixed(FACE, 0.7), RARE: DOOR})
        doors = {shot: mixed(DOOR, rng.uniform(0.8, 0.99)) for shot in range(0, SHOTS, 2)}
        publish(store, "doors", {**doors, RARE: FACE, RARE + 1: mixed(DOOR, 0.7)})
        publish(store, "neither", {RARE: FACE, RARE - 3: DOOR, RARE + 40: DOOR})

        def ask(query: Query) -> list:
            return score_shots(store.query(query), BAND, query)

        yield ask


def query(vector: np.ndarray, *conditions: Between) -> Query:
    return Query((Question({"video": vector}),), (), tuple(conditions), candidates=CANDIDATES)


def spans(found: list) -> list[tuple[str, int, int]]:
    return [(m.title_id, m.first, m.end) for m in found]


def test_what_is_plain_by_itself_is_found_beside_what_is_rare(answers: Answers) -> None:
    """Neither the face before the only door nor the door after the only face is among the best."""
    for step, rare in ((FACE, ("faces", RARE - 1)), (DOOR, ("doors", RARE + 1))):
        proposed = {(shot.title_id, shot.shot) for shot in answers(query(step))}
        assert len(proposed) == CANDIDATES and rare not in proposed
    found = spans(follow([query(FACE), query(DOOR)], [Gap()], answers))
    assert {title for title, _, _ in found} == {"faces", "doors"}
    assert {end for title, _, end in found if title == "faces"} == {RARE + 1}
    assert {first for title, first, _ in found if title == "doors"} == {RARE}


def test_the_gap_is_kept(answers: Answers) -> None:
    wide = spans(follow([query(FACE), query(DOOR)], [Gap(seconds=200.0)], answers))
    assert ("neither", RARE, RARE + 41) in wide
    next_shot = spans(follow([query(FACE), query(DOOR)], [Gap(1e9, shots=1)], answers))
    assert next_shot and all(end - first == 2 for _, first, end in next_shot)


def test_order_matters(answers: Answers) -> None:
    backwards = spans(follow([query(DOOR), query(FACE)], [Gap()], answers))
    assert ("neither", RARE - 3, RARE + 1) in backwards
    assert ("faces", RARE - 1, RARE + 1) not in backwards


def test_conditions_hold_for_what_stands_beside(answers: Answers) -> None:
    early = Between("position", high=(RARE - 5) / SHOTS)
    found = spans(follow([query(FACE, early), query(DOOR, early)], [Gap()], answers))
    assert all(end <= RARE - 4 for _, _, end in found)


def test_it_asks_a_store_no_more_than_three_times(answers: Answers) -> None:
    asked: list[Query] = []

    def counted(question: Query) -> list:
        asked.append(question)
        return answers(question)

    follow([query(FACE), query(DOOR)], [Gap()], counted)
    assert [question.candidates for question in asked] == [CANDIDATES, CANDIDATES, 0]
    assert max(len(question.also) for question in asked) <= 50 * 12


def test_three_in_a_row(answers: Answers) -> None:
    found = follow([query(FACE), query(DOOR), query(FACE)], [Gap(), Gap()], answers)
    assert all(len(moment.steps) == 3 for moment in found)
    assert [moment.steps[1].shot for moment in found if moment.title_id == "faces"] == [RARE]
