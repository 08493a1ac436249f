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
WORTH_TELLING = 0.02
"""The score at which a title is an answer at all; strangers were left at less, or had a shot in
common. It says nothing about how much of the clip must be found."""


@dataclass(frozen=True)
class Source:
    """A title that a clip may be cut from."""

    manifest: Manifest
    alignment: Alignment


def sources_of(
    clip: Clip,
    library: Library,
    *,
    order: Order = "any order",
    top: int = 3,
    progress: Progress = silent,
) -> list[Source]:
    """Return the titles a clip is most likely cut from, best first; none where none is.

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
    sources = []
    for _, number in heapq.nlargest(max(LOOKED_AT, top), likely):
        manifest = manifests[-number]
        title = _read(library, manifest)
        if title is not None:
            found = align(asked, title, bands=bands, order=order)
            if found.score >= WORTH_TELLING:
                sources.append(Source(manifest, found))
    sources.sort(key=lambda source: -source.alignment.score)
    return sources[:top]


def _read(library: Library, manifest: Manifest) -> ShotRow | None:
    try:
        return shots_of_title(library, manifest)
    except InputError as error:
        logger.warning("%s", error)
        return None
