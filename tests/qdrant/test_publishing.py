"""A title changes whole or not at all, whatever goes wrong and whoever is looking."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from asking import query_of
from qdrant_client import models

from qdrant import lines, search_index
from qdrant.edge import EdgeBackend
from qdrant.errors import InputError, StoreUnavailable
from qdrant.points import shot_points
from qdrant.schema import LINE
from qdrant.server import ServerBackend
from qdrant.shots import Shots


def with_vector(record, space, vector):
    return replace(record, vectors={**record.vectors, space: np.asarray(vector, np.float32)})


def broken_shots(good):
    """Yield every way a shot may be unfit to be stored, and what is said of it."""
    nan = np.full(8, np.nan)
    yield with_vector(good, "video", nan), "length nan"
    yield with_vector(good, "video", np.ones(7) / np.sqrt(7)), r"shape \(7,\).*\(8,\)"
    yield with_vector(good, "video", np.zeros(8)), "length 0,"
    yield with_vector(good, "video", np.ones(8)), "length 2.828"
    yield with_vector(good, "context", np.ones(1)), "stores video, audio, text"
    yield replace(good, payload={"loudness": float("nan")}), "not JSON"
    yield replace(good, payload={"year": np.int64(1999)}), "not JSON"
    yield replace(good, shot=0), "twice"
    yield replace(good, generation="g9"), "generation g9"
    yield replace(good, title_id="other"), "belongs to other"


def test_publishing_is_all_or_nothing(place, shots_of, direction):
    place.writer.publish("alpha", "g1", shots_of("alpha"))
    everything = query_of({"video": direction("video")}, "rain", candidates=500)
    before = place.reader.query(everything)
    *good, last = shots_of("alpha", "g2", seed=1)

    for broken, message in broken_shots(last):
        with pytest.raises(InputError, match=message):
            place.writer.publish("alpha", "g2", [*good, broken])

    assert place.reader.generations() == {"alpha": "g1"}
    assert place.reader.count() == 30
    after = place.reader.query(everything)
    assert [hit.payload for hit in after] == [hit.payload for hit in before]
    for hit, hit_before in zip(after, before, strict=True):
        assert hit.answers[0] == pytest.approx(hit_before.answers[0])


def test_publishing_what_is_current_does_nothing(place, shots_of):
    place.writer.publish("alpha", "g1", shots_of("alpha"))
    place.writer.publish("alpha", "g1", shots_of("alpha", count=3))

    assert place.reader.count() == 30


def test_one_can_go_back_to_an_older_generation(place, shots_of):
    for generation, count in [("g1", 30), ("g2", 20), ("g1", 30)]:
        place.writer.publish("alpha", generation, shots_of("alpha", generation, count=count))
        assert place.reader.generations() == {"alpha": generation}
        assert place.reader.count() == count


def test_titles_may_share_the_name_of_a_generation(place, shots_of, direction):
    place.writer.publish("alpha", "g1", shots_of("alpha"))
    place.writer.publish("bravo", "g1", shots_of("bravo"))
    place.writer.publish("alpha", "g2", shots_of("alpha", "g2"))

    hits = place.reader.query(query_of({"video": direction("video")}, candidates=500))
    assert {(hit.title_id, hit.payload["generation"]) for hit in hits} == {
        ("alpha", "g2"),
        ("bravo", "g1"),
    }


def test_idf_counts_only_what_is_visible(place, shots_of, reference):
    first = [replace(shot, words="rain") for shot in shots_of("alpha", "g0")]
    place.writer.publish("alpha", "g0", first)
    current = shots_of("alpha", "g1")
    place.writer.publish("alpha", "g1", current)

    query = query_of(line="rain", candidates=500)
    wanted = {shot: scores[LINE] for (_, shot), scores in reference(current, query).items()}
    found = {hit.shot: hit.answers[0][LINE] for hit in place.reader.query(query)}
    assert found == pytest.approx(wanted, abs=1e-5)


def watch(store, query, *, until, problems, seen):
    """Query again and again; every answer must be one generation of `alpha`, whole."""
    while not until.wait(0.01):
        try:
            hits = store.query(query)
            generations = {hit.payload["generation"] for hit in hits}
            sizes = {hit.payload["size"] for hit in hits}
            if len(generations) != 1 or sizes != {len(hits)}:
                problems.append((generations, sizes, len(hits)))
            seen.update(generations)
        except Exception as error:  # whatever it is, the main thread must hear of it
            if "faster than it can be read" not in str(error):  # a refusal on a busy machine: whole
                problems.append(error)


def republish(store, shots_of, times, *, pause_s=0.0):
    for i in range(times):
        count = 70 + i % 5
        shots = shots_of("alpha", f"g{i}", count=count, seed=i)
        sized = [replace(shot, payload={**shot.payload, "size": count}) for shot in shots]
        store.publish("alpha", f"g{i}", sized)
        time.sleep(pause_s)


def test_readers_see_one_whole_generation_through_the_switch(place, shots_of, direction):
    """Four threads read while one publishes the same title twenty times.

    In memory just one: its client, made of Python loops, would keep the writer waiting.
    """
    query = query_of({"video": direction("video"), "text": direction("text")}, candidates=500)
    republish(place.writer, shots_of, 1)
    until, problems, seen = threading.Event(), [], set()
    shared = {"until": until, "problems": problems, "seen": seen}
    readers = [place.writer, *[place.reader] * (0 if place.name == "memory" else 3)]
    threads = [
        threading.Thread(target=watch, args=(store, query), kwargs=shared) for store in readers
    ]
    for thread in threads:
        thread.start()
    try:
        republish(place.writer, shots_of, 20, pause_s=0.03)
    finally:
        until.set()
        for thread in threads:
            thread.join()

    assert problems == []
    assert len(seen) > 5
    assert place.reader.count() == 74


class DiskThatFills(EdgeBackend):
    """An embedded shard whose disk is full once so many more writes are done."""

    writes_left = 10**9

    def upsert(self, points, *, only_if=None):
        self.writes_left -= 1
        self._min_free_bytes = 2**62 if self.writes_left < 0 else 0
        super().upsert(points, only_if=only_if)


def test_what_a_broken_off_publication_left_is_cleared_away(library, schema, shots_of):
    backend = DiskThatFills(library / "v1")
    backend.ensure(schema)
    with Shots(backend, schema, library_id="film-club") as shots:
        shots.publish("alpha", "g1", shots_of("alpha"))
        shots.publish("bravo", "g1", shots_of("bravo"))
        backend.writes_left = 3  # the registry, and two chunks of five
        with pytest.raises(StoreUnavailable, match=f"{library}.*the disk is full"):
            shots.publish("alpha", "g2", shots_of("alpha", "g2", count=300))

        assert shots.generations() == {"alpha": "g1", "bravo": "g1"}
        assert shots.count() == 30 + 30
        assert backend.count(None) == 60 + 128 + 1  # leftovers out of sight, and the registry
        shots.remove("bravo")  # a full disk can be made emptier
        backend.writes_left = 10**9
        shots.publish("alpha", "g3", shots_of("alpha", "g3", count=10))
        assert backend.count(None) == 10 + 1


def test_a_replaced_point_counts_no_longer_in_idf(library, schema, shots_of):
    """As a publication that failed half way leaves them in an index, when it is tried again."""
    request = models.QueryRequest(
        query=lines.question("rain", ("en",)),
        using=LINE,
        params=models.SearchParams(idf=models.IdfCorpusParams(corpus=models.Filter())),
        limit=50,
    )

    def points(words):
        records = [
            replace(s, words=words if s.shot < 150 else "rain") for s in shots_of("a", count=200)
        ]
        return shot_points(records, title_id="a", generation="g1", library_id="club", schema=schema)

    edge, memory = EdgeBackend(library / "v1"), ServerBackend(":memory:", collection="club")
    edge.ensure(schema)
    edge.upsert(points("rain harbour"))
    edge.close()
    assert search_index.build(library / "v1" / "shard", schema, stop=threading.Event())
    scores = []
    for backend in (edge, memory):
        backend.ensure(schema)
        backend.upsert(points("harbour"))
        [found] = backend.query_batch([request])
        scores.append({point.id: round(point.score, 4) for point in found})
        backend.close()
    assert scores[0] == scores[1] and len(scores[0]) == 50
