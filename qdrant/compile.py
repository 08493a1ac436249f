"""Query -> `qdrant_client.models`: the one place where the query language becomes Qdrant's."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from qdrant_client import models

from qdrant import lines
from qdrant.errors import UsageError
from qdrant.language import AnyOf, Between, Condition, Equals, Not, Query
from qdrant.record import Vector
from qdrant.schema import LINE, Schema

Ask = tuple[int, str]
"""(number of the question, space)"""

Asked = Mapping[Ask, list[float] | models.SparseVector]
"""The vector to be near to, for each space that a question asks."""

MAY_TIE = 16
"""Shots asked for beyond the candidates: of lines that are the same word by word all score alike,
and each engine would cut them off somewhere else."""

PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+")
"""Payload names that Qdrant's paths take unquoted; a dot in any other would mean nesting."""

WITH_INDEX = models.SearchParams(
    hnsw_ef=256, quantization=models.QuantizationSearchParams(rescore=True, oversampling=2.0)
)
"""How a search index is gone through: so many points are looked at, and twice as many as are wanted
are scored anew by their whole numbers. Where there is no index it changes nothing."""


@dataclass(frozen=True)
class Scope:
    """Which points of a collection a library shows: added to every filter.

    The registry point carries no vector and no `library_id`, so a question to a vector never
    meets it; counts and scrolls leave it out by its id.
    """

    registry_id: str
    library_id: str | None = None  # None: the collection is this library's alone
    hidden: frozenset[tuple[str, str]] = frozenset()  # (title_id, generation)

    def near(self, conditions: Sequence[Condition] = ()) -> models.Filter | None:
        """Return the filter of a question to a vector; None where everything may answer."""
        must = [*self._library(), *compiled(conditions)]
        must_not = self._hidden()
        if not must and not must_not:
            return None
        return models.Filter(must=must or None, must_not=must_not or None)

    def all(self, conditions: Sequence[Condition] = ()) -> models.Filter:
        """Return the filter of a count or a scroll, and of the line's idf statistics."""
        return models.Filter(
            must=[*self._library(), *compiled(conditions)] or None,
            must_not=[*self._hidden(), models.HasIdCondition(has_id=[self.registry_id])],
        )

    def among(self, ids: Sequence[str], conditions: Sequence[Condition] = ()) -> models.Filter:
        """Return the filter of those of these points that are shown and meet the conditions."""
        these = models.HasIdCondition(has_id=list(ids))
        must = [*self._library(), *compiled(conditions), these]
        return models.Filter(must=must, must_not=self._hidden() or None)

    def generation(self, title_id: str, generation: str) -> models.Filter:
        """Return the filter of one generation of a title, hidden or not."""
        return models.Filter(must=[*self._library(), *_generation(title_id, generation)])

    def _library(self) -> list[models.Condition]:
        return [] if self.library_id is None else [_match("library_id", self.library_id)]

    def _hidden(self) -> list[models.Condition]:
        return [models.Filter(must=_generation(*pair)) for pair in sorted(self.hidden)]


def asked_spaces(query: Query, schema: Schema) -> Asked:
    """Return the vector for every space of every question; a line without a word asks nothing.

    Raises UsageError for a space the library does not have, and for a vector of another length,
    of zeros, or with a NaN in it.
    """
    asked: dict[Ask, list[float] | models.SparseVector] = {}
    for number, question in enumerate(query.questions):
        for space, vector in question.vectors.items():
            asked[number, space] = _checked(space, vector, schema)
        words = lines.question(question.line, question.languages, exact=question.phrase is not None)
        if words is not None:
            asked[number, LINE] = words
    return asked


def _checked(space: str, vector: Vector, schema: Schema) -> list[float]:
    if space not in schema.dims:
        known = ", ".join(schema.dims)
        raise UsageError(f"This library has no `{space}` vectors; it can be asked in {known}.")
    dim = schema.dims[space]
    if vector.shape != (dim,) or not np.isfinite(vector).all() or not vector.any():
        raise UsageError(
            f"A query in `{space}` takes {dim} finite numbers, not all zero, and got an "
            f"array of shape {vector.shape}; encode it with the library's own profile."
        )
    numbers: list[float] = vector.astype(np.float32).tolist()
    return numbers


