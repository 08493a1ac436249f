"""Titles like one, and what there is to say where none is found."""

from __future__ import annotations

from indexer.library import Library
from indexer.manifest import Manifest
from indexer.similar import FEWEST, SimilarTitle, similar_titles
from qdrant.schema import CONTEXT

NO_MODEL = (
    "No context model has read this title yet, so nothing is known of titles like it. "
    "`trimbin train` learns one where `trimbin index` has not."
)
ALONE = "There is no other title to compare it with."


def similar_to(
    library: Library, manifest: Manifest, *, top: int = 6
) -> tuple[list[SimilarTitle], list[str]]:
    """Return the titles most like one, best first, and sentences on what that is worth."""
    if CONTEXT not in manifest.spaces:
        return [], [NO_MODEL]
    found = similar_titles(library, manifest.title_id, top=top)
    if not found:
        return [], [ALONE]
    if len(found) + 1 < FEWEST:
        return found, ["Two titles are compared as they are: 1 is the same, and all are alike."]
    return found, []
