"""An SQLite file in the library's folder, for any number of readers and writers at once.

The journal is SQLite's own, not WAL: a write-ahead log needs memory that all its processes share,
which no network file system has, and it cannot be read where nothing may be written. So a reader
may wait some milliseconds for a writer, and writers queue for the file's lock.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from qdrant.errors import StoreUnavailable

BUSY_TIMEOUT_S = 30.0
"""How long a writer waits for another one; each holds the file for milliseconds."""


def _none(connection: sqlite3.Connection) -> int:
    return 0


@dataclass(frozen=True)
class Layout:
    """What a file holds, and how one comes to hold it."""

    what: str  # what messages call it
    format: int
    bring_up: Callable[[sqlite3.Connection, int], None]
    """Makes the tables in a file of an earlier format; 0: of none."""
    unnumbered: Callable[[sqlite3.Connection], int] = _none
    """Which format a file is of that does not say: 0 where it has no tables yet."""


@contextmanager
def reading(path: Path, layout: Layout) -> Iterator[sqlite3.Connection | None]:
    """Yield a connection on one snapshot of the file, or None while it holds nothing.

    Writes nothing: a library may be read-only. An earlier Trimbin's file is taken over in memory.
    Raises `StoreUnavailable`.
    """
    if not path.is_file():
        yield None
        return
    address = f"{path.absolute().as_uri()}?mode=ro"
    with (
        _explained(path, layout),
        closing(sqlite3.connect(address, uri=True, timeout=BUSY_TIMEOUT_S)) as connection,
    ):
        connection.execute("BEGIN")
        found = _format_of(connection, path, layout)
        if found == layout.format:
            connection.row_factory = sqlite3.Row
            yield connection
        elif found == 0:  # somebody is just making the file
            yield None
        else:
            with closing(_copy(connection)) as copy:
                _bring_up(copy, found, layout)
                copy.row_factory = sqlite3.Row
                yield copy


@contextmanager
def writing(path: Path, layout: Layout) -> Iterator[sqlite3.Connection]:
    """Yield a connection within one writing transaction, committed in the end.

    Raises `StoreUnavailable`.
    """
    with (
        _explained(path, layout),
        closing(sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)) as connection,
    ):
        # Taking the write lock at once makes writers queue. A read that later turns into a write
        # is refused instead, however long it would wait.
        connection.execute("BEGIN IMMEDIATE")
        try:
            _bring_up(connection, _format_of(connection, path, layout), layout)
            connection.row_factory = sqlite3.Row
            yield connection
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")


def run_all(connection: sqlite3.Connection, statements: str) -> None:
    """Run statements one by one: `executescript` would commit what was begun."""
    for statement in statements.split(";"):
        connection.execute(statement)


@contextmanager
def _explained(path: Path, layout: Layout) -> Iterator[None]:
    """Turn SQLite's errors into `StoreUnavailable`."""
    try:
        yield
    except sqlite3.Error as error:
        raise StoreUnavailable(
            f"The {layout.what} in {path} cannot be read or written ({error}). Check the "
            "folder's permissions and free space."
        ) from error


def _format_of(connection: sqlite3.Connection, path: Path, layout: Layout) -> int:
    """Return the file's format, 0 where it has no tables yet."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > layout.format:
        raise StoreUnavailable(
            f"The {layout.what} in {path} were written by a later Trimbin. Install that one here "
            "too."
        )
    return version or layout.unnumbered(connection)


def _bring_up(connection: sqlite3.Connection, found: int, layout: Layout) -> None:
    """Make the tables where they are not, and take an earlier file over."""
    if found != layout.format:
        layout.bring_up(connection, found)
        connection.execute(f"PRAGMA user_version = {layout.format}")


def _copy(connection: sqlite3.Connection) -> sqlite3.Connection:
    copy = sqlite3.connect(":memory:", isolation_level=None)
    connection.backup(copy)
    return copy
