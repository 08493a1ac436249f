"""The edit decision list with whole reel names, for houses that refuse those cut to eight.

They find the source by its long reel name and its timecode (Netflix's Content Hub is one).
"""

from __future__ import annotations

from pathlib import Path

from app.export.assembling import ascii_name
from app.export.carried import saved
from app.export.cutlist import CutList, Source
from app.export.events import decision_list, plain
from app.export.formats import Options
from indexer.progress import Progress

LEAST_WIDTH = 8


def write(cuts: CutList, folder: Path, *, options: Options, progress: Progress) -> list[Path]:
    """Write `<name>.long.edl`."""
    width = max([LEAST_WIDTH, *(len(_reel(source)) for source in cuts.sources)])
    told = decision_list(cuts, _reel, width=width)
    return [saved(folder / f"{ascii_name(cuts.name)}.long.edl", told.encode("ascii"))]


def _reel(source: Source) -> str:
    # A space would end it: columns are told apart by spaces.
    return plain(source.reel).replace(" ", "_") or "REEL"
