"""Markers of a sequence: Premiere's table, Resolve's EDL, Avid's text."""

from __future__ import annotations

import csv
import io
import re

from app.importing.edl import EVENT, MAX_LINE_CHARACTERS
from app.importing.selects import At, Select, Selects

RESOLVE = re.compile(r"^(.*?)\s*\|C:ResolveColor(\w+)\s*\|M:(.*?)\s*\|D:(\d+)")
TIMECODE = re.compile(r"^\d{1,2}:\d{2}:\d{2}[:;.,]\d{2,3}$")


def read_premiere(text: str) -> Selects:
    """Return the markers of Premiere's tab-separated export."""
    selects, problems = [], []
    rows = csv.DictReader(io.StringIO(text, newline=None), delimiter="\t", restval="")
    for line, row in enumerate(rows, start=2):
        start, end = ((row.get(name) or "").strip() for name in ("In", "Out"))
        if not TIMECODE.match(start):
            problems.append(f"Line {line} has no timecode in its column In.")
            continue
        notes = ((row.get(name) or "").strip() for name in ("Marker Name", "Description"))
        lasts = TIMECODE.match(end) and end != start
        selects.append(
            Select(
                f"line {line}",
                At(start),
                At(end) if lasts else None,
                note=": ".join(filter(None, notes)),
                is_marker=True,
            )
        )
    return Selects(tuple(selects), tuple(problems))


def read_resolve(text: str) -> Selects:
    """Return the markers of Resolve's EDL; a length of one frame is no length."""
    selects: list[Select] = []
    event: re.Match[str] | None = None
    for line in text.splitlines():
        if len(line) > MAX_LINE_CHARACTERS:
            continue
        event = EVENT.match(line) or event
        marker = RESOLVE.match(line.strip())
        if marker is None or event is None:
            continue
        notes = filter(None, (marker[3].strip(), marker[1].strip()))
        frames = int(marker[4][:9])
        selects.append(
            Select(
                f"event {event[1]}",
                At(event[8]),
                At(frames=frames) if frames > 1 else None,
                note=": ".join(notes),
                colour=marker[2].lower(),
                is_marker=True,
            )
        )
    return Selects(tuple(selects))


def read_avid(text: str) -> Selects:
    """Return the markers of Avid's text: name, timecode, track, colour, comment, length."""
    selects, problems = [], []
    for line, row in enumerate(text.splitlines(), start=1):
        cells = [cell.strip() for cell in row.split("\t")]
        if not any(cells):
            continue
        if len(cells) < 4 or not TIMECODE.match(cells[1]):
            problems.append(f"Line {line} is no marker: name, timecode, track, colour, comment.")
            continue
        length = cells[5] if len(cells) > 5 and cells[5].isdecimal() else "1"
        frames = int(length[:9])
        selects.append(
            Select(
                f"line {line}",
                At(cells[1]),
                At(frames=frames) if frames > 1 else None,
                note=cells[4] if len(cells) > 4 else "",
                colour=cells[3].lower(),
                is_marker=True,
            )
        )
    return Selects(tuple(selects), tuple(problems))
