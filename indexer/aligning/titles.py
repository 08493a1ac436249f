"""Which titles of a library a clip is cut from, and where in them."""

from __future__ import annotations

import heapq
import logging
from dataclasses import dataclass

import numpy as np

from indexer.aligning.align import Alignment, align
from indexer.aligning.paths import Order
from indexer.aligning.shots import ShotRow, shots_of_clip, shots_of_title
from indexer.aligning.worth import likeness_of
from indexer.clip import Clip
from indexer.library import Library
from indexer.manifest import Manifest
from indexer.progress import Progress, silent
from qdrant.errors import InputError

logger = logging.getLogger(__name__)

LOOKED_AT = 10
"""So many titles are aligned: those in which the clip's shots find the best likenesses."""
LIKELY = 0.4
"""The score from which on a title is likely an origin. Thirty shots of Big Buck Bunny against the
rest of it, which is as like them as a stranger can be, stay below: `benchmarks/recuts.py`."""


@dataclass(frozen=True)
class Origin:
    """A title that a clip may be cut from."""

    manifest: Manifest
    alignment: Alignment

    @property
    def is_likely(self) -> bool:
        """Whether so much of the clip fits that chance is no explanation."""
        return self.alignment.score >= LIKELY


def origins_of(
    clip: Clip,
    library: Library,
    *,
    order: Order = "any order",
    top: int = 3,
    progress: Progress = silent,
) -> list[Origin]:
    """Return the titles a clip is most likely cut from, best first; none where nothing fits.

    Every title is read once, one at a time: of each only how alike the clip's shots and their
    best are, without any order. The best of them are read again and aligned. A damaged title is
    passed over, and told. Raises `UsageError` for a clip of another profile.
    """
    asked, bands = shots_of_clip(clip), library.profile.likeness
    manifests = library.in_use()
    likely: list[tuple[float, int]] = []
    for number, manifest in enumerate(manifests):
        progress("comparing", number, len(manifests))
        title = _read(library, manifest)
        if title is not None:
            alike = float(np.average(likeness_of(asked, title, bands), weights=asked.seconds))
            likely.append((alike, -number))
    progress("comparing", len(manifests), len(manifests))
    origins = []
    for _, number in heapq.nlargest(max(LOOKED_AT, top), likely):
        manifest = manifests[-number]
        title = _read(library, manifest)
        if title is not None:
            found = align(asked, title, bands=bands, order=order)
            if found.stretches:
                origins.append(Origin(manifest, found))
    origins.sort(key=lambda origin: -origin.alignment.score)
    return origins[:top]


def _read(library: Library, manifest: Manifest) -> ShotRow | None:
    try:
        return shots_of_title(library, manifest)
    except InputError as error:
        logger.warning("%s", error)
        return None
