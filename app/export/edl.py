"""A cut list as a strict CMX 3600 edit decision list: reels of at most eight characters."""

from __future__ import annotations

import re
from pathlib import Path

from app.export.assembling import ascii_name
from app.export.carried import saved
from app.export.cutlist import CutList, Source
from app.export.events import decision_list
from app.export.formats import Options
from indexer.progress import Progress

REEL_CHARACTERS = 8


def write(cuts: CutList, folder: Path, *, options: Options, progress: Progress) -> list[Path]:
    """Write `<name>.edl`."""
    reels = short_reels(cuts.sources)
    told = decision_list(cuts, lambda source: reels[source.title_id], width=REEL_CHARACTERS)
    return [saved(folder / f"{ascii_name(cuts.name)}.edl", told.encode("ascii"))]


def short_reels(sources: tuple[Source, ...]) -> dict[str, str]:
    """Return a reel of eight letters and digits for each source: title_id -> reel, no two alike."""
    reels: dict[str, str] = {}
    for source in sources:
        reel = re.sub(r"[^A-Z0-9]", "", source.reel.upper())[:REEL_CHARACTERS] or "REEL"
        number, taken = 1, set(reels.values())
        wanted = reel
        while reel in taken or reel in ("AX", "BL"):  # these two mean auxiliary and black
            number += 1
            reel = f"{wanted[: REEL_CHARACTERS - 1 - len(str(number))]}X{number}"
        reels[source.title_id] = reel
    return reels
