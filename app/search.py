"""The read story: what an editor asks for becomes moments.

What was asked is encoded into every space it can reach, the store proposes shots, their
similarities become one score, and neighbouring shots that match together become a moment; or shots
that follow one another, where one thing is to come after another.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from app.asking import Asking, gap_of
from app.choosing import choose
from app.following import follow
from app.moment import Moment, describe
from app.request import Request
from indexer.catalogue import Catalogue
from indexer.encoders.load import EncoderSet
from qdrant.language import Query
from qdrant.moments import MAX_MOMENT_S, merge_neighbours
from qdrant.ranking import ScoredShot, score_shots, scoring


@dataclass(frozen=True)
class Answer:
    """Moments, best first, and what a person should know about how they were found."""

    query: str
    hits: tuple[Moment, ...]  # above the confidence floor
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
    """Find the moments that fit a request.

    Raises `UsageError` for what the request names and the library has not: a title, a field, a
    time; `InputError` for a clip or a picture that cannot be read.
    """
    started = time.perf_counter()
    asking = Asking(catalogue, encoders)
    queries = [asking.query_of(step, top=request.top) for step in request.steps]

    def answers(query: Query) -> list[ScoredShot]:
        bands, in_all = catalogue.calibrations, request.all_modalities
        # Where a title may have but a few, what comes of others may stand far behind.
        all_of_them = request.per_title is not None
        by = None if all_of_them else scoring(bands, query, all_modalities=in_all)
        found = catalogue.query(query, scoring=by)
        scored = score_shots(found, bands, query, all_modalities=in_all)
        return [shot for shot in scored if (shot.title_id, shot.shot) not in asking.examples]

    if len(queries) == 1:
        alone = not queries[0].wanted  # fields alone: every shot that meets them answers as well
        found = merge_neighbours(answers(queries[0]), max_length_s=0.0 if alone else MAX_MOMENT_S)
    else:
        found = follow(queries, [gap_of(step) for step in request.steps[1:]], answers)
    moments = choose(found, request, catalogue)
    floor = catalogue.library.profile.confidence_floor if request.floor is None else request.floor
    hits = [moment for moment in moments if moment.score >= floor]
    weak = [moment for moment in moments if moment.score < floor]
    if not hits:
        asking.notes.append("Nothing good found." if weak else "Nothing found.")
    return Answer(
        query=str(request),
        hits=tuple(describe(moment, catalogue.library) for moment in hits),
        weak=tuple(describe(moment, catalogue.library) for moment in weak),
        notes=tuple(asking.notes),
        took_ms=round((time.perf_counter() - started) * 1000),
    )
