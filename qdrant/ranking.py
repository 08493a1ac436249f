"""From raw similarities to one score: how much each space says, and how it all adds up. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from qdrant.errors import UsageError
from qdrant.language import ShotHit
from qdrant.schema import CONTEXT, LINE, TEXT

WORDS = (LINE, TEXT)
"""The spaces in which a shot answers by what is said, told or written in it."""

PASSED_ON = 0.5
"""Share of a line's evidence that counts for a wordless shot near by. Not learned: it puts a shot
that answers in pictures too above the line's own, and leaves others below it."""


@dataclass(frozen=True)
class Calibration:
    """How a space's raw similarity becomes evidence that the shot is the one meant.

    Cosines of different encoders lie in different bands, so each space has a band of its own.
    BM25 has no upper end: with `half` it is first bent to bm25 / (bm25 + half), which no rare
    word can push past 1, and which still tells a line half said from one not said at all. A
    straight line to a ceiling would need that ceiling to follow the library's size (idf grows
    with it) and would call all good lines equal beyond it.
    """

    floor: float  # at or below: no evidence
    ceiling: float  # at or above: all the evidence this space can give
    weight: float = 0.9  # the evidence at the ceiling; below 1, so that no space settles it alone
    half: float | None = None  # the raw score that is bent to one half; None: taken as it is

    def __post_init__(self) -> None:
        numbers = [self.floor, self.ceiling, self.weight, self.half or 1.0]
        well_formed = (
            all(map(math.isfinite, numbers))
            and self.floor < self.ceiling
            and 0 < self.weight < 1
            and (self.half is None or self.half > 0)
        )
        if not well_formed:
            raise UsageError(
                f"A calibration needs floor < ceiling, a weight between 0 and 1 and, where there "
                f"is one, a half above 0, and got {self}; correct the profile."
            )

    def evidence(self, similarity: float) -> float:
        """Return 0..weight for a raw similarity, never falling as it rises."""
        level = similarity
        if self.half is not None:
            level = max(similarity, 0.0) / (max(similarity, 0.0) + self.half)
        share = (level - self.floor) / (self.ceiling - self.floor)
        return self.weight * min(max(share, 0.0), 1.0)


@dataclass(frozen=True)
class ScoredShot:
    """A shot the store found, and how well it answers."""

    title_id: str
    shot: int
    score: float  # 0..1, comparable within one answer only
    shares: Mapping[str, float]  # space -> its part in the score; sums to 1, empty at score 0
    hit: ShotHit
    heard_near: ShotHit | None = None  # the shot near by whose words count here, under `context`


def score_shots(
    hits: Iterable[ShotHit], calibrations: Mapping[str, Calibration], *, reach: int = 0
) -> list[ScoredShot]:
    """Return the hits scored, best first, ties by title and shot.

    Evidence combines by noisy-or, `1 - prod(1 - e)` (Pearl, Probabilistic Reasoning in
    Intelligent Systems, 1988, section 4.3.2): a space the shot lacks says nothing instead of
    saying no, so that a shot without words is not buried. Shares go by `-log(1 - e)`, the amounts
    that add up under noisy-or.

    With a `reach`, a shot without words of its own that answers in some other way is helped by the
    best line at most so many shots away: who listens is asked for together with what is said.

    Raises UsageError where a space was asked that has no calibration.
    """
    found = list(hits)
    weights = {_place(hit): _weigh(hit, calibrations) for hit in found}
    words = {_place(hit): (hit, _evidence_of_words(weights[_place(hit)])) for hit in found}
    scored = []
    for hit in found:
        near = _heard_near(hit, weights[_place(hit)], words, reach)
        scored.append(_score(hit, weights[_place(hit)], near))
    return sorted(scored, key=lambda shot: (-shot.score, shot.title_id, shot.shot))


Place = tuple[str, int]
"""(title_id, shot)"""


def _place(hit: ShotHit) -> Place:
    return hit.title_id, hit.shot


def _weigh(hit: ShotHit, calibrations: Mapping[str, Calibration]) -> dict[str, float]:
    """Return `-log(1 - evidence)` of each space that the shot was found in."""
    weights: dict[str, float] = {}
    for space, similarity in hit.similarities.items():
        if space not in calibrations:
            raise UsageError(
                f"The profile has no calibration for `{space}`; give it a floor, a ceiling and a "
                f"weight beside those of {', '.join(calibrations) or 'no other space'}."
            )
        weights[space] = -math.log1p(-calibrations[space].evidence(similarity))
    return weights


def _evidence_of_words(weights: Mapping[str, float]) -> float:
    return -math.expm1(-sum(weights.get(space, 0.0) for space in WORDS))


def _heard_near(
    hit: ShotHit,
    weights: Mapping[str, float],
    words: Mapping[Place, tuple[ShotHit, float]],
    reach: int,
) -> tuple[ShotHit, float] | None:
    """Return the shot whose words help a wordless one, and their evidence; the nearest of equals.

    None for a shot that has words, or that answers in no other way: the line's own moment is there.
    """
    if hit.similarities.keys() & set(WORDS) or not any(weights.values()):
        return None
    steps = (step for far in range(1, reach + 1) for step in (-far, far))
    near = [words[place] for step in steps if (place := (hit.title_id, hit.shot + step)) in words]
    best = max(near, key=lambda pair: pair[1], default=None)
    return best if best is not None and best[1] > 0 else None


def _score(
    hit: ShotHit, weights: Mapping[str, float], near: tuple[ShotHit, float] | None
) -> ScoredShot:
    all_weights = dict(weights)
    if near is not None:
        passed_on = -math.log1p(-PASSED_ON * near[1])
        all_weights[CONTEXT] = all_weights.get(CONTEXT, 0.0) + passed_on
    total = sum(all_weights.values())
    shares = {space: weight / total for space, weight in all_weights.items()} if total > 0 else {}
    return ScoredShot(
        title_id=hit.title_id,
        shot=hit.shot,
        score=-math.expm1(-total),
        shares=shares,
        hit=hit,
        heard_near=near[0] if near else None,
    )
