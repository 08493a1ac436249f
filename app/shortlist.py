"""Shortlists: the moments worth keeping, by name, in an order of their own.

Every change is written down and can be taken back (`app/shortlists/ledger.py`); any number of
processes may change a list at once (`app/shared_file.py`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from app.shared_file import reading, writing
from app.shortlists import ledger
from app.shortlists.file import LAYOUT
from app.shortlists.item import (
    COLOURS,
    DEFAULT_LIST,
    MAX_HANDLE_FRAMES,
    MAX_NAME_CHARACTERS,
    Change,
    Item,
    Pick,
    Shortlist,
    check_marks,
    check_span,
    list_name,
)
from app.shortlists.ledger import Delta, Row
from app.shortlists.rows import (
    find,
    item_of,
    kept_in,
    need,
    next_item_id,
    of_item,
    places,
    refuse_taken,
    told,
    twin_in,
    unknown,
)
from app.shortlists.timing import seconds_of
from indexer.library import Library
from qdrant.errors import UsageError

__all__ = [
    "COLOURS", "DEFAULT_LIST", "MAX_NAME_CHARACTERS", "Change", "Item", "Pick", "Shortlist",
    "Shortlists", "list_name", "seconds_of",
]  # fmt: skip

SHORTLISTS_FILE = "shortlists.sqlite"

MAX_HISTORY = 200


@dataclass(frozen=True)
class Shortlists:
    """A library's shortlists, in one SQLite file that any number of processes may write.

    What names a list that is not there raises `UsageError`; a file that cannot be read or written
    raises `StoreUnavailable`.
    """

    path: Path
    who: str = ""  # whose changes these are

    @classmethod
    def of(cls, library: Library, *, who: str = "") -> Shortlists:
        """Return the shortlists of a library."""
        return cls(library.root / SHORTLISTS_FILE, " ".join(who.split())[:MAX_NAME_CHARACTERS])

    # Reading

    def names(self) -> list[str]:
        """Return the names of the lists, in the order they were begun."""
        return self._names("deleted_at = '' ORDER BY list_id")

    def deleted(self) -> list[str]:
        """Return the names of the lists that were deleted and can be recovered, newest first."""
        return list(dict.fromkeys(self._names("deleted_at <> '' ORDER BY deleted_at DESC")))

    def items(self, name: str) -> list[Item]:
        """Return a list's moments in their order; an unknown list has none."""
        found = self.look(name)
        return list(found.items) if found else []

    def look(self, name: str) -> Shortlist | None:
        """Return a list as it is at this instant; None where there is none."""
        with reading(self.path, LAYOUT) as connection:
            found = find(connection, name) if connection else None
            if connection is None or found is None:
                return None
            list_id = found["list_id"]
            newest = "SELECT max(change_id) FROM changes WHERE list_id = ?"
            undo, redo = (
                ledger.next_undo(connection, list_id),
                ledger.next_redo(connection, list_id),
            )
            rows = ledger.rows_of(connection, list_id).values()
            return Shortlist(
                list_id=list_id,
                name=found["name"],
                handles=found["handles"],
                items=tuple(item_of(row, found["name"]) for row in rows),
                last_change=connection.execute(newest, (list_id,)).fetchone()[0] or 0,
                can_undo=undo["what"] if undo else "",
                can_redo=redo["what"] if redo else "",
            )

    def item(self, item_id: int) -> Item | None:
        """Return a kept moment, of whatever list; None where it is on none."""
        with reading(self.path, LAYOUT) as connection:
            found = of_item(connection, item_id) if connection else None
            return item_of(found[1][item_id], found[0]["name"]) if found else None

    def history(self, name: str, *, limit: int = MAX_HISTORY) -> list[Change]:
        """Return a list's changes, newest first."""
        with reading(self.path, LAYOUT) as connection:
            found = connection.execute(
                "SELECT change_id, at, who, what, kind, state FROM changes WHERE list_id = ? "
                "ORDER BY change_id DESC LIMIT ?",
                (need(connection, name)["list_id"], limit),
            ) if connection else ()  # fmt: skip
            return [
                Change(row["change_id"], row["at"], row["who"], row["what"], row["kind"],
                       row["state"] in (ledger.UNDONE, ledger.ASIDE))
                for row in found
            ]  # fmt: skip

    def as_of(self, name: str, change_id: int) -> list[Item]:
        """Return a list's moments as they were after a change."""
        with reading(self.path, LAYOUT) as connection:
            if connection is None:
                raise unknown(name)
            rows = ledger.rows_after(connection, need(connection, name)["list_id"], change_id)
            return [item_of(row, name) for row in rows.values()]

    # Moments

    def add(self, name: str, pick: Pick) -> Item:
        """Keep a moment, at the end. The same span of the same title is kept once: the first stays.

        A list that is not there is begun. Raises `UsageError` for an empty span or name.
        """
        [item] = self.add_all(name, [pick])
        return item

    def add_all(self, name: str, picks: Sequence[Pick], *, what: str = "") -> list[Item]:
        """Keep moments as `add` does, in one change that one undo takes back; `what` names it.

        Each span comes once among those returned. Stars and a colour go to a span that was kept
        before where it has none.
        """
        for pick in picks:
            pick.check()
        name = list_name(name)
        with self._write() as connection:
            found = find(connection, name) or self._begin(connection, name)
            changed, kept = kept_in(
                ledger.rows_of(connection, found["list_id"]),
                picks,
                first_id=next_item_id(connection),
                who=self.who,
            )
            new = [row for _, row in changed.values()]
            first = f"Added {told(new[0])}" if new else ""
            more = f" and {len(new) - 1} more" if len(new) > 1 else ""
            self._make(connection, found, changed, what or first + more)
        return [item_of(row, name) for row in kept]

    def remove(self, item_id: int) -> bool:
        """Let a moment go. Returns whether it was there."""
        return self._alter(item_id, lambda row: None, lambda row: f"Removed {told(row)}")

    def annotate(self, item_id: int, note: str) -> bool:
        """Write a note to a kept moment. Returns whether it was there."""
        check_marks(note=note)
        return self._alter(item_id, lambda row: row | {"note": note}, lambda row: (
            f"Note to {row['title']}: {note[:60]}"))  # fmt: skip

    def star(self, item_id: int, stars: int) -> bool:
        """Give a moment 0 to 5 stars. Returns whether it was there."""
        check_marks(stars=stars)
        return self._alter(item_id, lambda row: row | {"stars": stars}, lambda row: (
            f"{stars} star{'' if stars == 1 else 's'} for {row['title']}"))  # fmt: skip

    def colour(self, item_id: int, colour: str) -> bool:
        """Give a moment one of `COLOURS`, or none (""). Returns whether it was there."""
        check_marks(colour=colour)
        return self._alter(item_id, lambda row: row | {"colour": colour}, lambda row: (
            f"{colour.capitalize() or 'No colour'} for {row['title']}"))  # fmt: skip

    def trim(
        self,
        item_id: int,
        *,
        start_frame: int | None = None,
        end_frame: int | None = None,
        num_frames: int | None = None,
    ) -> bool:
        """Set where a moment begins or ends; `num_frames` is its title's length, where known.

        Returns whether it was there. Raises `UsageError` for no span, for one beyond the title, and
        where the list has this span of the title already.
        """

        def span(row: Row) -> tuple[int, int]:
            return (row["start_frame"] if start_frame is None else start_frame,
                    row["end_frame"] if end_frame is None else end_frame)  # fmt: skip

        return self._span(item_id, span, num_frames)

    def nudge(
        self, item_id: int, *, start_by: int = 0, end_by: int = 0, num_frames: int | None = None
    ) -> bool:
        """Move a moment's in and out by frames from where they are now. As `trim` otherwise."""
        return self._span(
            item_id, lambda row: (row["start_frame"] + start_by, row["end_frame"] + end_by),
            num_frames,
        )  # fmt: skip

    def move(
        self,
        item_id: int,
        *,
        before: int | None = None,
        after: int | None = None,
        by: int | None = None,
    ) -> bool:
        """Put a moment before or after another of its list, or so many places on; else at the end.

        Returns whether it was there. A neighbour that has gone meanwhile leaves the order as it is.
        """
        with self._write() as connection:
            found = of_item(connection, item_id)
            if found is None:
                return False
            shortlist, rows = found
            order = list(rows)
            at = order.index(item_id)
            order.remove(item_id)
            neighbour = before if before is not None else after
            if by is not None:
                to = min(max(at + by, 0), len(order))
            elif neighbour is None:
                to = len(order)
            elif neighbour in order:
                to = order.index(neighbour) + (before is None)
            else:
                to = at
            order.insert(to, item_id)
            changed = places(rows, order, item_id)
            self._make(connection, shortlist, changed, f"Moved {told(rows[item_id])} to {to + 1}")
        return True

    # Lists

    def begin(self, name: str) -> str:
        """Begin an empty list. Returns its name; raises `UsageError` where it is taken."""
        name = list_name(name)
        with self._write() as connection:
            refuse_taken(connection, name)
            self._begin(connection, name)
        return name

    def rename(self, name: str, new_name: str) -> str:
        """Rename a list. Returns its new name; raises `UsageError` where it is taken."""
        new_name = list_name(new_name)
        self._settle(name, {"name": new_name}, f"Renamed {name} to {new_name}")
        return new_name

    def handle(self, name: str, handles: int) -> None:
        """Set how many frames of handle a list's exports have unless told otherwise."""
        if not 0 <= handles <= MAX_HANDLE_FRAMES:
            raise UsageError(f"Handles have 0 to {MAX_HANDLE_FRAMES} frames, not {handles}.")
        self._settle(name, {"handles": handles}, f"Handles of {handles} frames")

    def duplicate(self, name: str, new_name: str) -> str:
        """Begin a list with the moments and handles of another. Returns its name."""
        new_name = list_name(new_name)
        with self._write() as connection:
            source = need(connection, name)
            refuse_taken(connection, new_name)
            copy = self._begin(connection, new_name)
            first = next_item_id(connection)
            rows = ledger.rows_of(connection, source["list_id"]).values()
            items = {n: (None, row | {"item_id": n}) for n, row in enumerate(rows, start=first)}
            before = {"name": new_name, "handles": 0}
            after = before | {"handles": source["handles"]}
            ledger.make(connection, copy["list_id"], Delta(dict(items), (before, after)),
                        what=f"Copied from {name}", who=self.who)  # fmt: skip
        return new_name

    def delete(self, name: str) -> None:
        """Delete a list; `recover` brings it back whole."""
        with self._write() as connection:
            found = need(connection, name)
            now = datetime.now(UTC).isoformat(timespec="microseconds")
            self._keep_away(connection, found, now, "Deleted")

    def recover(self, name: str) -> str:
        """Bring a deleted list back, of several of a name the last. Returns what it is called."""
        with self._write() as connection:
            found = connection.execute(
                "SELECT * FROM lists WHERE name = ? AND deleted_at <> '' ORDER BY deleted_at DESC",
                (name,),
            ).fetchone()
            if found is None:
                raise UsageError(f"No deleted shortlist is called {name!r}.")
            refuse_taken(connection, name)
            self._keep_away(connection, found, "", "Recovered")
        return name

    # Time

    def undo(self, name: str) -> str:
        """Take a list's last change back, whoever made it. Returns what it was; nothing: none."""
        with self._write() as connection:
            return ledger.undo(connection, need(connection, name)["list_id"], self.who)

    def redo(self, name: str) -> str:
        """Make a change again that was undone. Returns what it was; nothing: there was none."""
        with self._write() as connection:
            return ledger.redo(connection, need(connection, name)["list_id"], self.who)

    def restore(self, name: str, change_id: int) -> None:
        """Bring a list's moments back as they were after a change; undo takes that back too."""
        with self._write() as connection:
            found = need(connection, name)
            now = ledger.rows_of(connection, found["list_id"])
            then = ledger.rows_after(connection, found["list_id"], change_id)
            items = {
                item_id: (now.get(item_id), then.get(item_id))
                for item_id in {**now, **then}
                if now.get(item_id) != then.get(item_id)
            }
            self._make(connection, found, items, f"Restored as of change {change_id}")

    # How changes are made

    def _span(
        self, item_id: int, span: Callable[[Row], tuple[int, int]], num_frames: int | None
    ) -> bool:
        def trimmed(row: Row) -> Row:
            start_frame, end_frame = span(row)
            check_span(start_frame, end_frame, num_frames)
            return row | {"start_frame": start_frame, "end_frame": end_frame}

        return self._alter(item_id, trimmed, lambda row: f"Trimmed {told(trimmed(row))}")

    def _alter(
        self, item_id: int, become: Callable[[Row], Row | None], tell: Callable[[Row], str]
    ) -> bool:
        with self._write() as connection:
            found = of_item(connection, item_id)
            if found is None:
                return False
            shortlist, rows = found
            before = rows.pop(item_id)
            after = become(before)
            if after and twin_in(rows, after["title_id"], after["start_frame"], after["end_frame"]):
                raise UsageError(
                    f"{shortlist['name']} has {told(after)} already. Remove one of the two, or "
                    "trim to other frames."
                )
            self._make(connection, shortlist, {item_id: (before, after)}, tell(before))
        return True

    def _settle(self, name: str, changes: Row, what: str) -> None:
        with self._write() as connection:
            found = need(connection, name)
            before = {"name": found["name"], "handles": found["handles"]}
            ledger.make(connection, found["list_id"], Delta(settings=(before, before | changes)),
                        what=what, who=self.who)  # fmt: skip

    def _begin(self, connection: sqlite3.Connection, name: str) -> sqlite3.Row:
        made = connection.execute("INSERT INTO lists (name) VALUES (?) RETURNING *", (name,))
        row: sqlite3.Row = made.fetchone()
        ledger.make(connection, row["list_id"], Delta(), what="Begun", who=self.who, kind="list")
        return row

    def _keep_away(
        self, connection: sqlite3.Connection, found: sqlite3.Row, deleted_at: str, what: str
    ) -> None:
        connection.execute(
            "UPDATE lists SET deleted_at = ? WHERE list_id = ?", (deleted_at, found["list_id"])
        )
        ledger.make(connection, found["list_id"], Delta(), what=what, who=self.who, kind="list")

    def _make(
        self,
        connection: sqlite3.Connection,
        shortlist: sqlite3.Row,
        items: Mapping[int, tuple[Row | None, Row | None]],
        what: str,
    ) -> None:
        ledger.make(connection, shortlist["list_id"], Delta(dict(items)), what=what, who=self.who)

    def _names(self, which: str) -> list[str]:
        with reading(self.path, LAYOUT) as connection:
            if connection is None:
                return []
            return [row[0] for row in connection.execute(f"SELECT name FROM lists WHERE {which}")]

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        with writing(self.path, LAYOUT) as connection:
            yield connection
