"""Every change of a list goes through here: it is made, and written down with what was before.

A change's delta holds each row it touched as it was and as it became, so that undo, redo and a
restored version are the same thing read backwards or forwards.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from qdrant.errors import UsageError

Row = dict[str, Any]
DONE, UNDONE, ASIDE = "done", "undone", "aside"
"""What a change of kind "do" is now. A new one puts those undone aside: they can no longer be
redone, but stay in the history."""

COLUMNS = (
    "item_id", "place", "title_id", "start_frame", "end_frame", "rate", "title", "note", "query",
    "added_at", "stars", "colour", "added_by",
)  # fmt: skip


@dataclass
class Delta:
    """What becomes of rows: item_id -> (as it was, as it is to be), None where there is none."""

    items: dict[int, tuple[Row | None, Row | None]] = field(default_factory=dict)
    settings: tuple[Row, Row] | None = None  # name, handles

    @property
    def is_empty(self) -> bool:
        """Whether nothing would be different."""
        same = all(before == after for before, after in self.items.values())
        return same and (self.settings is None or self.settings[0] == self.settings[1])

    def reversed(self) -> Delta:
        """Return what takes this back."""
        items = {item_id: (after, before) for item_id, (before, after) in self.items.items()}
        return Delta(items, self.settings and (self.settings[1], self.settings[0]))

    def to_json(self) -> str:
        """Return it as the ledger has it."""
        items = [[item_id, before, after] for item_id, (before, after) in self.items.items()]
        return json.dumps({"items": items, "list": self.settings}, ensure_ascii=False)

    @classmethod
    def of_json(cls, text: str) -> Delta:
        """Return what `to_json` made."""
        read = json.loads(text)
        settings = read.get("list")
        items = {item_id: (before, after) for item_id, before, after in read["items"]}
        return cls(items, (settings[0], settings[1]) if settings else None)


def rows_of(connection: sqlite3.Connection, list_id: int) -> dict[int, Row]:
    """Return a list's items as rows, in their order."""
    found = connection.execute(
        f"SELECT {', '.join(COLUMNS)} FROM moments WHERE list_id = ? ORDER BY place, item_id",
        (list_id,),
    )
    return {row["item_id"]: dict(row) for row in found}


def make(
    connection: sqlite3.Connection,
    list_id: int,
    delta: Delta,
    *,
    what: str,
    who: str,
    kind: str = "do",
) -> None:
    """Make a change and write it down; one that changes nothing leaves no trace.

    Raises `UsageError` where a list would get the name of another.
    """
    if delta.is_empty and kind != "list":
        return
    if delta.settings:
        _set(connection, list_id, delta.settings[1])
    # All rows go before any comes: two may swap spans, which the table wants to be unique.
    for item_id in delta.items:
        connection.execute("DELETE FROM moments WHERE item_id = ?", (item_id,))
    marks = ", ".join("?" * (len(COLUMNS) + 1))
    for _, after in delta.items.values():
        if after:
            connection.execute(
                f"INSERT INTO moments ({', '.join(COLUMNS)}, list_id) VALUES ({marks})",
                (*(after[column] for column in COLUMNS), list_id),
            )
    if kind == "do":
        connection.execute(
            "UPDATE changes SET state = ? WHERE list_id = ? AND state = ?", (ASIDE, list_id, UNDONE)
        )
    now = datetime.now(UTC).isoformat(timespec="seconds")
    connection.execute(
        "INSERT INTO changes (list_id, at, who, what, kind, state, delta) VALUES (?,?,?,?,?,?,?)",
        (list_id, now, who, what, kind, DONE if kind == "do" else "", delta.to_json()),
    )


def next_undo(connection: sqlite3.Connection, list_id: int) -> sqlite3.Row | None:
    """Return the change that undo would take back."""
    return _last(connection, list_id, DONE, "DESC")


def next_redo(connection: sqlite3.Connection, list_id: int) -> sqlite3.Row | None:
    """Return the change that redo would make again."""
    return _last(connection, list_id, UNDONE, "ASC")


def undo(connection: sqlite3.Connection, list_id: int, who: str) -> str:
    """Take the last change back. Returns what it was, or nothing where there was none."""
    change = next_undo(connection, list_id)
    return _again(connection, list_id, change, who, "undo", UNDONE)


def redo(connection: sqlite3.Connection, list_id: int, who: str) -> str:
    """Make the change again that was taken back last. Returns what it was, or nothing."""
    change = next_redo(connection, list_id)
    return _again(connection, list_id, change, who, "redo", DONE)


def rows_after(connection: sqlite3.Connection, list_id: int, change_id: int) -> Mapping[int, Row]:
    """Return a list's rows by id as they were after a change: the present, read backwards.

    Raises `UsageError` where the list has no such change.
    """
    known = connection.execute(
        "SELECT 1 FROM changes WHERE list_id = ? AND change_id = ?", (list_id, change_id)
    )
    if not known.fetchone():
        raise UsageError(f"The list has no change {change_id}; its history shows which there are.")
    rows = rows_of(connection, list_id)
    for delta in _since(connection, list_id, change_id):
        for item_id, (before, _) in delta.items.items():
            if before:
                rows[item_id] = before
            else:
                rows.pop(item_id, None)
    return dict(sorted(rows.items(), key=lambda pair: (pair[1]["place"], pair[0])))


def _since(connection: sqlite3.Connection, list_id: int, change_id: int) -> Iterator[Delta]:
    later = connection.execute(
        "SELECT delta FROM changes WHERE list_id = ? AND change_id > ? ORDER BY change_id DESC",
        (list_id, change_id),
    )
    for row in later:
        yield Delta.of_json(row["delta"])


def _last(
    connection: sqlite3.Connection, list_id: int, state: str, order: str
) -> sqlite3.Row | None:
    found = connection.execute(
        f"SELECT * FROM changes WHERE list_id = ? AND state = ? ORDER BY change_id {order} LIMIT 1",
        (list_id, state),
    )
    row: sqlite3.Row | None = found.fetchone()
    return row


def _again(
    connection: sqlite3.Connection,
    list_id: int,
    change: sqlite3.Row | None,
    who: str,
    kind: str,
    state: str,
) -> str:
    if change is None:
        return ""
    delta = Delta.of_json(change["delta"])
    told = f"{'Undone' if kind == 'undo' else 'Redone'}: {change['what']}"
    delta = delta.reversed() if kind == "undo" else delta
    make(connection, list_id, delta, what=told, who=who, kind=kind)
    connection.execute(
        "UPDATE changes SET state = ? WHERE change_id = ?", (state, change["change_id"])
    )
    return str(change["what"])


def _set(connection: sqlite3.Connection, list_id: int, settings: Row) -> None:
    try:
        connection.execute(
            "UPDATE lists SET name = ?, handles = ? WHERE list_id = ?",
            (settings["name"], settings["handles"], list_id),
        )
    except sqlite3.IntegrityError as error:
        raise UsageError(
            f"There is a shortlist called {settings['name']!r} already. Choose another name."
        ) from error
