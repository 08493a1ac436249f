"""The SQLite file that holds a library's shortlists, for any number of readers and writers.

The journal is SQLite's own, not WAL: a write-ahead log needs memory that all its processes share,
which no network file system has, and it cannot be read where nothing may be written. So a reader
may wait some milliseconds for a writer, and writers queue for the file's lock.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from qdrant.errors import StoreUnavailable

FORMAT = 2
SPACING = 1 << 20
"""Between the places of neighbours: twenty items fit in between before a list is spaced anew."""

TABLES = """
CREATE TABLE lists (
    list_id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    handles INTEGER NOT NULL DEFAULT 0,
    deleted_at TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX live_names ON lists (name) WHERE deleted_at = '';
CREATE TABLE moments (
    item_id INTEGER PRIMARY KEY AUTOINCREMENT,
    list_id INTEGER NOT NULL REFERENCES lists,
    place INTEGER NOT NULL,
    title_id TEXT NOT NULL,
    start_frame INTEGER NOT NULL,
    end_frame INTEGER NOT NULL,
    rate TEXT NOT NULL,
    title TEXT NOT NULL,
    note TEXT NOT NULL,
    query TEXT NOT NULL,
    added_at TEXT NOT NULL,
    stars INTEGER NOT NULL DEFAULT 0,
    colour TEXT NOT NULL DEFAULT '',
    added_by TEXT NOT NULL DEFAULT '',
    UNIQUE (list_id, title_id, start_frame, end_frame)
);
CREATE TABLE changes (
    change_id INTEGER PRIMARY KEY AUTOINCREMENT,
    list_id INTEGER NOT NULL REFERENCES lists,
    at TEXT NOT NULL,
    who TEXT NOT NULL,
    what TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    delta TEXT NOT NULL
);
CREATE INDEX changes_of ON changes (list_id, state);
"""
EARLIER = """
INSERT INTO lists (name) SELECT list FROM items GROUP BY list ORDER BY min(item_id);
INSERT INTO moments (item_id, list_id, place, title_id, start_frame, end_frame, rate, title, note,
    query, added_at)
  SELECT item_id, list_id, item_id * {spacing}, title_id, start_frame, end_frame, rate, title, note,
    query, added_at FROM items JOIN lists ON lists.name = items.list;
INSERT INTO changes (list_id, at, who, what, kind, state, delta)
  SELECT list_id, max(added_at), '', 'Taken over from an earlier Trimbin', 'list', '',
    '{{"items": []}}' FROM moments GROUP BY list_id;
DROP TABLE items;
"""
"""Takes a file of the first format over. Item ids stay."""
VIEW = "CREATE VIEW items AS SELECT moments.*, name AS list FROM moments JOIN lists USING (list_id)"
"""Where a Trimbin of the first format would make its own table beside ours, this refuses it."""


@contextmanager
def reading(path: Path, timeout_s: float) -> Iterator[sqlite3.Connection | None]:
    """Yield a connection on one snapshot of the file, or None while it holds nothing.

    Writes nothing: a library may be read-only. An earlier Trimbin's file is taken over in memory.
    """
    if not path.is_file():
        yield None
        return
    address = f"{path.absolute().as_uri()}?mode=ro"
    with (
        explained(path),
        closing(sqlite3.connect(address, uri=True, timeout=timeout_s)) as connection,
    ):
        connection.execute("BEGIN")
        found = _format_of(connection, path)
        if found == FORMAT:
            connection.row_factory = sqlite3.Row
            yield connection
        elif found == 0:  # somebody is just making the file
            yield None
        else:
            with closing(_copy(connection)) as copy:
                _bring_up(copy, found)
                copy.row_factory = sqlite3.Row
                yield copy


@contextmanager
def writing(path: Path, timeout_s: float) -> Iterator[sqlite3.Connection]:
    """Yield a connection within one writing transaction, committed in the end."""
    with (
        explained(path),
        closing(sqlite3.connect(path, timeout=timeout_s, isolation_level=None)) as connection,
    ):
        # Taking the write lock at once makes writers queue. A read that later turns into a write
        # is refused instead, however long it would wait.
        connection.execute("BEGIN IMMEDIATE")
        try:
            _bring_up(connection, _format_of(connection, path))
            connection.row_factory = sqlite3.Row
            yield connection
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into `StoreUnavailable`."""
    try:
        yield
    except sqlite3.Error as error:
        raise StoreUnavailable(
            f"The shortlists in {path} cannot be read or written ({error}). Check the "
            "folder's permissions and free space."
        ) from error


def _format_of(connection: sqlite3.Connection, path: Path) -> int:
    """Return the file's format, 0 where it has no tables yet."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > FORMAT:
        raise StoreUnavailable(
            f"The shortlists in {path} were written by a later Trimbin. Install that one here too."
        )
    has_first = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'items'"
    return version or (1 if connection.execute(has_first).fetchone() else 0)


def _bring_up(connection: sqlite3.Connection, found: int) -> None:
    """Make the tables where they are not, and take an earlier file over."""
    if found == FORMAT:
        return
    # Statement by statement: executescript would commit what was begun.
    for statement in TABLES.split(";"):
        connection.execute(statement)
    if found == 1:
        for statement in EARLIER.format(spacing=SPACING).split(";"):
            connection.execute(statement)
    connection.execute(VIEW)
    connection.execute(f"PRAGMA user_version = {FORMAT}")


def _copy(connection: sqlite3.Connection) -> sqlite3.Connection:
    copy = sqlite3.connect(":memory:", isolation_level=None)
    connection.backup(copy)
    return copy
