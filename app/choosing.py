"""Which of the found moments an answer has, by the dials of the request."""

from __future__ import annotations

from collections.abc import Sequence

from app.request import Request
from indexer.catalogue import Catalogue
from qdrant.moments import Moment
from qdrant.schema import AUDIO, TEXT, VIDEO
from qdrant.variety import at_most, fold_repeats, varied

POOL = 4
"""How many times as many moments as are shown are looked at for variety."""


def choose(found: Sequence[Moment], request: Request, catalogue: Catalogue) -> list[Moment]:
    """Return the moments to show, best first, or best and most varied first."""
    # Where a title may have so many, what comes of others may stand far behind.
    pool = found if request.per_title else found[: POOL * request.top]
    shown = at_most(fold_repeats(pool), request.per_title)[: POOL * request.top]
    if request.variety > 0:
        places = [(moment.title_id, moment.best.shot) for moment in shown]
        stored = catalogue.vectors_of(places)
        raw = [{s: v for s, v in each.items() if s in (VIDEO, AUDIO, TEXT)} for each in stored]
        shown = varied(shown, raw, request.variety)
    return shown[: request.top]
