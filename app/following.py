"""A then B: the steps of a request, asked one after the other so that none is missed for want of
the other.

A store proposes the best few hundred shots of a step. Those that stand right after a good shot of
the step before are scored too, and those before a good one of the step after: what is plain by
itself may be just what follows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from qdrant.language import Query
from qdrant.moments import Moment
from qdrant.ranking import ScoredShot
from qdrant.sequences import Gap, chain

ANCHORS = 50
"""Of a step's shots, how many have those near them scored for the next step and the one before."""
NEAR_SHOTS = 12
"""How many shots after one, or before, that is: half a minute of most films."""

Answers = Callable[[Query], list[ScoredShot]]


def follow(queries: Sequence[Query], gaps: Sequence[Gap], answers: Answers) -> list[Moment]:
    """Return the moments in which the queries' shots follow one another, best first."""
    found: list[dict[tuple[str, int], ScoredShot]] = []
    for number, query in enumerate(queries):
        after = _beside(found[-1].values(), +1, gaps[number - 1]) if found else frozenset()
        found.append(_by_place(answers(replace(query, also=after))))
    for number in range(len(queries) - 2, -1, -1):
        before = _beside(found[number + 1].values(), -1, gaps[number]) - found[number].keys()
        if before:
            only_these = replace(queries[number], candidates=0, also=before)
            found[number] |= _by_place(answers(only_these))
    return chain([shots.values() for shots in found], gaps)


def _by_place(shots: Iterable[ScoredShot]) -> dict[tuple[str, int], ScoredShot]:
    return {(shot.title_id, shot.shot): shot for shot in shots}


def _beside(shots: Iterable[ScoredShot], direction: int, gap: Gap) -> frozenset[tuple[str, int]]:
    """Return the places after (+1) or before (-1) the best shots, as far as the gap may reach."""
    best = sorted(shots, key=lambda shot: (-shot.score, shot.title_id, shot.shot))[:ANCHORS]
    steps = range(1, int(min(NEAR_SHOTS, gap.shots)) + 1)
    return frozenset(
        (shot.title_id, shot.shot + direction * step)
        for shot in best
        for step in steps
        if shot.shot + direction * step >= 0
    )
