"""One thing after another: shots that answer the steps of a question in order. Pure.

What is asked is `A then B`: a shot of A, and within a gap a later shot of B, in the same title.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qdrant.moments import Moment
from qdrant.ranking import ScoredShot

WITHIN_S = 30.0
"""How soon the next step must follow where nobody says: what an editor watches in one go."""


@dataclass(frozen=True)
class Gap:
    """How far the end of one shot may lie before the start of the next: seconds, or shots."""

    seconds: float = WITHIN_S
    shots: float = math.inf  # 1: the very next one


def chain(steps: Sequence[Iterable[ScoredShot]], gaps: Sequence[Gap]) -> list[Moment]:
    """Return the moments in which the steps follow one another, best first, none overlapping.

    A moment runs from its first step's shot to its last one's; its score is the geometric mean of
    theirs. Of chains that share a stretch of film the best is kept, of equals the earliest.
    """
    ranked = sorted(
        (moment for title in _by_title(steps) for moment in _chains(title, gaps)),
        key=lambda m: (-m.score, m.title_id, m.first, m.end),
    )
    kept: dict[str, list[Moment]] = {}
    for moment in ranked:
        others = kept.setdefault(moment.title_id, [])
        if all(moment.end <= other.first or other.end <= moment.first for other in others):
            others.append(moment)
    return [moment for moment in ranked if any(moment is m for m in kept[moment.title_id])]


def _by_title(steps: Sequence[Iterable[ScoredShot]]) -> list[list[list[ScoredShot]]]:
    """Return, for each title that answers every step, the shots of each step in film order."""
    titles: dict[str, list[list[ScoredShot]]] = {}
    for number, shots in enumerate(steps):
        for shot in shots:
            if shot.score > 0:
                titles.setdefault(shot.title_id, [[] for _ in steps])[number].append(shot)
    whole = [title for title in titles.values() if all(title)]
    return [[sorted(step, key=lambda shot: shot.shot) for step in title] for title in whole]


def _chains(title: Sequence[Sequence[ScoredShot]], gaps: Sequence[Gap]) -> Iterable[Moment]:
    """Yield the best chain that ends at each shot of the last step."""
    logs = [np.log([shot.score for shot in step]) for step in title]
    best, before = logs[0], []
    for number, gap in enumerate(gaps, start=1):
        reached = np.where(_follows(title[number - 1], title[number], gap), best, -np.inf)
        before.append(reached.argmax(axis=1))
        best = reached.max(axis=1) + logs[number]
    for last in np.flatnonzero(np.isfinite(best)):
        members = [int(last)]
        for links in reversed(before):
            members.append(int(links[members[-1]]))
        shots = [step[i] for step, i in zip(title, reversed(members), strict=True)]
        yield _moment(shots, math.exp(best[last] / len(shots)))


def _follows(
    earlier: Sequence[ScoredShot], later: Sequence[ScoredShot], gap: Gap
) -> NDArray[np.bool_]:
    """Return (num_later, num_earlier): whether one comes after the other, soon enough."""
    shots = _numbers(later, "shot")[:, None] - _numbers(earlier, "shot")[None]
    seconds = _numbers(later, "start_s")[:, None] - _numbers(earlier, "end_s")[None]
    return np.asarray((shots > 0) & (shots <= gap.shots) & (seconds <= gap.seconds + 1e-6))


def _numbers(shots: Sequence[ScoredShot], field: str) -> NDArray[np.float64]:
    if field == "shot":
        return np.array([shot.shot for shot in shots], np.float64)
    return np.array([float(shot.hit.payload.get(field, math.nan)) for shot in shots])


def _moment(shots: Sequence[ScoredShot], score: float) -> Moment:
    best = max(shots, key=lambda shot: shot.score)
    shares: dict[str, float] = {}
    for shot in shots:
        for space, share in shot.shares.items():
            shares[space] = shares.get(space, 0.0) + share / len(shots)
    return Moment(
        title_id=best.title_id,
        first=shots[0].shot,
        end=shots[-1].shot + 1,
        score=score,
        shares=shares,
        shots=tuple(shots),
        best=best,
        steps=tuple(shots),
    )
