"""What a raw similarity is worth as evidence. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qdrant.errors import UsageError


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

    def evidence(self, similarity: ArrayLike) -> NDArray[np.float64]:
        """Return 0..weight for raw similarities, never falling as they rise; NaN stays NaN."""
        level = np.asarray(similarity, np.float64)
        if self.half is not None:
            level = np.maximum(level, 0.0) / (np.maximum(level, 0.0) + self.half)
        share = (level - self.floor) / (self.ceiling - self.floor)
        return self.weight * np.clip(share, 0.0, 1.0)
