"""A small catalogue with known answers, and every place that can keep it."""

from __future__ import annotations

import math
import os
import tempfile
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from qdrant.language import Between, Condition, Equals, Query
from qdrant.lines import TYPICAL_TOKENS
from qdrant.record import ShotRecord, Vector
from qdrant.schema import LINE, Schema
from qdrant.server import collection_name
from qdrant.sparse import copy_folder
from qdrant.store import ShotStore, open_store

DIMS = {"video": 8, "audio": 6, "text": 5}
VOCABULARY = ["rain", "harbour", "lantern", "engine", "violin", "copper", "meadow", "orchard"]
SERVER_URL = os.environ.get("QDRANT_URL")  # read before the tests are kept from it
PLACES = ("memory", "edge", "loopback", "server")

Found = tuple[str, int]
"""(title_id, shot)"""


@dataclass(frozen=True)
class Place:
    """A store to write to and one to read from: the same, unless reads go through an owner."""

    name: str
    writer: ShotStore
    reader: ShotStore


@pytest.fixture
def schema() -> Schema:
    return Schema(version="v1", dims=DIMS)


@pytest.fixture(scope="session")
def empty_shard() -> Iterator[Path]:
    """A folder with an empty shard: making its payload indexes takes seconds on a slow disk."""
    with _folder() as folder:
        with open_store(
            folder, Schema(version="v1", dims=DIMS), library_id="film-club", command="pytest"
        ):
            pass
        yield folder


@pytest.fixture
def library(empty_shard: Path) -> Iterator[Path]:
    """A folder of its own with an empty shard in it."""
    with _folder() as folder:
        copy_folder(empty_shard, folder)
        yield folder


@pytest.fixture
def libraries(empty_shard: Path) -> Iterator[Callable[[], Path]]:
    """Makes one such folder after the other; the one before goes."""
    with ExitStack() as stack:

        def another() -> Path:
            stack.close()
            folder = stack.enter_context(_folder())
            copy_folder(empty_shard, folder)
            return folder

        yield another


@pytest.fixture
def open_library(library: Path, schema: Schema) -> Callable[[], ShotStore]:
    def open_again(command: str = "pytest") -> ShotStore:
        return open_store(library, schema, library_id="film-club", command=command)

    return open_again


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, schema: Schema) -> Iterator[Place]:
    """The same library in memory, embedded, read through its owner, and on a server."""
    with ExitStack() as stack:
        if request.param == "memory":
            store = _opened(stack, Path(), schema, url=":memory:")
            yield Place(request.param, store, store)
        elif request.param == "server":
            store = _opened_on_server(stack, schema)
            yield Place(request.param, store, store)
        else:
            folder = request.getfixturevalue("library")
            owner = _opened(stack, folder, schema)
            assert owner.owned
            reader = _opened(stack, folder, schema) if request.param == "loopback" else owner
            assert reader.owned is (request.param == "edge")
            yield Place(request.param, owner, reader)


def _opened(stack: ExitStack, folder: Path, schema: Schema, url: str | None = None) -> ShotStore:
    store = open_store(folder, schema, library_id="film-club", command="pytest", url=url)
    return stack.enter_context(store)


def _opened_on_server(stack: ExitStack, schema: Schema) -> ShotStore:
    if not SERVER_URL:
        pytest.skip("NOT TESTED: a Qdrant server. Set QDRANT_URL to run the suite against one.")
    from qdrant_client import QdrantClient

    own = Schema(version=f"test-{uuid.uuid4().hex}", dims=schema.dims)
    client = QdrantClient(url=SERVER_URL, check_compatibility=False)
    stack.callback(client.close)
    stack.callback(client.delete_collection, collection_name(own.version))
    return _opened(stack, Path(), own, url=SERVER_URL)


@pytest.fixture(scope="session")
def shots_of() -> Callable[..., list[ShotRecord]]:
    """Makes a title's shots: the same seed, the same shots."""
    return _shots_of


