"""Shortlists keep spans, once each, in order, whoever writes at the same time."""

import multiprocessing
import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from app import shared_file
from app.shortlist import MAX_NAME_CHARACTERS, Item, Pick, Shortlists
from qdrant.errors import StoreUnavailable, UsageError


@pytest.fixture
def shortlists(tmp_path: Path) -> Shortlists:
    return Shortlists(tmp_path / "shortlists.sqlite")


def add(shortlists: Shortlists, start_frame: int, *, name: str = "Selects", note: str = "") -> Item:
    pick = Pick("t1", start_frame, start_frame + 24, "24/1", "A Film", note, "a cat")
    return shortlists.add(name, pick)


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
    monkeypatch.setattr(shared_file, "BUSY_TIMEOUT_S", 0.1)
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


def test_many_are_kept_in_one_change(shortlists: Shortlists) -> None:
    """Each span once, those kept before included; marks only where there were none."""
    before = add(shortlists, 24, note="mine")
    picks = [
        Pick("t1", start, start + 24, "24/1", "A Film", stars=stars)
        for start, stars in ((0, 2), (24, 3), (0, 5), (48, 0))
    ]
    kept = shortlists.add_all("Selects", picks)
    assert [(item.start_frame, item.stars, item.note) for item in kept] == [
        (0, 2, ""), (24, 3, "mine"), (48, 0, ""),
    ]  # fmt: skip
    assert [item.start_frame for item in shortlists.items("Selects")] == [24, 0, 48]
    assert shortlists.history("Selects")[0].what == "Added A Film [0, 24) and 2 more"
    assert shortlists.add_all("Selects", picks) == kept
    shortlists.undo("Selects")
    assert shortlists.items("Selects") == [before]


def test_an_empty_span_is_refused(shortlists: Shortlists) -> None:
    with pytest.raises(UsageError, match="Frames 5 to 5 are no span"):
        shortlists.add("S", Pick("t", 5, 5, "24/1", "T"))


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


EARLIER_TABLE = """
CREATE TABLE IF NOT EXISTS items (
    item_id INTEGER PRIMARY KEY AUTOINCREMENT, list TEXT NOT NULL, title_id TEXT NOT NULL,
    start_frame INTEGER NOT NULL, end_frame INTEGER NOT NULL, rate TEXT NOT NULL,
    title TEXT NOT NULL, note TEXT NOT NULL, query TEXT NOT NULL, added_at TEXT NOT NULL,
    UNIQUE (list, title_id, start_frame, end_frame))
"""
INSERT_EARLIER = (
    "INSERT INTO items (list, title_id, start_frame, end_frame, rate, title, note, query, "
    "added_at) VALUES (?, 't1', ?, ?, '24/1', 'A Film', ?, 'a cat', '2025-01-02T03:04:05+00:00')"
)


@pytest.fixture
def earlier(shortlists: Shortlists) -> Shortlists:
    """A file of the first format: two lists, an item removed between two."""
    with closing(sqlite3.connect(shortlists.path)) as connection:
        connection.execute(EARLIER_TABLE)
        for name, start in (("B", 0), ("A", 24), ("B", 48), ("B", 96)):
            connection.execute(INSERT_EARLIER, (name, start, start + 24, f"note {start}"))
        connection.execute("DELETE FROM items WHERE item_id = 3")
        connection.commit()
    return shortlists


def test_an_earlier_file_is_read_as_it_lies_and_taken_over_at_the_first_change(
    earlier: Shortlists,
) -> None:
    before = earlier.path.read_bytes()
    assert earlier.names() == ["B", "A"]
    read = earlier.items("B")
    assert [(i.item_id, i.start_frame, i.note) for i in read] == [
        (1, 0, "note 0"),
        (4, 96, "note 96"),
    ]
    assert earlier.path.read_bytes() == before
    added = add(earlier, 200, name="B")
    assert added.item_id == 5
    assert earlier.items("B") == [*read, added]
    assert [i.note for i in earlier.items("A")] == ["note 24"]
    assert earlier.history("A")[0].what == "Taken over from an earlier Trimbin"
    with closing(sqlite3.connect(earlier.path)) as old, pytest.raises(sqlite3.OperationalError):
        old.execute(EARLIER_TABLE)  # what an earlier Trimbin does before it writes
        old.execute(INSERT_EARLIER, ("B", 0, 24, ""))


