"""A cut list as an OpenTimelineIO file."""

from __future__ import annotations

from pathlib import Path

from app.export.assembling import ascii_name
from app.export.carried import saved
from app.export.cutlist import CutList
from app.export.formats import Options
from app.export.otio_timeline import timeline_of
from indexer.progress import Progress


def write(cuts: CutList, folder: Path, *, options: Options, progress: Progress) -> list[Path]:
    """Write `<name>.otio`."""
    told: str = timeline_of(cuts).to_json_string()
    return [saved(folder / f"{ascii_name(cuts.name)}.otio", told.encode())]
