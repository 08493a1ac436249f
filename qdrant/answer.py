"""One query, answered in two rounds: spaces propose shots, then score what the others proposed.

What is unwanted proposes nothing, and scores what was proposed.

Where the query reaches beyond the shots that say something, those around the best lines are scored
too: what somebody looks for may be the face of the one who listens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from qdrant import compile as compiler
from qdrant.backend import Backend, ScoredPoint
from qdrant.compile import Ask, Asked, Scope
from qdrant.language import Answers, Query, ShotHit, Worth
from qdrant.registry import Registry
from qdrant.schema import LINE, TEXT

SPEAKING = 20
"""Of the shots that the words propose, how many have those around them scored."""

PointOf = Callable[[str, str, int], str]
"""(title_id, generation, shot) -> the point's id"""

Scores = dict[Ask, dict[str, float]]
"""(question, space) -> point id -> raw similarity"""


def answer(
    query: Query,
    asked: Asked,
    *,
    backend: Backend,
    registry: Registry,
    scope: Scope,
    point_of: PointOf,
    worth: Worth | None = None,
) -> tuple[list[ShotHit], bool]:
    """Return the hits, best first, and whether all that was found was visible in `registry`.

    Points of other generations, which another process may have written since the registry was
    read, are left out. With `worth`, so are those of least worth, beyond what one space may
    propose; the best lines and what is around them stay.
    """
    scores, clean = _proposed(query, asked, backend, scope), True
    near = {id_ for found_by in scores.values() for id_ in found_by}
    if worth is not None and len(near) > query.candidates:
        _complete(scores, asked, sorted(near), backend, scope)
        near, clean = _worthiest(near, query, scores, worth), False
    found = _stored(near, backend) if query.wanted else _meeting(query, backend, scope)
    if query.reach:
        found.update(_around_lines(query, found, scores, backend, scope, point_of))
    also = {
        point_of(title_id, registry.current[title_id], shot)
        for title_id, shot in query.also
        if title_id in registry.current
    }
    found.update(_payloads(sorted(also - found.keys()), query, backend, scope))
    visible = {
        id_: payload
        for id_, payload in found.items()
        if registry.current.get(payload["title_id"]) == payload["generation"]
    }
    _complete(scores, asked, list(visible), backend, scope)
    hits = [
        ShotHit(
            title_id=payload["title_id"],
            shot=payload["shot"],
            answers=_answers_of(id_, scores, len(query.questions)),
            payload=payload,
        )
        for id_, payload in visible.items()
    ]
    return sorted(hits, key=_best_first), clean and len(visible) == len(found)


def _proposed(query: Query, asked: Asked, backend: Backend, scope: Scope) -> Scores:
    """Return the score of every proposed point where it was proposed."""
    scores: Scores = {ask: {} for ask in asked}
    proposing = compiler.proposing(asked, query)
    requests = compiler.proposals(proposing, query, scope)
    proposed = backend.query_batch(requests) if requests else []
    for ask, points in zip(proposing, proposed, strict=True):
        best = sorted(points, key=_nearest_first)[: query.candidates]
        scores[ask].update((point.id, point.score) for point in best)
    return scores


def _worthiest(near: Iterable[str], query: Query, scores: Scores, worth: Worth) -> set[str]:
    """Return the points worth most, as many as a space may propose, and the best lines."""
    worths = {id_: worth(_answers_of(id_, scores, len(query.questions))) for id_ in near}
    best = sorted(worths, key=lambda id_: (-worths[id_], id_))[: query.candidates]
    return {*best, *_speaking(query, scores)}


def _stored(near: Iterable[str], backend: Backend) -> dict[str, dict[str, Any]]:
    """Return the payload of these points.

    It does not come with the proposals: several spaces propose the same shots, and an engine
    copies what it sends along with scores again and again.
    """
    ids = sorted(near)
    there = backend.retrieve(ids, payload=True) if ids else []
    return {point.id: point.payload or {} for point in there}


def _meeting(query: Query, backend: Backend, scope: Scope) -> dict[str, dict[str, Any]]:
    """Return the payload of the first points that meet the conditions, where nothing is wanted."""
    records, _ = backend.scroll(scope.all(query.conditions), limit=query.candidates)
    return {record.id: record.payload or {} for record in records}


def _speaking(query: Query, scores: Scores) -> list[str]:
    """Return the best that the words propose."""
    return [
        id_
        for (number, space), found_by in scores.items()
        if number < len(query.wanted) and space in (LINE, TEXT)
        for id_ in sorted(found_by, key=lambda id_: -found_by[id_])[:SPEAKING]
    ]


def _around_lines(
    query: Query,
    found: Mapping[str, Mapping[str, Any]],
    scores: Scores,
    backend: Backend,
    scope: Scope,
    point_of: PointOf,
) -> dict[str, dict[str, Any]]:
    """Return the payload of the shots within reach of the best lines that were not proposed."""
    speaking = [id_ for id_ in _speaking(query, scores) if id_ in found]
    around = {
        point_of(found[id_]["title_id"], found[id_]["generation"], found[id_]["shot"] + step)
        for id_ in speaking
        for step in range(-query.reach, query.reach + 1)
    }
    return _payloads(sorted(around - found.keys()), query, backend, scope)


def _payloads(
    ids: Iterable[str], query: Query, backend: Backend, scope: Scope
) -> dict[str, dict[str, Any]]:
    """Return the payload of those of these points that exist and meet the query's conditions."""
    wanted = list(ids)
    if not wanted:
        return {}
    records, _ = backend.scroll(scope.among(wanted, query.conditions), limit=len(wanted))
    return {record.id: record.payload or {} for record in records}


def _complete(scores: Scores, asked: Asked, ids: list[str], backend: Backend, scope: Scope) -> None:
    """Score every found shot in the asked spaces that did not propose it themselves."""
    missing = {ask: [id_ for id_ in ids if id_ not in scores[ask]] for ask in asked}
    missing = {ask: ids for ask, ids in missing.items() if ids}
    if not missing:
        return
    lines = [ask for ask in missing if ask[1] == LINE]
    requests = compiler.completions(asked, missing, scope)
    requests += [compiler.bearers(LINE, missing[ask]) for ask in lines]
    answers = backend.query_batch(requests)
    for ask, points in zip(lines, answers[len(missing) :], strict=True):
        # A line with none of the words scores 0, but no backend returns it.
        scores[ask].update((point.id, 0.0) for point in points)
    for ask, points in zip(missing, answers, strict=False):
        scores[ask].update((point.id, point.score) for point in points)


def _nearest_first(point: ScoredPoint) -> tuple[float, str]:
    """Order by score, equals by id; engines differ in the last digits."""
    return -round(point.score, 5), point.id


def _answers_of(id_: str, scores: Scores, num_questions: int) -> Answers:
    """Return a shot's similarities, question by question."""
    answers: list[dict[str, float]] = [{} for _ in range(num_questions)]
    for (number, space), found in scores.items():
        if id_ in found:
            answers[number][space] = found[id_]
    return tuple(answers)


def _best_first(hit: ShotHit) -> tuple[float, str, int]:
    best = max((x for answer in hit.answers for x in answer.values()), default=0.0)
    return (-best, hit.title_id, hit.shot)
