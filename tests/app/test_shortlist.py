"""Shortlists keep spans, once each, in order, whoever writes at the same time."""

import multiprocessing
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from app import shortlist
from app.shortlist import MAX_NAME_CHARACTERS, Item, Shortlists
from qdrant.errors import StoreUnavailable, UsageError


@pytest.fixture
def shortlists(tmp_path: Path) -> Shortlists:
    return Shortlists(tmp_path / "shortlists.sqlite")


def add(shortlists: Shortlists, start_frame: int, *, name: str = "Selects", note: str = "") -> Item:
    return shortlists.add(
        name,
        title_id="t1",
        start_frame=start_frame,
        end_frame=start_frame + 24,
        rate="24/1",
        title="A Film",
        note=note,
        query="a cat",
    )


def test_items_come_back_whole_and_in_order(shortlists: Shortlists) -> None:
    kept = [add(shortlists, start) for start in (480, 0, 96)]
    assert shortlists.items("Selects") == kept
    first = kept[0]
    assert (first.title_id, first.start_frame, first.end_frame) == ("t1", 480, 504)
    assert (first.rate, first.title, first.query) == ("24/1", "A Film", "a cat")


def test_the_same_span_is_kept_once_a_list(shortlists: Shortlists) -> None:
    first = add(shortlists, 10, note="the first")
    assert add(shortlists, 10, note="again") == first
    assert [item.note for item in shortlists.items("Selects")] == ["the first"]
    add(shortlists, 10, name="Trailer")
    assert shortlists.names() == ["Selects", "Trailer"]


def test_remove_and_note(shortlists: Shortlists) -> None:
    one, other = add(shortlists, 0), add(shortlists, 24)
    assert shortlists.annotate(other.item_id, "slow zoom")
    assert shortlists.remove(one.item_id)
    assert not shortlists.remove(one.item_id)
    assert not shortlists.annotate(one.item_id, "gone")
    assert [item.note for item in shortlists.items("Selects")] == ["slow zoom"]


def test_nothing_kept_is_no_error(shortlists: Shortlists) -> None:
    assert shortlists.names() == []
    assert shortlists.items("Selects") == []
    assert not shortlists.path.exists()


def test_reading_waits_for_no_writer_and_writes_nothing(
    shortlists: Shortlists, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = add(shortlists, 0)
    monkeypatch.setattr(shortlist, "BUSY_TIMEOUT_S", 0.1)
    with closing(sqlite3.connect(shortlists.path)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        assert shortlists.names() == ["Selects"]
        assert shortlists.items("Selects") == [kept]


def test_a_file_that_is_just_being_made_holds_nothing_and_stays_as_it_is(
    shortlists: Shortlists,
) -> None:
    shortlists.path.touch()
    assert shortlists.names() == []
    assert shortlists.items("Selects") == []
    assert shortlists.path.stat().st_size == 0


def test_any_folder_name_can_be_read(tmp_path: Path) -> None:
    folder = tmp_path / "50% #1? ü"
    folder.mkdir()
    shortlists = Shortlists(folder / "shortlists.sqlite")
    assert shortlists.items("Selects") == []
    kept = add(shortlists, 0)
    assert shortlists.items("Selects") == [kept]


def test_names_are_tidied_and_kept_as_text(shortlists: Shortlists) -> None:
    add(shortlists, 0, name="  Act   one ")
    add(shortlists, 0, name="'); DROP TABLE items; --")
    assert shortlists.names() == ["Act one", "'); DROP TABLE items; --"]


@pytest.mark.parametrize("name", ["", "  ", "x" * (MAX_NAME_CHARACTERS + 1)])
def test_a_name_that_is_none_is_refused(name: str, shortlists: Shortlists) -> None:
    with pytest.raises(UsageError, match="shortlist"):
        add(shortlists, 0, name=name)


def test_an_empty_span_is_refused(shortlists: Shortlists) -> None:
    with pytest.raises(UsageError, match="Frames 5 to 5 are no span"):
        shortlists.add("S", title_id="t", start_frame=5, end_frame=5, rate="24/1", title="T")


def test_a_spoiled_file_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "shortlists.sqlite"
    path.write_bytes(b"this is no database at all, but long enough to be looked at" * 20)
    with pytest.raises(StoreUnavailable, match=r"shortlists\.sqlite cannot be read or written"):
        Shortlists(path).names()


def _add_many(path: Path, worker: int, barrier: object) -> None:
    barrier.wait(30)  # type: ignore[attr-defined]
    for n in range(25):
        add(Shortlists(path), 1000 * worker + 24 * n)


def test_four_processes_adding_at_once_lose_nothing(shortlists: Shortlists) -> None:
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(4)
    workers = [
        context.Process(target=_add_many, args=(shortlists.path, n, barrier)) for n in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0, 0, 0]
    items = shortlists.items("Selects")
    assert len(items) == 100
    assert len({item.start_frame for item in items}) == 100
    with sqlite3.connect(shortlists.path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
