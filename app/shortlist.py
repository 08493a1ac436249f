"""Shortlists: the moments worth keeping, by name, in the order they were kept.

An item refers to a title and a span of its frames, never to a shot number: shots are numbered anew
whenever a title is indexed again, frames stay where they are.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

from indexer.library import SHOTS_FILE, Library
from qdrant.errors import StoreUnavailable, UsageError

SHORTLISTS_FILE = "shortlists.sqlite"
DEFAULT_LIST = "Selects"
MAX_NAME_CHARACTERS = 80

COLOURS = ("red", "orange", "yellow", "green", "cyan", "blue", "purple", "pink")
"""Labels, in words that Premiere, Resolve and Avid all have a marker colour for."""

BUSY_TIMEOUT_S = 30.0
"""How long a writer waits for another one; each holds the file for milliseconds."""

TABLE = """
CREATE TABLE IF NOT EXISTS items (
    item_id INTEGER PRIMARY KEY AUTOINCREMENT,
    list TEXT NOT NULL,
    title_id TEXT NOT NULL,
    start_frame INTEGER NOT NULL,
    end_frame INTEGER NOT NULL,
    rate TEXT NOT NULL,
    title TEXT NOT NULL,
    note TEXT NOT NULL,
    query TEXT NOT NULL,
    added_at TEXT NOT NULL,
    UNIQUE (list, title_id, start_frame, end_frame)
)
"""
HAS_TABLE = "SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'items'"


@dataclass(frozen=True)
class Item:
    """One kept moment: frames `[start_frame, end_frame)` of a title."""

    item_id: int
    list: str
    title_id: str
    start_frame: int
    end_frame: int
    rate: str  # frames a second as a fraction, as the title's manifest said
    title: str  # the title's name when it was kept: all that is left when the title has gone
    note: str
    query: str  # the words that found it
    added_at: str  # UTC, ISO 8601
    stars: int = 0  # 0..5
    colour: str = ""  # one of `COLOURS`, or none


@dataclass(frozen=True)
class Shortlists:
    """A library's shortlists, in one SQLite file that any number of processes may write."""

    path: Path

    @classmethod
    def of(cls, library: Library) -> Shortlists:
        """Return the shortlists of a library."""
        return cls(library.root / SHORTLISTS_FILE)

    def add(
        self,
        name: str,
        *,
        title_id: str,
        start_frame: int,
        end_frame: int,
        rate: str,
        title: str,
        note: str = "",
        query: str = "",
    ) -> Item:
        """Keep a moment. The same span of the same title is kept once: the first one stays.

        Raises `UsageError` for an empty span or name, `StoreUnavailable` where the file cannot be
        written.
        """
        if not 0 <= start_frame < end_frame:
            raise UsageError(
                f"Frames {start_frame} to {end_frame} are no span: the in point comes first, and "
                "the out point lies after it."
            )
        name = list_name(name)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        span = (name, title_id, start_frame, end_frame)
        with self._write() as connection:
            connection.execute(
                "INSERT INTO items (list, title_id, start_frame, end_frame, rate, title, note, "
                "query, added_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (*span, rate, title, note, query, now),
            )
            row = connection.execute(
                "SELECT * FROM items WHERE list = ? AND title_id = ? AND start_frame = ? "
                "AND end_frame = ?",
                span,
            ).fetchone()
        return Item(**row)

    def remove(self, item_id: int) -> bool:
        """Let a moment go. Returns whether it was there."""
        with self._write() as connection:
            return (
                connection.execute("DELETE FROM items WHERE item_id = ?", (item_id,)).rowcount > 0
            )

    def annotate(self, item_id: int, note: str) -> bool:
        """Write a note to a kept moment. Returns whether it was there."""
        with self._write() as connection:
            written = connection.execute(
                "UPDATE items SET note = ? WHERE item_id = ?", (note, item_id)
            )
            return written.rowcount > 0

    def names(self) -> list[str]:
        """Return the names of the lists that hold anything, in the order they were begun."""
        rows = self._read("SELECT list FROM items GROUP BY list ORDER BY min(item_id)")
        return [row["list"] for row in rows]

    def items(self, name: str) -> list[Item]:
        """Return a list's moments in the order they were kept; an unknown list has none."""
        rows = self._read("SELECT * FROM items WHERE list = ? ORDER BY item_id", name)
        return [Item(**row) for row in rows]

    def _read(self, query: str, *values: str) -> list[dict[str, Any]]:
        """Return rows without writing anything: a library may be read-only. No file, no rows."""
        if not self.path.is_file():
            return []
        address = f"{self.path.absolute().as_uri()}?mode=ro"
        with (
            self._explained(),
            closing(sqlite3.connect(address, uri=True, timeout=BUSY_TIMEOUT_S)) as connection,
        ):
            connection.row_factory = _named
            if not connection.execute(HAS_TABLE).fetchone():  # somebody is just making the file
                return []
            return connection.execute(query, values).fetchall()

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection within one writing transaction, committed in the end."""
        with (
            self._explained(),
            closing(sqlite3.connect(self.path, timeout=BUSY_TIMEOUT_S)) as connection,
        ):
            connection.row_factory = _named
            with connection:
                # Taking the write lock at once makes writers queue. A read that later turns into
                # a write is refused instead, however long it would wait.
                connection.execute("BEGIN IMMEDIATE")
                connection.execute(TABLE)
                yield connection

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StoreUnavailable(
                f"The shortlists in {self.path} cannot be read or written ({error}). Check the "
                "folder's permissions and free space."
            ) from error


def seconds_of(item: Item, library: Library) -> tuple[float, float]:
    """Return a kept moment's half-open span in seconds, `(start_s, end_s)`.

    Frames of a variable rate last differently long, so the times are those the shots were seen at.
    Where the title's shots have gone, frames are taken to be equally long.
    """
    shots_file = library.folder(item.title_id) / SHOTS_FILE
    try:
        shots = _seen_at(shots_file, shots_file.stat().st_mtime_ns)
    except (OSError, ValueError):  # gone, or being written anew
        shots = []
    rate = Fraction(item.rate)
    start_s, end_s = (
        _second_of(frame, shots, rate, is_out=is_out)
        for frame, is_out in ((item.start_frame, False), (item.end_frame, True))
    )
    return start_s, end_s


@lru_cache(maxsize=256)
def _seen_at(shots_file: Path, mtime_ns: int) -> list[tuple[int, int, float, float]]:
    """Return a title's shots as `(start_frame, end_frame, start_s, end_s)`, in order."""
    import pandas as pd

    shots = pd.read_parquet(shots_file, columns=["start_frame", "end_frame", "start_s", "end_s"])
    return list(shots.itertuples(index=False, name=None))


def _second_of(
    frame: int, shots: list[tuple[int, int, float, float]], rate: Fraction, *, is_out: bool
) -> float:
    """Return when a frame is shown; an out point on a cut is the end of the shot before it."""
    for start_frame, end_frame, start_s, end_s in shots:
        if frame < end_frame or (is_out and frame == end_frame):
            share = (frame - start_frame) / (end_frame - start_frame)
            return float(start_s + share * (end_s - start_s))
    last_frame, last_s = (shots[-1][1], shots[-1][3]) if shots else (0, 0.0)
    return float(last_s + (frame - last_frame) / rate)


def list_name(name: str) -> str:
    """Return a shortlist's name with its spaces in order. Raises `UsageError` for an empty one."""
    tidy = " ".join(name.split())
    if not tidy:
        raise UsageError("A shortlist needs a name.")
    if len(tidy) > MAX_NAME_CHARACTERS:
        raise UsageError(f"A shortlist's name has at most {MAX_NAME_CHARACTERS} characters.")
    return tidy


def _named(cursor: sqlite3.Cursor, row: tuple[object, ...]) -> dict[str, object]:
    return {column[0]: value for column, value in zip(cursor.description, row, strict=True)}
