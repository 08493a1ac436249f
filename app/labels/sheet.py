"""A labels file: UTF-8 CSV, a row a clip and what holds of it.

    title,start,end,label,value,by
    The Long Night,1:10,1:14.5,creepy,,
    The Long Night,00:02:00:00,00:02:06:12,,,        looked at, and none of the labels fits
    The Long Night,240f,300f,popularity,0.031,       as much as it was clicked

Times are read as `like:"A Film"@1:10-1:20` reads them. What is written is read back the same.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from app.export.spreadsheet import harmless
from app.importing.reading import decoded
from app.places import find_title, frame_of
from indexer.library import Library
from indexer.manifest import Manifest
from indexer.probes.kept_labels import COLUMNS
from indexer.probes.label import Label
from qdrant.errors import InputError, UsageError

NEEDED = ("title", "start", "end", "label")
OWN_NAMES = {"title": "title_id", "start": "in", "end": "out"}
"""What a column may also be called."""
PROBLEMS_TOLD = 5
FRAME = re.compile(r"(\d{1,9})f")


def read_labels(path: Path, library: Library) -> list[Label]:
    """Return the labels of a file, in its order.

    Raises `InputError` where it is no such table, and where rows cannot be taken, each named by its
    line: a label that is left out unsaid would be taken for one that does not hold.
    """
    try:
        text = decoded(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path.name} cannot be read ({error.strerror}).") from error
    labels, problems = labels_in(text, library, name=path.name)
    if problems:
        told = " ".join(problems[:PROBLEMS_TOLD])
        more = len(problems) - PROBLEMS_TOLD
        left = f" There are {more} more." if more > 0 else ""
        raise InputError(f"{path.name}: {told}{left} Put them right or take them out.")
    if not labels:
        raise InputError(f"{path.name} has no labels.")
    return labels


def labels_in(
    text: str, library: Library, *, name: str = "The table"
) -> tuple[list[Label], list[str]]:
    """Return the labels that a table holds, and what is wrong with its other rows, by line.

    Raises `InputError` for a table without the columns that are needed.
    """
    labels: list[Label] = []
    problems: list[str] = []
    try:
        for line, row in _rows(text, name):
            try:
                labels.append(_label(row, library))
            except UsageError as error:
                problems.append(f"Line {line}: {error}")
    except csv.Error as error:
        raise InputError(f"{name}: the table cannot be read ({error}).") from error
    return labels, problems


def write_labels(path: Path, labels: Iterable[Label], library: Library) -> None:
    """Write labels as a file that `read_labels` takes, titles by name and times in frames.

    A title whose name another has too goes by its id. Raises `InputError` where the file cannot be
    written.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    names = _names(library)
    for each in labels:
        frames = (f"{each.start_frame}f", f"{each.end_frame}f")
        title = names.get(each.title_id, each.title_id)
        cells = [harmless(cell) for cell in (each.label, each.by)]
        writer.writerow([harmless(title), *frames, cells[0], f"{each.value:.9g}", cells[1]])
    try:
        path.write_bytes(text.getvalue().encode("utf-8-sig"))
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror}).") from error


def _names(library: Library) -> dict[str, str]:
    """Return the titles whose name is theirs alone: id -> name."""
    named: dict[str, list[str]] = {}
    for manifest in library.titles():
        named.setdefault(manifest.title.strip().casefold(), []).append(manifest.title_id)
    return {
        m.title_id: m.title
        for m in library.titles()
        if named[m.title.strip().casefold()] == [m.title_id] and m.title.strip() not in named
    }


def _rows(text: str, name: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield each row that says anything, with its line: column -> cell."""
    first = text.lstrip().split("\n", 1)[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count))
    header = [cell.strip().casefold() for cell in next(reader, [])]
    columns = {
        column: header.index(known)
        for column in COLUMNS
        for known in (OWN_NAMES.get(column, column), column)
        if known in header
    }
    if lacking := [column for column in NEEDED if column not in columns]:
        raise InputError(
            f"{name} has no column {' and none '.join(lacking)}; the columns are "
            f"{', '.join(COLUMNS)}, of which value and by may be left out."
        )
    for row in reader:
        if any(cell.strip() for cell in row):
            cells = {c: row[p].strip() if p < len(row) else "" for c, p in columns.items()}
            yield reader.line_num, {c: _plain(cells.get(c, "")) for c in COLUMNS}


def _plain(cell: str) -> str:
    """Return a cell without the apostrophe that keeps spreadsheets from taking it for a formula."""
    return cell[1:] if cell.startswith("'") and harmless(cell[1:]) == cell else cell


def _label(row: dict[str, str], library: Library) -> Label:
    """Return a row's label. Raises `UsageError` saying what is wrong with it."""
    if not row["title"]:
        raise UsageError("it names no title.")
    manifest = find_title(row["title"], library)
    start, end = (_frame(row[name], manifest, library) for name in ("start", "end"))
    if end <= start:
        raise UsageError(f"a clip cannot run from {row['start']} to {row['end']}.")
    return Label(manifest.title_id, start, end, row["label"], _value(row["value"]), row["by"])


def _frame(text: str, manifest: Manifest, library: Library) -> int:
    frame = FRAME.fullmatch(text)
    if frame is None:
        return frame_of(text, manifest, library)
    if int(frame[1]) > manifest.num_frames:
        raise UsageError(f"{manifest.title} has no {text}; it has {manifest.num_frames} frames.")
    return int(frame[1])


def _value(text: str) -> float:
    """Return a row's value; 1 where it gives none."""
    try:
        value = float(text.replace(",", ".")) if text else 1.0
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UsageError(f"{text!r} is no value; write a number, 1 for yes, 0 for no.")
    return value
