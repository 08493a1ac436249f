"""A shortlist as a spreadsheet (CSV), for people and for programs.

UTF-8 with a byte order mark, because Excel takes a file without one for the machine's old code
page and spoils every accent; Python's `utf-8-sig`, pandas, Numbers and LibreOffice all read it.
One row a moment. Out points are exclusive: the first frame that is not in the moment.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

from app.export.assembling import ascii_name
from app.export.carried import saved
from app.export.cutlist import Cut, CutList
from app.export.formats import Options
from app.export.spoken import dialogue_of
from app.shortlist import Item, seconds_of
from indexer.library import Library
from indexer.manifest import Manifest
from indexer.media.timecode import Clock
from indexer.progress import Progress
from qdrant.errors import InputError

COLUMNS = (
    "title", "in", "out", "in_s", "out_s", "in_frame", "out_frame", "frames", "duration_s", "rate",
    "path", "dialogue", "note", "query", "shortlist", "title_id",
)  # fmt: skip

MORE_COLUMNS = (
    "reel", "record_in", "record_out", "stars", "colour", "head", "tail", "expired",
)  # fmt: skip
"""What a cut list has beyond its moments. Its rows' in and out hold the handles, too."""

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
    return _table(COLUMNS, [_row(item, library) for item in items])


def write(cuts: CutList, folder: Path, *, options: Options, progress: Progress) -> list[Path]:
    """Write `<name>.csv`: a row a cut, in the order of the record timeline."""
    table = _table((*COLUMNS, *MORE_COLUMNS), rows_of(cuts))
    return [saved(folder / f"{ascii_name(cuts.name)}.csv", table)]


def _table(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)  # CRLF line ends and quotes where needed, as RFC 4180 has it
    writer.writerow(columns)
    for row in rows:
        writer.writerow([harmless(cell) for cell in row])
    return text.getvalue().encode(ENCODING, "replace")


def rows_of(cuts: CutList) -> list[list[Cell]]:
    """Return a row a cut: `COLUMNS`, then `MORE_COLUMNS`."""
    return [[*_cells(cut, cuts.name), *_more(cut, cuts)] for cut in cuts.cuts]


def _cells(cut: Cut, shortlist: str) -> list[Cell]:
    source, is_timed = cut.source, cut.source.has_picture
    return [
        source.title,
        cut.source_in if is_timed else "",
        cut.source_out if is_timed else "",
        round(cut.start_s, 3),
        round(cut.end_s, 3),
        cut.start_frame,
        cut.end_frame,
        cut.num_frames,
        round(cut.end_s - cut.start_s, 3),
        _rate(source.rate),
        source.path,
        cut.dialogue,
        cut.item.note,
        cut.item.query,
        shortlist,
        source.title_id,
    ]


def _more(cut: Cut, cuts: CutList) -> list[Cell]:
    return [
        cut.source.reel,
        cuts.record_in(cut),
        cuts.record_out(cut),
        cut.item.stars,
        cut.item.colour,
        cut.head,
        cut.tail,
        "yes" if cut.is_expired else "",
    ]


def harmless(cell: Cell) -> Cell:
    """Return a cell that no spreadsheet takes for a formula: such text gets an apostrophe."""
    if isinstance(cell, str) and cell.startswith(FORMULA_STARTS):
        return f"'{cell}"
    return cell


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
