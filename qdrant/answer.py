"""One query, answered in two rounds: spaces propose shots, then score what the others proposed."""

from __future__ import annotations

from typing import Any

from qdrant import compile as compiler
from qdrant.backend import Backend
from qdrant.compile import Asked, Scope
from qdrant.language import Query, ShotHit
from qdrant.registry import Registry
from qdrant.schema import LINE

Scores = dict[str, dict[str, float]]
"""space -> point id -> raw similarity"""


def answer(
    query: Query, asked: Asked, *, backend: Backend, registry: Registry, scope: Scope
) -> tuple[list[ShotHit], bool]:
    """Return the hits, best first, and whether all that was found was visible in `registry`.

    Points of other generations, which another process may have written since the registry was
    read, are left out.
    """
    found, scores = _proposed(query, asked, backend, scope)
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
            similarities={space: s[id_] for space, s in scores.items() if id_ in s},
            payload=payload,
        )
        for id_, payload in visible.items()
    ]
    return sorted(hits, key=_best_first), len(visible) == len(found)


def _proposed(
    query: Query, asked: Asked, backend: Backend, scope: Scope
) -> tuple[dict[str, dict[str, Any]], Scores]:
    """Return the payload of every proposed point, and its score where it was proposed."""
    found: dict[str, dict[str, Any]] = {}
    scores: Scores = {space: {} for space in asked}
    proposed = backend.query_batch(compiler.proposals(asked, query, scope)) if asked else []
    for space, points in zip(asked, proposed, strict=True):
        found.update((str(point.id), point.payload or {}) for point in points)
        scores[space].update((str(point.id), point.score) for point in points)
    if not asked:
        records, _ = backend.scroll(scope.all(query.conditions), limit=query.candidates)
        found.update((str(record.id), record.payload or {}) for record in records)
    return found, scores


def _complete(scores: Scores, asked: Asked, ids: list[str], backend: Backend, scope: Scope) -> None:
    """Score every found shot in the asked spaces that did not propose it themselves."""
    missing = {space: [id_ for id_ in ids if id_ not in scores[space]] for space in asked}
    missing = {space: ids for space, ids in missing.items() if ids}
    if not missing:
        return
    requests = compiler.completions(asked, missing, scope)
    if LINE in missing:
        requests.append(compiler.bearers(LINE, missing[LINE]))
    answers = backend.query_batch(requests)
    if LINE in missing:
        # A line with none of the words scores 0, but no backend returns it.
        scores[LINE].update((str(point.id), 0.0) for point in answers.pop())
    for space, points in zip(missing, answers, strict=True):
        scores[space].update((str(point.id), point.score) for point in points)


def _best_first(hit: ShotHit) -> tuple[float, str, int]:
    return (-max(hit.similarities.values(), default=0.0), hit.title_id, hit.shot)
