"""CMX 3600 edit decision lists, as Premiere, Resolve and Avid write them.

Read here and not by a package: pycmx gives no line numbers and the OTIO adapter wants a frame rate,
which an EDL does not carry.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from app.importing.selects import At, Select, Selects

TC = r"(\d{1,2}:\d{2}:\d{2}[:;.,]\d{2,3})"
EVENT = re.compile(
    rf"^\s*(\d{{1,7}})\s+(\S.*?)\s+(\S+)\s+(C|D|W\d+|K\w*)\s+(?:(\d+)\s+)?{TC}\s+{TC}\s+{TC}\s+{TC}"
)
BEGINS_AS_EVENT = re.compile(r"^\s*\d{3,7}\s+\S")
COMMENT = re.compile(
    r"^\*?\s*(FROM CLIP NAME|TO CLIP NAME|SOURCE FILE|COMMENT|LOC)\s*:\s*(.*)$", re.IGNORECASE
)
LOCATOR = re.compile(rf"^{TC}\s+(\S+)\s*(.*)$")
MAX_LINE_CHARACTERS = 2000
BLACK = ("bl", "black")
NO_REEL = ("ax", "na", "unknown")  # what programs write where a clip has none


def read(text: str) -> Selects:
    """Return an EDL's events with picture, in order; the sides of a transition are two."""
    selects: list[Select] = []
    problems: list[str] = []
    for found in _events(text.splitlines()):
        if isinstance(found, str):
            problems.append(found)
        else:
            selects.append(found)
    return Selects(tuple(selects), tuple(problems))


def _events(lines: list[str]) -> Iterator[Select | str]:
    number = ""
    event: list[Select] = []  # the lines of one event number: two where there is a transition
    for place, line in enumerate(lines, start=1):
        if len(line) > MAX_LINE_CHARACTERS:
            yield f"Line {place} is longer than any EDL's."
            continue
        match = EVENT.match(line)
        if match is None and BEGINS_AS_EVENT.match(line):
            yield f"Line {place} begins like an event, but is none."
        elif match is None:
            if event:
                _comment(event, line)
        else:
            if match[1] != number:
                yield from filter(_is_select, event)
                number, event = match[1], []
            event.append(_select(match))
    yield from filter(_is_select, event)


def _select(match: re.Match[str]) -> Select:
    reel = match[2].strip()
    return Select(
        f"event {match[1]}",
        At(match[6]),
        At(match[7]),
        reel="" if reel.casefold() in NO_REEL else reel,
        # Sound alone is no moment of picture: marked here, left out with black by `_is_select`.
        is_marker=reel.casefold() in BLACK or not re.search(r"V|^B", match[3].upper()),
    )


def _is_select(select: Select) -> bool:
    # The outgoing side of a transition is often written without any length of its own.
    return not select.is_marker and select.end != select.start


def _comment(event: list[Select], line: str) -> None:
    match = COMMENT.match(line.strip())
    if match is None:
        return
    what, said = match[1].upper(), match[2].strip()
    side = 0 if what == "FROM CLIP NAME" else -1
    select = event[side]
    if what.endswith("CLIP NAME"):
        event[side] = replace(select, clip_name=said)
    elif what == "SOURCE FILE":
        event[side] = replace(select, path=said)
    else:
        locator = LOCATOR.match(said) if what == "LOC" else None
        note, colour = (locator[3], locator[2].lower()) if locator else (said, select.colour)
        event[side] = replace(
            select, note=" ".join(filter(None, (select.note, note))), colour=colour
        )
