"""Markers for a sequence in Premiere: tab-separated text, as its marker panels exchange it."""

from __future__ import annotations

from pathlib import Path

from app.export.assembling import ascii_name
from app.export.carried import carried, saved
from app.export.cutlist import CutList
from app.export.formats import Options
from app.export.marking import marker_name
from indexer.media.timecode import timecode_of
from indexer.progress import Progress

COLUMNS = ("Marker Name", "Description", "In", "Out", "Duration", "Marker Type")


def write(cuts: CutList, folder: Path, *, options: Options, progress: Progress) -> list[Path]:
    """Write `<name>.markers-premiere.txt`: a marker a cut, on the record timeline."""
    rows = [COLUMNS]
    for cut in cuts.cuts:
        length = cut.record_end - cut.record_start
        lasts = timecode_of(length, rate=cuts.rate, drop_frame=cuts.drop_frame)
        span = (cuts.record_in(cut), cuts.record_out(cut), lasts)
        rows.append((marker_name(cut), cut.item.note or cut.dialogue, *span, "Comment"))
    told = "".join("\t".join(" ".join(carried(c).split()) for c in row) + "\n" for row in rows)
    path = folder / f"{ascii_name(cuts.name)}.markers-premiere.txt"
    return [saved(path, told.encode("utf-8", "replace"))]
