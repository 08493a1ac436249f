"""The read story: an editor's words become moments.

Words are encoded into every space they can reach, the store proposes shots, their similarities
become one score, and neighbouring shots that match together become a moment.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from app.moment import Moment, describe
from indexer.catalogue import Catalogue
from indexer.encoders.load import EncoderSet
from indexer.query import encode_words
from qdrant.errors import UsageError
from qdrant.language import Condition, Equals
from qdrant.moments import merge_neighbours
from qdrant.ranking import score_shots

DEFAULT_TOP = 10
MAX_TITLES_NAMED = 10
"""How many titles a message lists."""


@dataclass(frozen=True)
class Request:
    """What somebody asked for."""

    words: str
    top: int = DEFAULT_TOP
    title: str | None = None  # only this title: its name or its id


@dataclass(frozen=True)
class Answer:
    """Moments, best first, and what a person should know about how they were found."""

    query: str
    hits: tuple[Moment, ...]  # above the profile's confidence floor
    weak: tuple[Moment, ...]  # below it: shown apart
    notes: tuple[str, ...]
    took_ms: int

    def to_json(self) -> Mapping[str, Any]:
        """Return the answer as the documented JSON: all moments, those below the floor marked."""
        marked = [
            {**asdict(moment), "confident": confident}
            for moments, confident in ((self.hits, True), (self.weak, False))
            for moment in moments
        ]
        return {"query": self.query, "hits": marked, "notes": self.notes, "took_ms": self.took_ms}


def search(catalogue: Catalogue, encoders: EncoderSet, request: Request) -> Answer:
    """Find the moments that fit a request."""
    started = time.perf_counter()
    profile = catalogue.library.profile
    query, notes = encode_words(
        request.words,
        encoders,
        conditions=conditions_of(request, catalogue),
        tower=catalogue.asker,
    )
    scored = score_shots(catalogue.query(query), catalogue.calibrations, reach=query.reach)
    shots = [shot for shot in scored if shot.score > 0]
    moments = merge_neighbours(shots)[: request.top]
    hits = [moment for moment in moments if moment.score >= profile.confidence_floor]
    weak = [moment for moment in moments if moment.score < profile.confidence_floor]
    if not hits:
        notes.append("Nothing good found." if weak else "Nothing found.")
    return Answer(
        query=request.words,
        hits=tuple(describe(moment, catalogue.library, asked=query) for moment in hits),
        weak=tuple(describe(moment, catalogue.library, asked=query) for moment in weak),
        notes=tuple(notes),
        took_ms=round((time.perf_counter() - started) * 1000),
    )


def conditions_of(request: Request, catalogue: Catalogue) -> tuple[Condition, ...]:
    """Return what a shot must satisfy. Raises `UsageError` for a title that is not there."""
    if request.title is None:
        return ()
    asked = request.title.casefold()
    titles = catalogue.library.titles()
    for manifest in titles:
        if asked in (manifest.title_id, manifest.title.casefold()):
            return (Equals("title_id", manifest.title_id),)
    known = ", ".join(repr(manifest.title) for manifest in titles[:MAX_TITLES_NAMED])
    raise UsageError(f"No title is called {request.title!r} here. There are: {known or 'none'}.")
