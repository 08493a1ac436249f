"""A search index built beside searching: nobody notices, and a crash leaves one whole shard."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from asking import query_of

from qdrant import optimise, search_index
from qdrant.errors import StoreUnavailable, TrimbinError
from qdrant.replacement import INDEXING, OUTGOING, READY
from qdrant.search_index import is_due, read_held

DOOMED = Path(__file__).parent / "doomed_indexer.py"
STEPS = ("copied", "building", "built", "caught up", "ready", "between renames", "in place")
"""After which an owner is killed, as `doomed_indexer.py` calls them."""
KEPT = ("alpha", "bravo", "charlie")


@pytest.fixture
def filled(open_library, shots_of):
    with open_library("trimbin ui") as store:
        for title in KEPT:
            store.publish(title, "g1", shots_of(title))
        yield store


@pytest.fixture
def query(direction):
    return query_of({"video": direction("video"), "text": direction("text")}, "rain copper",
                    candidates=500)  # fmt: skip


def found(store, query, titles=KEPT):
    """Return what answers a query: (title, shot) -> generation and similarities, rounded."""
    return {
        (hit.title_id, hit.shot): (
            hit.payload["generation"],
            {space: round(x, 4) for space, x in hit.answers[0].items()},
        )
        for hit in store.query(query)
        if hit.title_id in titles
    }


def indexed_vectors(store):
    return store._backend._shard.info().indexed_vectors_count


def left_over(library):
    return [name for name in (INDEXING, READY, OUTGOING) if (library / "v1" / name).exists()]


def test_the_index_is_there_is_used_and_survives(library, open_library, filled, query):
    before, lines_alone = found(filled, query), indexed_vectors(filled)
    assert filled.build_index()
    every_vector = sum(len(filled.vectors(title, shot)) for title in KEPT for shot in range(30))
    assert indexed_vectors(filled) == every_vector + lines_alone
    assert read_held(library / "v1" / "shard") == dict.fromkeys(KEPT, ("g1", 30))
    assert found(filled, query) == before
    assert left_over(library) == []
    filled.close()
    with open_library() as again:
        assert indexed_vectors(again) == every_vector + lines_alone
        assert found(again, query) == before
        assert again.generations() == dict.fromkeys(KEPT, "g1")


def test_what_comes_and_goes_while_the_index_is_built_is_carried_over(
    library, filled, shots_of, query, monkeypatch
):
    build = search_index.build

    def build_while_titles_change(*args, **kwargs):
        done = build(*args, **kwargs)
        filled.remove("alpha")
        filled.publish("bravo", "g2", shots_of("bravo", "g2", count=12))
        filled.publish("delta", "g1", shots_of("delta", count=70))
        changed.update(found(filled, query, ("alpha", "bravo", "charlie", "delta")))
        return done

    changed = {}
    monkeypatch.setattr(search_index, "build", build_while_titles_change)
    assert filled.build_index()
    assert filled.generations() == {"bravo": "g2", "charlie": "g1", "delta": "g1"}
    assert found(filled, query, ("alpha", "bravo", "charlie", "delta")) == changed
    assert filled.count() == 12 + 30 + 70
    assert filled._backend.count(None) == 12 + 30 + 70 + 1, "nothing else but the registry"
    assert read_held(library / "v1" / "shard") == dict.fromkeys(KEPT, ("g1", 30))


def test_searching_never_notices(open_library, filled, shots_of, query):
    """The owner and a reader search without pause while titles come, change and go.

    Titles do so only when both have looked in between: faster, and searches give up in the end.
    """
    before, until, problems = found(filled, query), threading.Event(), []
    sizes, answers = {"g1": 30, "g2": 20}, {"owner": 0, "reader": 0}

    def search(store, name):
        while not until.is_set():
            try:
                hits = store.query(query)
            except TrimbinError as error:
                problems.append(error)
                return
            seen = {}
            for hit in hits:
                seen.setdefault((hit.title_id, hit.payload["generation"]), []).append(hit.shot)
            answers[name] += 1
            whole = all(sorted(s) == list(range(sizes[gen])) for (_, gen), s in seen.items())
            if not whole or not {(title, "g1") for title in KEPT} <= seen.keys():
                problems.append(seen)
            if len({title for title, _ in seen}) != len(seen):
                problems.append(seen)

    def publish():
        turn = 0
        while not until.is_set():
            for change in (
                lambda: filled.publish("delta", "g1", shots_of("delta")),
                lambda turn=turn: filled.publish(
                    f"e{turn}", "g2", shots_of(f"e{turn}", "g2", count=20)
                ),
                lambda: filled.publish("delta", "g2", shots_of("delta", "g2", count=20)),
                lambda turn=turn: filled.remove(f"e{turn - 1}"),
                lambda: filled.remove("delta"),
            ):
                try:
                    change()
                except TrimbinError as error:
                    problems.append(error)
                then = dict(answers)
                while any(answers[name] < then[name] + 2 for name in answers):
                    if until.is_set() or problems:
                        break
                    time.sleep(0.01)
            turn += 1

    with open_library("trimbin search") as reader:
        assert not reader.owned
        threads = [
            threading.Thread(target=search, args=(filled, "owner")),
            threading.Thread(target=search, args=(reader, "reader")),
            threading.Thread(target=publish),
        ]
        for thread in threads:
            thread.start()
        assert filled.build_index()
        assert filled.build_index()  # a second one takes the place of the first
        until.set()
        for thread in threads:
            thread.join()
        assert problems == []
        assert min(answers.values()) > 5
        for title in filled.generations().keys() - set(KEPT):
            filled.remove(title)  # or the line's idf would not be the same
        assert found(filled, query) == found(reader, query) == before
        assert indexed_vectors(filled) > 0


@pytest.mark.parametrize("step", STEPS)
def test_an_owner_killed_at_any_step_leaves_one_whole_shard(
    library, open_library, filled, query, step
):
    before = found(filled, query)
    filled.close()
    killed = subprocess.run(
        [sys.executable, DOOMED, library, step], stdout=subprocess.PIPE, text=True, check=False
    )
    assert killed.returncode < 0
    with open_library() as after:
        assert found(after, query) == before
        assert after.count() == 90
        assert left_over(library) == []
        indexed = STEPS.index(step) >= STEPS.index("ready")
        assert (indexed_vectors(after) > 200) is indexed
    if sys.platform == "linux" and killed.stdout:
        assert is_gone(int(killed.stdout)), "the child outlives its owner"


def is_gone(pid):
    for _ in range(600):
        status = Path(f"/proc/{pid}/status")
        if not status.exists() or "State:\tZ" in status.read_text():
            return True
        time.sleep(0.05)
    return False


def test_a_child_that_is_killed_is_told_and_searching_goes_on(
    library, filled, query, monkeypatch, shots_of
):
    begin, before = optimise.begin, found(filled, query)

    def begin_and_kill(*args, **kwargs):
        child = begin(*args, **kwargs)
        child.kill()
        return child

    with monkeypatch.context() as patch:
        patch.setattr(optimise, "begin", begin_and_kill)
        with pytest.raises(StoreUnavailable, match=r"could not be built \(.*-9\).*goes on"):
            filled.build_index()
    assert found(filled, query) == before
    assert left_over(library) == []
    filled.publish("delta", "g1", shots_of("delta"))
    assert filled.build_index()


def test_a_damaged_copy_is_told_with_the_engines_reason(filled, monkeypatch, query):
    begin, before = optimise.begin, found(filled, query)

    def damage_and_begin(shard, *args, **kwargs):
        (shard / "edge_config.json").write_text("{")
        return begin(shard, *args, **kwargs)

    monkeypatch.setattr(optimise, "begin", damage_and_begin)
    with pytest.raises(StoreUnavailable, match=r"could not be built \(.*edge_config"):
        filled.build_index()
    assert found(filled, query) == before


def test_without_room_for_the_copy_there_is_a_sentence_and_no_copy(
    library, filled, query, monkeypatch
):
    before = found(filled, query)
    monkeypatch.setattr(search_index, "ROOM", 1e12)
    with pytest.raises(StoreUnavailable, match=r"GB of free disk .*slower until there is room"):
        filled.build_index()
    assert left_over(library) == []
    assert found(filled, query) == before


def test_closing_ends_a_building_early(library, open_library, filled, query, monkeypatch):
    begin, before, begun = optimise.begin, found(filled, query), threading.Event()
    results = []

    def begin_and_tell(*args, **kwargs):
        child = begin(*args, **kwargs)
        begun.set()
        return child

    monkeypatch.setattr(optimise, "begin", begin_and_tell)
    building = threading.Thread(target=lambda: results.append(filled.build_index()))
    building.start()
    assert begun.wait(30)
    filled.close()
    building.join()
    assert results == [False]
    assert left_over(library) == []
    with open_library() as again:
        assert found(again, query) == before


def test_readers_and_servers_never_have_one_to_build(open_library, filled, monkeypatch):
    monkeypatch.setattr(search_index, "MANY_POINTS", 1)
    assert filled.index_is_due()
    with open_library("trimbin search") as reader:
        assert not reader.index_is_due()
        assert not reader.build_index()


def test_an_index_is_due_by_what_it_does_not_hold(monkeypatch):
    monkeypatch.setattr(search_index, "MANY_POINTS", 100)
    monkeypatch.setattr(search_index, "GROWN_BY", 0.2)
    old = {"alpha": ("g1", 600), "bravo": ("g1", 400)}
    shown = {"alpha": "g1", "bravo": "g1"}
    assert not is_due(100, {}, {})
    assert is_due(101, {}, shown)
    assert not is_due(1000, old, shown)
    assert not is_due(1250, old, {**shown, "charlie": "g1"})  # a fifth is new
    assert is_due(1251, old, {**shown, "charlie": "g1"})
    assert is_due(1000, old, {**shown, "bravo": "g2"})  # published anew
    assert not is_due(100, old, {"bravo": "g2"})


def test_one_title_republished_again_and_again_is_still_whole(filled, shots_of, query):
    """The same generation taken away and published again while the index is built."""
    records = [replace(shot, generation="g1") for shot in shots_of("alpha")]
    done = threading.Event()

    def churn():
        while not done.is_set():
            filled.remove("alpha")
            filled.publish("alpha", "g1", records)

    before, thread = found(filled, query), threading.Thread(target=churn)
    thread.start()
    assert filled.build_index()
    done.set()
    thread.join()
    assert found(filled, query) == before
