"""A shortlist as a spreadsheet (CSV), for people and for programs.

UTF-8 with a byte order mark, because Excel takes a file without one for the machine's old code
page and spoils every accent; Python's `utf-8-sig`, pandas, Numbers and LibreOffice all read it.
One row a moment. Out points are exclusive: the first frame that is not in the moment.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from fractions import Fraction

from app.shortlist import Item, seconds_of
from indexer.library import Library
from indexer.manifest import Manifest
from indexer.media.timecode import Clock
from qdrant.errors import InputError

COLUMNS = (
    "title", "in", "out", "in_s", "out_s", "in_frame", "out_frame", "frames", "duration_s", "rate",
    "path", "dialogue", "note", "query", "shortlist", "title_id",
)  # fmt: skip

MIME = "text/csv"
ENCODING = "utf-8-sig"

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001
"""A cell that begins with one of these is a formula to Excel or LibreOffice (OWASP, "CSV
Injection"; the wide ones are what Japanese keyboards type)."""

Cell = str | int | float


def to_csv(items: Iterable[Item], library: Library) -> bytes:
    """Return shortlist items as a CSV file, a row each in the order given.

    Names the title's own file, never a preview. A title that has gone from the library keeps its
    row: frames and seconds are known, its path, timecode and dialogue stay empty.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)  # CRLF line ends and quotes where needed, as RFC 4180 has it
    writer.writerow(COLUMNS)
    for item in items:
        writer.writerow([harmless(cell) for cell in _row(item, library)])
    return text.getvalue().encode(ENCODING)


def harmless(cell: Cell) -> Cell:
    """Return a cell that no spreadsheet takes for a formula: such text gets an apostrophe."""
    if isinstance(cell, str) and cell.startswith(FORMULA_STARTS):
        return f"'{cell}"
    return cell


def dialogue_of(library: Library, item: Item) -> str:
    """Return what is said during a moment; a line that spans a cut is told once."""
    try:
        shots = library.shots(item.title_id)
    except OSError:
        return ""
    during = shots[
        (shots["start_frame"] < item.end_frame) & (shots["end_frame"] > item.start_frame)
    ]
    lines = [line for spoken in during["dialogue"] for line in str(spoken or "").splitlines()]
    return " ".join(dict.fromkeys(line for line in lines if line))


def _row(item: Item, library: Library) -> list[Cell]:
    rate = Fraction(item.rate)
    start_s, end_s = seconds_of(item, library)
    try:
        manifest = library.manifest(item.title_id)
    except InputError:
        manifest = None
    return [
        manifest.title if manifest else item.title,
        _timecode(manifest, item.start_frame),
        _timecode(manifest, item.end_frame),
        round(start_s, 3),
        round(end_s, 3),
        item.start_frame,
        item.end_frame,
        item.end_frame - item.start_frame,
        round(end_s - start_s, 3),
        _rate(rate),
        manifest.path if manifest else "",
        dialogue_of(library, item) if manifest else "",
        item.note,
        item.query,
        item.list,
        item.title_id,
    ]


def _timecode(manifest: Manifest | None, frame: int) -> str:
    return (Clock.of(manifest).timecode(frame) or "") if manifest else ""


def _rate(rate: Fraction) -> str:
    # "25/1" would be the 25th of January to Excel.
    return str(rate.numerator) if rate.denominator == 1 else f"{rate.numerator}/{rate.denominator}"
