"""Markers for a timeline in Resolve: an EDL of one-frame events, a line for each marker."""

from __future__ import annotations

from pathlib import Path

from app.export.assembling import ascii_name
from app.export.carried import saved
from app.export.cutlist import Cut, CutList
from app.export.events import MAX_EVENTS, MAX_TITLE_CHARACTERS, plain
from app.export.formats import Options
from app.export.marking import marker_name
from indexer.progress import Progress
from qdrant.errors import UsageError

COLOURS = {"red": "Red", "orange": "Sand", "yellow": "Yellow", "green": "Green", "cyan": "Cyan",
           "blue": "Blue", "purple": "Purple", "pink": "Pink"}  # fmt: skip
OTHERWISE = "Blue"


def write(cuts: CutList, folder: Path, *, options: Options, progress: Progress) -> list[Path]:
    """Write `<name>.markers-resolve.edl`. Raises `UsageError` for more than 999 markers."""
    if len(cuts.cuts) > MAX_EVENTS:
        raise UsageError(f"An EDL has at most {MAX_EVENTS} markers: make several shortlists of it.")
    lines = [f"TITLE: {plain(cuts.name, most=MAX_TITLE_CHARACTERS) or 'UNTITLED'}"]
    lines.append(f"FCM: {'DROP FRAME' if cuts.drop_frame else 'NON-DROP FRAME'}")
    for number, cut in enumerate(cuts.cuts, start=1):
        at, after = cuts.record_in(cut), cuts.record_timecode(cut.record_start + 1)
        lines += ["", f"{number:03}  001      V     C        {at} {after} {at} {after}"]
        lines.append(_marker(cut))
    told = "\r\n".join(lines) + "\r\n"
    return [saved(folder / f"{ascii_name(cuts.name)}.markers-resolve.edl", told.encode("ascii"))]


def _marker(cut: Cut) -> str:
    note, name = (
        plain(words).replace("|", "/")
        for words in (cut.item.note or cut.dialogue, marker_name(cut))
    )
    colour = COLOURS.get(cut.item.colour, OTHERWISE)
    return f"{note} |C:ResolveColor{colour} |M:{name} |D:{cut.record_end - cut.record_start}"
