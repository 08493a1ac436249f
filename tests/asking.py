"""A query of one question, as most tests ask."""

from __future__ import annotations

from collections.abc import Mapping

from qdrant.language import Condition, Query, Question
from qdrant.record import Vector


def query_of(
    vectors: Mapping[str, Vector] | None = None,
    line: str = "",
    conditions: tuple[Condition, ...] = (),
    candidates: int = 200,
    reach: int = 0,
) -> Query:
    """Return the query, or one of conditions alone."""
    question = Question(vectors or {}, line)
    wanted = (question,) if question.vectors or line else ()
    return Query(wanted, (), conditions, candidates, reach)
