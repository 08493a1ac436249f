"""What the file that holds a library's shortlists looks like inside, and looked like before."""

from __future__ import annotations

import sqlite3

from app.shared_file import Layout, run_all

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


def _bring_up(connection: sqlite3.Connection, found: int) -> None:
    run_all(connection, TABLES)
    if found == 1:
        run_all(connection, EARLIER.format(spacing=SPACING))
    connection.execute(VIEW)


def _unnumbered(connection: sqlite3.Connection) -> int:
    has_first = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'items'"
    return 1 if connection.execute(has_first).fetchone() else 0


LAYOUT = Layout("shortlists", FORMAT, _bring_up, _unnumbered)