def _shots_of(
    title_id: str, generation: str = "g1", *, count: int = 30, seed: int = 0
) -> list[ShotRecord]:
    rng = np.random.default_rng([seed, *title_id.encode()])
    records = []
    for shot in range(count):
        vectors = {space: _unit(rng, dim) for space, dim in DIMS.items()}
        spoken = " ".join(rng.choice(VOCABULARY, size=rng.integers(1, 12)))
        silent = shot % 3 == 0
        if silent:
            del vectors["audio"]
        payload = {
            "title": title_id.upper(),
            "year": 1990 + shot % 10,
            "position": shot / count,
            "tags": ["day" if shot % 2 else "night", "crane shot"],
            "house style": "wide" if shot % 5 else "close",
        }
        records.append(
            ShotRecord(
                title_id, generation, shot, vectors, "" if shot % 4 == 0 else spoken, payload
            )
        )
    return records


@pytest.fixture
def direction() -> Callable[..., Vector]:
    """Makes a unit vector of a space from a seed."""

    def make(space: str, seed: int = 1) -> Vector:
        return _unit(np.random.default_rng(seed), DIMS[space])

    return make


def _unit(rng: np.random.Generator, dim: int) -> Vector:
    vector = rng.normal(size=dim)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


@pytest.fixture
def reference() -> Callable[[Sequence[ShotRecord], Query], dict[Found, dict[str, float]]]:
    return _reference


def _reference(records: Sequence[ShotRecord], query: Query) -> dict[Found, dict[str, float]]:
    """Answer a query the slow and obvious way, shot by shot and word by word."""
    similarities: dict[Found, dict[str, float]] = {}
    question = query.wanted[0]
    bm25 = _bm25(records, question.line)
    for record in records:
        found = (record.title_id, record.shot)
        similarities[found] = {
            space: float(record.vectors[space] @ vector)
            for space, vector in question.vectors.items()
            if space in record.vectors
        }
        if question.line and record.words:
            similarities[found][LINE] = bm25[found]
    allowed = [
        (record.title_id, record.shot)
        for record in records
        if all(
            _holds(condition, {**record.payload, "title_id": record.title_id})
            for condition in query.conditions
        )
    ]
    proposed: set[Found] = set()
    for space in [*question.vectors, LINE]:
        having = [found for found in allowed if similarities[found].get(space, 0.0) != 0.0]
        having.sort(key=lambda found, space=space: -similarities[found][space])
        cut = [similarities[found][space] for found in having[query.candidates - 1 :][:2]]
        assert len(cut) < 2 or cut[0] > cut[1] + 1e-5, "a tie at the cut has no one right answer"
        proposed.update(having[: query.candidates])
    return {found: similarities[found] for found in proposed}


def _bm25(
    records: Sequence[ShotRecord], line: str, k: float = 1.2, b: float = 0.75
) -> Counter[Found]:
    documents = {(r.title_id, r.shot): r.words.split() for r in records if r.words}
    scores: Counter[Found] = Counter()
    for word in set(line.split()):
        holding = sum(word in words for words in documents.values())
        idf = math.log((len(documents) - holding + 0.5) / (holding + 0.5) + 1)
        for found, words in documents.items():
            times = words.count(word)
            length = 1 - b + b * len(words) / TYPICAL_TOKENS
            scores[found] += idf * times * (k + 1) / (times + k * length)
    return scores


def _holds(condition: Condition, payload: Mapping[str, object]) -> bool:
    value = payload.get(condition.name)
    if isinstance(condition, Equals):
        return condition.value in value if isinstance(value, list) else condition.value == value
    assert isinstance(condition, Between)
    assert isinstance(value, float | int)
    low = -math.inf if condition.low is None else condition.low
    high = math.inf if condition.high is None else condition.high
    return low <= value <= high


@contextmanager
def _folder() -> Iterator[Path]:
    """Yield a folder on disk, where a shard's files can be sparse: in memory they are not."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)
