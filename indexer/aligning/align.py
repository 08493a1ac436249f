"""A clip laid along one title: where each of its shots comes from, and how sure that is. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from indexer.aligning.confidence import confidences
from indexer.aligning.paths import PRICES, Block, Order, best_path, net
from indexer.aligning.shots import ShotRow
from indexer.aligning.stretches import Stretch, stretches_of
from indexer.aligning.worth import worth_of
from qdrant.calibration import Calibration
from qdrant.errors import UsageError


@dataclass(frozen=True)
class ShotMatch:
    """Where one shot of a clip comes from."""

    title_shots: Block | None  # `[first, end)`; None: from nowhere in this title
    confidence: float  # 0..1, in this answer, None included
    evidence: float  # 0..1, how alike they are, whatever stands around them; 0 where None


@dataclass(frozen=True)
class Alignment:
    """Where a clip comes from in a title."""

    matches: tuple[ShotMatch, ...]  # one a shot of the clip, in its order
    stretches: tuple[Stretch, ...]  # matches that follow one another, in the clip's order
    score: float  # 0..1: evidence times confidence, over the clip's seconds; compares titles
    matched_s: float  # how much of the clip has a place
    clip_s: float  # how long the clip is

    @property
    def likeness(self) -> float:
        """The score over what has a place alone: 0..1, how well that fits."""
        return self.score * self.clip_s / self.matched_s if self.matched_s else 0.0


def align(
    clip: ShotRow,
    title: ShotRow,
    *,
    bands: Mapping[str, Calibration],
    order: Order = "any order",
) -> Alignment:
    """Return where each shot of a clip comes from in a title, or that it does not.

    "in order" only goes ahead, for re-cuts and other versions; "any order" may go back at a price,
    for trailers. `bands` say what the cosine of two shots is worth in each space: a profile's
    `likeness`. Raises `UsageError` for a clip without shots, a space without a band, and vectors of
    another profile.
    """
    if not len(clip):
        raise UsageError("A clip without shots comes from nowhere; give one with a picture or two.")
    prices = PRICES[order]
    worth = worth_of(clip, title, bands)
    net_worth = net(worth, prices)
    best, _ = best_path(net_worth, prices)
    sure, sure_of_none = confidences(net_worth, prices, best)
    # The best path as a whole may pass through places that few of the good ones pass through.
    places = tuple(block if sure[i] >= sure_of_none[i] else None for i, block in enumerate(best))
    has_place = np.array([block is not None for block in places])
    sure = np.where(has_place, sure, sure_of_none)
    evidence = np.zeros(len(clip))
    for shot, block in enumerate(places):
        if block is not None:
            first, end = block
            evidence[shot] = -np.expm1(-float(worth[end - first - 1, shot, first]))
    seconds = clip.seconds
    return Alignment(
        matches=tuple(
            ShotMatch(block, float(sure[shot]), float(evidence[shot]))
            for shot, block in enumerate(places)
        ),
        stretches=tuple(stretches_of(clip, title, places, sure)),
        score=float((seconds * evidence * sure).sum() / seconds.sum()),
        matched_s=float(seconds[has_place].sum()),
        clip_s=float(seconds.sum()),
    )