def test_a_later_file_is_refused(shortlists: Shortlists) -> None:
    add(shortlists, 0)
    with closing(sqlite3.connect(shortlists.path)) as connection:
        connection.execute("PRAGMA user_version = 9")
    with pytest.raises(StoreUnavailable, match="by a later Trimbin"):
        shortlists.names()


def test_a_library_that_cannot_be_written_is_read(earlier: Shortlists) -> None:
    folder = earlier.path.parent
    earlier.path.chmod(0o444)
    folder.chmod(0o555)
    try:
        assert len(earlier.items("B")) == 2
        assert [path.name for path in folder.iterdir()] == ["shortlists.sqlite"]
    finally:
        folder.chmod(0o755)


def test_order_survives_any_number_of_moves_into_one_gap(shortlists: Shortlists) -> None:
    a, b, c = (add(shortlists, start) for start in (0, 24, 48))
    for n in range(60):  # each halves the gap after the first; they are spaced anew in between
        assert shortlists.move((c, b)[n % 2].item_id, after=a.item_id)
    assert [i.start_frame for i in shortlists.items("Selects")] == [0, 24, 48]
    shortlists.move(c.item_id, before=a.item_id)
    assert [i.start_frame for i in shortlists.items("Selects")] == [48, 0, 24]
    shortlists.move(c.item_id)
    assert [i.start_frame for i in shortlists.items("Selects")] == [0, 24, 48]


def test_trimming_keeps_to_the_title_and_to_one_of_each_span(shortlists: Shortlists) -> None:
    a, b = add(shortlists, 0), add(shortlists, 24)
    assert shortlists.nudge(a.item_id, start_by=3, end_by=-1, num_frames=48)
    assert (shortlists.items("Selects")[0].start_frame, shortlists.item(a.item_id).end_frame) == (
        3,
        23,
    )  # type: ignore[union-attr]
    with pytest.raises(UsageError, match="ends at frame 48"):
        shortlists.nudge(b.item_id, end_by=1, num_frames=48)
    with pytest.raises(UsageError, match="Frames 23 to 23 are no span"):
        shortlists.trim(a.item_id, start_frame=23)
    with pytest.raises(UsageError, match="already"):
        shortlists.trim(a.item_id, start_frame=24, end_frame=48)
    with pytest.raises(UsageError, match="0 to 5 stars"):
        shortlists.star(a.item_id, 6)
    with pytest.raises(UsageError, match="no label"):
        shortlists.colour(a.item_id, "mauve")


def test_lists_are_renamed_copied_deleted_and_recovered(shortlists: Shortlists) -> None:
    add(shortlists, 0, note="mine")
    shortlists.handle("Selects", 12)
    shortlists.rename("Selects", "Trailer")
    shortlists.duplicate("Trailer", "Copy")
    copied = shortlists.look("Copy")
    assert copied is not None
    assert (copied.handles, copied.items[0].note) == (12, "mine")
    with pytest.raises(UsageError, match="called 'Copy' already"):
        shortlists.rename("Trailer", "Copy")
    shortlists.delete("Trailer")
    assert (shortlists.names(), shortlists.deleted()) == (["Copy"], ["Trailer"])
    shortlists.recover("Trailer")
    assert [i.note for i in shortlists.items("Trailer")] == ["mine"]
    assert shortlists.undo("Trailer") == "Renamed Selects to Trailer"
    with pytest.raises(UsageError, match="No shortlist is called 'Trailer'"):
        shortlists.undo("Trailer")


def test_the_history_says_who_did_what(shortlists: Shortlists) -> None:
    item = add(Shortlists(shortlists.path, who="Ada"), 0)
    Shortlists(shortlists.path, who="Ben").star(item.item_id, 2)
    told = [(change.who, change.what) for change in shortlists.history("Selects")]
    assert told == [
        ("Ben", "2 stars for A Film"), ("Ada", "Added A Film [0, 24)"), ("Ada", "Begun")
    ]  # fmt: skip
    assert item.added_by == "Ada"


