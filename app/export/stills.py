"""A full-size picture a cut (PNG): the middle of the kept moment, handles not counted.

At the source's resolution, of square pixels, upright; what lies in more than eight bits is rounded
to eight, HDR is not tone-mapped. Sound alone has no picture and is passed over.
"""

from __future__ import annotations

import logging
from pathlib import Path

from app.export.cutlist import CutList
from app.export.formats import Options
from app.export.pictures import picture_of
from app.export.writing import left_out, whole
from indexer.progress import Progress
from qdrant.errors import InputError, UsageError

logger = logging.getLogger(__name__)

COMPRESSION = 3
"""zlib's: twice as quick as Pillow's own, a few per cent larger."""


def write(cuts: CutList, folder: Path, *, options: Options, progress: Progress) -> list[Path]:
    """Write a PNG a cut and return the files.

    Raises `UsageError` for a list that is sound alone, `InputError` in the end, after all others
    are written, naming the cuts whose file cannot be read.
    """
    seen = [cut for cut in cuts.cuts if cut.source.has_picture]
    if not seen:
        raise UsageError(f"{cuts.name!r} is sound alone: there is nothing to take stills of.")
    if len(seen) < len(cuts.cuts):
        logger.warning("%d cuts are sound alone and have no still", len(cuts.cuts) - len(seen))
    paths: list[Path] = []
    failures: list[InputError] = []
    for done, cut in enumerate(seen, start=1):
        path = folder / f"{cut.name}.png"
        try:
            picture = picture_of(cut)
            with whole(path) as part:
                picture.save(part, format="PNG", compress_level=COMPRESSION)
            paths.append(path)
        except InputError as error:
            failures.append(error)
        progress("stills", done, len(seen))
    if failures:
        raise left_out(failures, num_cuts=len(seen), what="stills", folder=folder)
    return paths
