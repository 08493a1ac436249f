"""One query, answered in two rounds: spaces propose shots, then score what the others proposed.

What is unwanted proposes nothing, and scores what was proposed.

Where the query reaches beyond the shots that say something, those around the best lines are scored
too: what somebody looks for may be the face of the one who listens.

Whole shots are copied out of the engine one by one, which takes longer than finding them. So where
it is known how shots will be scored, only those that score best are copied.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence, Set
from typing import Any

import numpy as np

from qdrant import compile as compiler
from qdrant.backend import Backend, ScoredPoint
from qdrant.compile import Ask, Asked, Scope
from qdrant.language import Answers, Floats, Query, Scoring, ShotHit
from qdrant.record import near_pairs, neighbour, steps_within
from qdrant.registry import Registry
from qdrant.schema import LINE, TEXT

LEAST_KEPT = 50
"""How many shots are copied whole at least, where it is known which are the best."""

SPEAKING = 10
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
    scoring: Scoring | None = None,
) -> tuple[list[ShotHit], bool]:
    """Return the hits, best first, and whether all that was found was visible in `registry`.

    Points of other generations, which another process may have written since the registry was
    read, are left out. With `scoring`, so are those that score least.
    """
    scores = _proposed(query, asked, backend, scope)
    speaking = _speaking(query, scores)
    around = {neighbour(id_, step) for id_ in speaking for step in steps_within(query.reach)}
    also = {
        point_of(title_id, registry.current[title_id], shot)
        for title_id, shot in query.also
        if title_id in registry.current
    }
    ids = {id_ for found_by in scores.values() for id_ in found_by}
    if not query.wanted:
        ids |= _meeting(query, backend, scope)
    ids |= around | also
    _complete(scores, asked, sorted(ids), query, backend, scope)
    if scoring is not None:
        ids = _best_and_beside(sorted(ids), also, query, scores, scoring)
    found = _payloads(sorted(ids), query, backend, scope)
    visible = {
        id_: payload
        for id_, payload in found.items()
        if registry.current.get(payload["title_id"]) == payload["generation"]
    }
    hits = [
        ShotHit(
            title_id=payload["title_id"],
            shot=payload["shot"],
            answers=_answers_of(id_, scores, len(query.questions)),
            payload=payload,
        )
        for id_, payload in visible.items()
    ]
    return sorted(hits, key=_best_first), len(visible) == len(found)


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


def _meeting(query: Query, backend: Backend, scope: Scope) -> set[str]:
    """Return the first points that meet the conditions, where nothing is wanted."""
    where = scope.all(query.conditions)
    points, _ = backend.scroll(where, limit=query.candidates, payload=False)
    return {point.id for point in points}


def _speaking(query: Query, scores: Scores) -> list[str]:
    """Return the best that the words propose."""
    return [
        id_
        for (number, space), found_by in scores.items()
        if number < len(query.wanted) and space in (LINE, TEXT)
        for id_ in sorted(found_by, key=lambda id_: -found_by[id_])[:SPEAKING]
    ]


def _best_and_beside(
    ids: Sequence[str], also: Set[str], query: Query, scores: Scores, scoring: Scoring
) -> set[str]:
    """Return the best, and the best of those asked for by name, and who may join or help them.

    A moment grows over its best shot's neighbours, and who listens is helped by who speaks.
    """
    near = near_pairs(ids, max(query.reach, 1))
    totals = scoring(
        _similarities(ids, scores, len(query.questions)), near if query.reach else near[:0]
    )
    ranked = np.lexsort((np.array(ids), -totals))
    number = max(query.candidates // 2, LEAST_KEPT)
    kept = np.zeros(len(ids), bool)
    kept[ranked[:number]] = True
    kept[[row for row in ranked.tolist() if ids[row] in also][:number]] = True
    kept[near[kept[near[:, 0]], 1]] = True
    return {ids[row] for row in np.flatnonzero(kept).tolist()}


def _similarities(
    ids: Sequence[str], scores: Scores, num_questions: int
) -> list[dict[str, Floats]]:
    """Return the scores of these points, question by question; NaN where there is none."""
    similarities: list[dict[str, Floats]] = [{} for _ in range(num_questions)]
    for (number, space), found_by in scores.items():
        similarities[number][space] = np.array([found_by.get(id_, math.nan) for id_ in ids])
    return similarities


def _payloads(
    ids: Sequence[str], query: Query, backend: Backend, scope: Scope
) -> dict[str, dict[str, Any]]:
    """Return the payload of those of these points that exist and meet the query's conditions."""
    if not ids:
        return {}
    records, _ = backend.scroll(scope.among(ids, query.conditions), limit=len(ids))
    return {record.id: record.payload or {} for record in records}


def _complete(
    scores: Scores, asked: Asked, ids: list[str], query: Query, backend: Backend, scope: Scope
) -> None:
    """Score points in the asked spaces that did not propose them; no point, no score."""
    missing = {ask: v for ask, v in asked.items() if any(id_ not in scores[ask] for id_ in ids)}
    if not missing:
        return
    requests = compiler.completions(missing, ids, query, scope)
    lines = [ask for ask in missing if ask[1] == LINE]
    if lines:
        requests.append(compiler.bearers(LINE, requests[0]))
    answers = backend.query_batch(requests)
    for points in answers[len(missing) :]:
        for ask in lines:
            # A line with none of the words scores 0, but no backend returns it.
            scores[ask].update((point.id, 0.0) for point in points if point.id not in scores[ask])
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
