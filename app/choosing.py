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
    shown = at_most(fold_repeats(found[: POOL * request.top]), request.per_title)
    if request.variety > 0:
        places = [(moment.title_id, moment.best.shot) for moment in shown]
        stored = catalogue.vectors_of(places)
        raw = [{s: v for s, v in each.items() if s in (VIDEO, AUDIO, TEXT)} for each in stored]
        shown = varied(shown, raw, request.variety)
    return shown[: request.top]
