"""A collection that several processes write, and several libraries share, as on a server."""

from __future__ import annotations

import threading
import time

import pytest
from asking import query_of

from qdrant import shots as shots_module
from qdrant.edge import EdgeBackend
from qdrant.shots import ABANDONED_AFTER_S, CHUNK_POINTS, Shots


@pytest.fixture
def backend(library, schema):
    """A shard treated as a server is: anybody may have written since we last looked."""
    backend = EdgeBackend(library / "v1")
    backend.ensure(schema)
    backend.shared = True
    yield backend
    backend.close()


def opened(backend, schema, library_id="film-club"):
    return Shots(backend, schema, library_id=library_id, one_library=False)


def test_two_publishers_lose_nothing_of_each_other(backend, schema, shots_of):
    publishers = {prefix: opened(backend, schema) for prefix in "ab"}
    problems = []

    def publish(prefix):
        try:
            for i in range(15):
                title = f"{prefix}{i}"
                publishers[prefix].publish(title, "g1", shots_of(title, count=3))
        except Exception as error:  # whatever it is, the main thread must hear of it
            problems.append(error)

    threads = [threading.Thread(target=publish, args=prefix) for prefix in publishers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert problems == []
    everything = {f"{prefix}{i}": "g1" for prefix in "ab" for i in range(15)}
    for publisher in publishers.values():
        assert publisher.generations() == everything
        assert publisher.count() == 90


def test_two_publishers_of_the_same_generation_agree(backend, schema, shots_of):
    one, other = opened(backend, schema), opened(backend, schema)
    one.publish("alpha", "g1", shots_of("alpha"))
    other.publish("alpha", "g1", shots_of("alpha"))
    other.publish("alpha", "g2", shots_of("alpha", "g2", count=5))

    assert one.generations() == {"alpha": "g2"}
    assert one.count() == 5


def test_libraries_do_not_see_each_other(backend, schema, shots_of, direction):
    """The same film in both: the same title, generation and shots."""
    first, second = opened(backend, schema, "first"), opened(backend, schema, "second")
    first.publish("alpha", "g1", shots_of("alpha"))
    second.publish("alpha", "g1", shots_of("alpha"))
    second.publish("bravo", "g1", shots_of("bravo"))
    query = query_of({"video": direction("video")}, "rain", candidates=500)

    assert (first.count(), second.count()) == (30, 60)
    before = first.query(query)
    assert {hit.payload["library_id"] for hit in before} == {"first"}
    second.remove("alpha")
    assert first.count() == 30
    assert first.query(query) == before  # idf counts the library's own shots alone
    assert first.vectors("alpha", 1).keys() == shots_of("alpha")[1].vectors.keys()


def test_opening_spares_a_publication_under_way_and_clears_an_abandoned_one(
    backend, schema, shots_of, monkeypatch
):
    records = shots_of("alpha", count=2 * CHUNK_POINTS)

    class PowerCutError(Exception):
        pass

    def interrupt(_):
        raise PowerCutError

    publisher = opened(backend, schema)
    monkeypatch.setattr(publisher._backend, "count", interrupt)  # after the last chunk
    with pytest.raises(PowerCutError):
        publisher.publish("alpha", "g1", records)
    monkeypatch.undo()

    opened(backend, schema).repair()
    assert backend.count(None) == len(records) + 1
    tomorrow = time.time() + ABANDONED_AFTER_S + 1
    monkeypatch.setattr(shots_module.time, "time", lambda: tomorrow)
    opened(backend, schema).repair()
    assert backend.count(None) == 1
    assert opened(backend, schema).count() == 0
