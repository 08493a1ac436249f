"""Markers for a sequence in Avid Media Composer: the tab-separated text its marker tool imports."""

from __future__ import annotations

from pathlib import Path

from app.export.assembling import ascii_name
from app.export.carried import carried, saved
from app.export.cutlist import CutList
from app.export.formats import Options
from app.export.marking import marker_name
from indexer.progress import Progress

COLOURS = {"red": "Red", "orange": "Yellow", "yellow": "Yellow", "green": "Green", "cyan": "Cyan",
           "blue": "Blue", "purple": "Magenta", "pink": "Magenta"}  # fmt: skip
OTHERWISE = "White"
USER, TRACK = "trimbin", "V1"


def write(cuts: CutList, folder: Path, *, options: Options, progress: Progress) -> list[Path]:
    """Write `<name>.markers-avid.txt`: user, record timecode, track, colour, comment, frames."""
    rows = []
    for cut in cuts.cuts:
        comment = ": ".join(filter(None, (marker_name(cut), cut.item.note or cut.dialogue)))
        colour = COLOURS.get(cut.item.colour, OTHERWISE)
        length = str(cut.record_end - cut.record_start)
        rows.append((USER, cuts.record_in(cut), TRACK, colour, comment, length))
    told = "".join("\t".join(" ".join(carried(c).split()) for c in row) + "\n" for row in rows)
    path = folder / f"{ascii_name(cuts.name)}.markers-avid.txt"
    return [saved(path, told.encode("utf-8", "replace"))]