def proposing(asked: Asked, query: Query) -> Asked:
    """Return those of the asked spaces that propose shots: what is unwanted proposes nothing."""
    wanted = len(query.wanted)
    return {ask: vector for ask, vector in asked.items() if ask[0] < wanted and query.candidates}


def proposals(asked: Asked, query: Query, scope: Scope) -> list[models.QueryRequest]:
    """Return one request an ask: its nearest shots among those the conditions allow.

    Some more than are wanted, so that who of equals is taken is for us to say.
    """
    where = scope.near(query.conditions)
    return [
        models.QueryRequest(
            query=vector,
            using=space,
            filter=where,
            params=_params(space, scope),
            limit=query.candidates + MAY_TIE,
        )
        for (_, space), vector in asked.items()
    ]


def completions(
    asked: Asked, ids: Sequence[str], query: Query, scope: Scope
) -> list[models.QueryRequest]:
    """Return one request an ask: the exact scores of these points there.

    Those that do not meet the conditions get none. All requests share one filter, which is to be
    translated only once.
    """
    where = scope.among(ids, query.conditions)
    return [
        models.QueryRequest(
            query=vector,
            using=space,
            filter=where,
            params=_params(space, scope, exact=True),
            limit=len(ids),
        )
        for (_, space), vector in asked.items()
    ]


def bearers(space: str, among: models.QueryRequest) -> models.QueryRequest:
    """Return the request for those that have a vector in this space, of whom another asks."""
    assert among.filter is not None
    has_vector = models.HasVectorCondition(has_vector=space)
    return models.QueryRequest(
        filter=models.Filter(must=[among.filter, has_vector]), limit=among.limit
    )


def compiled(conditions: Iterable[Condition]) -> list[models.Condition]:
    """Return Qdrant's conditions; one that is open on both sides says nothing and is left out.

    Raises UsageError for a name that cannot be a payload field and for a bound that is NaN.
    """
    return [made for condition in conditions if (made := _compiled(condition)) is not None]


def _compiled(condition: Condition) -> models.Condition | None:
    match condition:
        case Equals(name, value):
            return _match(_key(name), value)
        case AnyOf(name, values):
            return models.FieldCondition(key=_key(name), match=models.MatchAny(any=list(values)))
        case Between(name, None, None):
            _key(name)
            return None
        case Between(name, low, high):
            if any(bound is not None and math.isnan(bound) for bound in (low, high)):
                raise UsageError(f"The bounds of `{name}` must be numbers: {low}..{high}.")
            return models.FieldCondition(key=_key(name), range=models.Range(gte=low, lte=high))
        case Not(inner):
            unmet = _compiled(inner)
            return None if unmet is None else models.Filter(must_not=[unmet])


def _params(space: str, scope: Scope, *, exact: bool | None = None) -> models.SearchParams | None:
    if space != LINE:
        return models.SearchParams(exact=True) if exact else WITH_INDEX
    # Without a corpus, idf would count deleted and hidden shots, and other libraries' too, each
    # backend in its own way. The registry has no line.
    corpus = models.IdfCorpusParams(corpus=scope.near() or models.Filter())
    return models.SearchParams(idf=corpus, exact=exact)


def _generation(title_id: str, generation: str) -> list[models.Condition]:
    return [_match("title_id", title_id), _match("generation", generation)]


def _match(key: str, value: str | int | bool) -> models.FieldCondition:
    return models.FieldCondition(key=key, match=models.MatchValue(value=value))


def _key(name: str) -> str:
    if PLAIN_KEY.fullmatch(name):
        return name
    if not name or '"' in name:
        raise UsageError(f"`{name}` cannot be the name of a field; look at the titles.csv header.")
    return f'"{name}"'