State = list[tuple[int, int, str, int]]


class Slow:
    """Undo as it is understood at once: whole lists on two piles."""

    def __init__(self) -> None:
        self.now: State = []
        self.past: list[State] = []
        self.future: list[State] = []
        self.seen: dict[int, State] = {}

    def become(self, state: State) -> None:
        if state != self.now:
            self.past, self.future, self.now = [*self.past, self.now], [], state

    def undo(self) -> None:
        if self.past:
            self.future.append(self.now)
            self.now = self.past.pop()

    def redo(self) -> None:
        if self.future:
            self.past.append(self.now)
            self.now = self.future.pop()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_any_changes_undone_redone_and_restored_are_as_in_a_slow_reference(
    seed: int, shortlists: Shortlists
) -> None:
    chance, slow = random.Random(seed), Slow()
    shortlists.begin("Selects")
    for n in range(120):
        ids, now = [row[0] for row in slow.now], list(slow.now)
        at = chance.randrange(len(now)) if now else -1
        match chance.choice(
            ["add", "add", "star", "note", "move", "remove", "undo", "undo", "redo", "restore"]
        ):
            case "add":
                item = add(shortlists, 24 * n)
                slow.become([*now, (item.item_id, 24 * n, "", 0)])
            case "star" if now:
                shortlists.star(ids[at], n % 6)
                now[at] = (*now[at][:3], n % 6)
                slow.become(now)
            case "note" if now:
                shortlists.annotate(ids[at], f"note {n}")
                now[at] = (*now[at][:2], f"note {n}", now[at][3])
                slow.become(now)
            case "move" if now:
                to = chance.randrange(-3, 4)
                shortlists.move(ids[at], by=to)
                moved = now.pop(at)
                now.insert(min(max(at + to, 0), len(now)), moved)
                slow.become(now if to else slow.now)
            case "remove" if now:
                shortlists.remove(ids[at])
                slow.become(now[:at] + now[at + 1 :])
            case "undo":
                shortlists.undo("Selects")
                slow.undo()
            case "redo":
                shortlists.redo("Selects")
                slow.redo()
            case "restore" if slow.seen:
                change = chance.choice(list(slow.seen))
                shortlists.restore("Selects", change)
                slow.become(slow.seen[change])
        found = shortlists.look("Selects")
        assert found is not None
        assert [(i.item_id, i.start_frame, i.note, i.stars) for i in found.items] == slow.now
        assert (bool(found.can_undo), bool(found.can_redo)) == (bool(slow.past), bool(slow.future))
        slow.seen[found.last_change] = slow.now


def _edit_many(path: Path, worker: int, ids: list[int], barrier: object) -> None:
    barrier.wait(30)  # type: ignore[attr-defined]
    lists = Shortlists(path, who=f"worker {worker}")
    for n in range(15):
        lists.nudge(ids[0], end_by=1)
        lists.annotate(ids[1 + worker], f"note {n} of {worker}")
        lists.move(ids[1 + worker], by=1 if n % 2 else -1)


def test_processes_that_trim_one_moment_and_move_others_lose_nothing(
    shortlists: Shortlists,
) -> None:
    """Three trim the same out point by 15 frames each; every change is in the history."""
    ids = [add(shortlists, 1000 * n).item_id for n in range(4)]
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(3)
    workers = [
        context.Process(target=_edit_many, args=(shortlists.path, n, ids, barrier))
        for n in range(3)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    items = {item.item_id: item for item in shortlists.items("Selects")}
    assert items[ids[0]].end_frame == 24 + 3 * 15
    assert [items[i].note for i in ids[1:]] == [f"note 14 of {n}" for n in range(3)]
    history = shortlists.history("Selects", limit=1000)
    for n in range(3):
        trims = [c for c in history if c.who == f"worker {n}" and c.what.startswith("Trimmed")]
        assert len(trims) == 15
    for _ in history:
        shortlists.undo("Selects")
    assert shortlists.items("Selects") == []
