"""Tables: CSV as our export and other programs write it, and Avid's ALE."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from fractions import Fraction

from app.importing.selects import At, Select, Selects, rate_of
from qdrant.errors import InputError

MEANINGS = {
    "title_id": ("title_id",),
    "title": ("title",),
    "clip_name": ("name", "clip", "clip name"),
    "reel": ("reel", "tape", "reel name", "source reel", "tape name"),
    "path": ("path", "file", "file name", "filename", "source file", "source path"),
    "in_frame": ("in_frame",),
    "out_frame": ("out_frame",),
    "in": ("in", "source in", "start", "start tc", "tc in", "in tc", "mark in"),
    "out": ("out", "source out", "end", "end tc", "tc out", "out tc", "mark out"),
    "in_s": ("in_s", "start_s"),
    "out_s": ("out_s", "end_s"),
    "rate": ("rate", "fps", "frame rate"),
    "note": ("note", "notes", "comment", "comments", "description"),
    "stars": ("stars", "rating"),
    "colour": ("colour", "color", "label"),
}
TIMECODE = re.compile(r"^\d{1,2}:\d{2}:\d{2}[:;.,]\d{2,3}$")
UNITS = (("in_frame", "out_frame"), ("in", "out"), ("in_s", "out_s"))
"""The most exact first."""


def read_csv(text: str) -> Selects:
    """Return a table's rows. Raises `InputError` for one without columns for in and out,
    `csv.Error` for one that is none.
    """
    first = text.lstrip().split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    return _table(next(rows, []), enumerate(rows, start=2), rate=None)


def read_ale(text: str) -> Selects:
    """Return the clips of an Avid Log Exchange file."""
    lines = text.splitlines()
    marks = {line.strip().casefold(): place for place, line in reversed([*enumerate(lines)])}
    if "column" not in marks or "data" not in marks or marks["column"] + 1 >= len(lines):
        raise InputError("The ALE has no Column and Data; it may be cut short: export it again.")
    heading = dict(
        line.split("\t", 1) for line in lines[: marks["column"]] if line.count("\t") >= 1
    )
    header = lines[marks["column"] + 1].split("\t")
    rows = ((place + 1, lines[place].split("\t")) for place in range(marks["data"] + 1, len(lines)))
    return _table(header, rows, rate=rate_of(heading.get("FPS", "")))


def _table(
    header: list[str], rows: Iterator[tuple[int, list[str]]], *, rate: Fraction | None
) -> Selects:
    names = [name.strip().casefold() for name in header]
    places = {
        meaning: min((names.index(name) for name in known if name in names), default=-1)
        for meaning, known in MEANINGS.items()
    }
    if not any(places[start] >= 0 and places[end] >= 0 for start, end in UNITS):
        raise InputError(
            "The table has no columns for in and out, such as `in` and `out`, `Source In` and "
            "`Source Out`, `in_frame` and `out_frame`."
        )
    selects, problems = [], []
    for line, row in rows:
        if not any(cell.strip() for cell in row):
            continue
        cells = {
            meaning: row[place].strip() if 0 <= place < len(row) else ""
            for meaning, place in places.items()
        }
        span = _span(cells)
        if span is None:
            problems.append(f"Line {line} has no in and out point that can be read.")
            continue
        stars = cells["stars"]
        told = ("title_id", "title", "clip_name", "reel", "path", "colour")
        selects.append(
            Select(
                f"line {line}",
                *span,
                **{name: _plain(cells[name]) for name in told},  # type: ignore[arg-type]
                rate=rate_of(cells["rate"]) or rate,
                note=_plain(cells["note"]),
                stars=int(stars) if stars in {"1", "2", "3", "4", "5"} else 0,
            )
        )
    return Selects(tuple(selects), tuple(problems))


def _plain(cell: str) -> str:
    """Return a cell without the apostrophe that our export puts before what looks like formulas."""
    return cell[1:] if re.match(r"'[=+\-@＝＋－＠]", cell) else cell  # noqa: RUF001


def _span(cells: dict[str, str]) -> tuple[At, At] | None:
    for start, end in UNITS:
        points = [_point(cells[name], name) for name in (start, end)]
        if points[0] and points[1]:
            return points[0], points[1]
    return None


def _point(cell: str, name: str) -> At | None:
    if TIMECODE.match(cell):
        return At(cell)
    if name.endswith("_frame"):
        return At(frames=int(cell)) if re.fullmatch(r"[0-9]{1,9}", cell) else None
    if re.fullmatch(r"\d{1,7}([.,]\d{1,9})?", cell, re.ASCII):
        return At(seconds=Fraction(cell.replace(",", ".")))
    return None
