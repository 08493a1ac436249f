"""A shortlist's rows: found, told, and given new places."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from app.shortlists import file, ledger
from app.shortlists.item import Item, Pick
from app.shortlists.ledger import Row
from qdrant.errors import UsageError

Span = tuple[str, int, int]  # title_id, start_frame, end_frame


def find(connection: sqlite3.Connection, name: str) -> sqlite3.Row | None:
    """Return the list of this name that is not deleted."""
    found = connection.execute("SELECT * FROM lists WHERE name = ? AND deleted_at = ''", (name,))
    row: sqlite3.Row | None = found.fetchone()
    return row


def need(connection: sqlite3.Connection, name: str) -> sqlite3.Row:
    """Return the list of this name; raises `UsageError` where there is none."""
    found = find(connection, name)
    if found is None:
        raise unknown(name)
    return found


def unknown(name: str) -> UsageError:
    """Return the error of a list that is not there."""
    return UsageError(
        f"No shortlist is called {name!r}; `trimbin shortlist` lists those there are."
    )


def refuse_taken(connection: sqlite3.Connection, name: str) -> None:
    """Raise `UsageError` where a list has this name."""
    if find(connection, name):
        raise UsageError(f"There is a shortlist called {name!r} already. Choose another name.")


def of_item(
    connection: sqlite3.Connection, item_id: int
) -> tuple[sqlite3.Row, dict[int, Row]] | None:
    """Return the list that an item is on, and that list's rows; None where it is on none."""
    found = connection.execute(
        "SELECT lists.* FROM moments JOIN lists USING (list_id) WHERE item_id = ? "
        "AND deleted_at = ''",
        (item_id,),
    ).fetchone()
    return (found, ledger.rows_of(connection, found["list_id"])) if found else None


def twin_in(rows: Mapping[int, Row], title_id: str, start_frame: int, end_frame: int) -> Row | None:
    """Return the row that holds this span of this title already."""
    span = (title_id, start_frame, end_frame)
    return next((row for row in rows.values() if span_of(row) == span), None)


def span_of(row: Row) -> Span:
    """Return which frames of which title a row holds."""
    return row["title_id"], row["start_frame"], row["end_frame"]


def kept_in(
    rows: Mapping[int, Row], picks: Sequence[Pick], *, first_id: int, who: str
) -> tuple[dict[int, tuple[Row | None, Row]], list[Row]]:
    """Return what becomes of rows when picks are kept at the end, and each span's row.

    A span that is there already stays as it is, but for stars and a colour where it has none.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    last = max((row["place"] for row in rows.values()), default=0)
    by_span = {span_of(row): row for row in rows.values()}
    spans: dict[Span, None] = {}
    changed: dict[int, tuple[Row | None, Row]] = {}
    for pick in picks:
        span = (pick.title_id, pick.start_frame, pick.end_frame)
        spans[span] = None
        marks = {"stars": pick.stars, "colour": pick.colour}
        if (twin := by_span.get(span)) is not None:
            row = twin | {key: twin[key] or mark for key, mark in marks.items()}
        else:
            last += file.SPACING
            row = asdict(pick) | {
                "item_id": first_id + len(changed), "place": last, "added_at": now, "added_by": who,
            }  # fmt: skip
        if row != twin:
            changed[row["item_id"]] = (rows.get(row["item_id"]), row)
        by_span[span] = row
    return changed, [by_span[span] for span in spans]


def next_item_id(connection: sqlite3.Connection) -> int:
    """Return an id that no item ever had: one that was removed may come back."""
    last = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'moments'").fetchone()
    return (last[0] if last else 0) + 1


def places(
    rows: Mapping[int, Row], order: list[int], moved: int
) -> dict[int, tuple[Row | None, Row | None]]:
    """Return what becomes of rows in a new order: the moved one alone, if there is room for it."""
    if order == list(rows):
        return {}
    at = order.index(moved)
    low = rows[order[at - 1]]["place"] if at else None
    high = rows[order[at + 1]]["place"] if at + 1 < len(order) else None
    if low is None:
        place = rows[order[at + 1]]["place"] - file.SPACING
    elif high is None:
        place = low + file.SPACING
    else:
        place = (low + high) // 2
        if place in (low, high):
            new = {item_id: n * file.SPACING for n, item_id in enumerate(order, start=1)}
            return {i: (row, row | {"place": new[i]}) for i, row in rows.items()}
    return {moved: (rows[moved], rows[moved] | {"place": place})}


def told(row: Row) -> str:
    """Return a row as the history names it."""
    return f"{row['title']} [{row['start_frame']}, {row['end_frame']})"


def item_of(row: Row, name: str) -> Item:
    """Return a row as an item of the list of this name."""
    fields: dict[str, Any] = {key: row[key] for key in ledger.COLUMNS if key != "place"}
    return Item(list=name, **fields)
