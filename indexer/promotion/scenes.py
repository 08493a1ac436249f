"""A title's scenes: runs of neighbouring shots that are alike, parted where that explains most.

What a run costs is how far its shots lie from their mean, in squares, and a price for being one
more run; the cheapest way to part the whole title is found exactly, by dynamic programming
(Jackson and others, "An algorithm for optimal partitioning of data on an interval", 2005). A
scene here is what looks, sounds and speaks alike; of the story nothing is known.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from indexer.encoders.protocol import Vectors
from indexer.library import Library
from indexer.manifest import Manifest
from indexer.probes.rows import shot_vectors

LONGEST_SHOTS = 120
"""A scene has at most so many shots: what is alike for longer is parted all the same."""
PRICE = 1.5
"""What one more scene costs, in squared distances between neighbouring shots, halved: how far two
shots of a scene are apart, as a rule. The best of seven on simulated titles (docs/promotion.md)."""


def scenes_of(library: Library, manifest: Manifest) -> list[tuple[int, int]]:
    """Return a title's scenes as half-open runs of shots.

    By the shots' own vectors: those in context, which know their neighbours already, told less
    well where a scene begins (docs/promotion.md).
    """
    return parted(shot_vectors(library, manifest, "fused"))


def parted(shots: Vectors, *, price: float = PRICE) -> list[tuple[int, int]]:
    """Return runs `[first, end)` of (num_shots, dim) vectors that cover them without gap."""
    num_shots = len(shots)
    summed = np.vstack([np.zeros((1, shots.shape[1])), np.cumsum(shots, axis=0, dtype=np.float64)])
    squares = np.concatenate([[0.0], np.cumsum(np.sum(shots.astype(np.float64) ** 2, axis=1))])
    fee = price * _spread(shots)
    cheapest, began = np.zeros(num_shots + 1), np.zeros(num_shots + 1, np.intp)
    for end in range(1, num_shots + 1):
        first = np.arange(max(0, end - LONGEST_SHOTS), end)
        of_runs = np.sum((summed[end] - summed[first]) ** 2, axis=1) / (end - first)
        costs = cheapest[first] + (squares[end] - squares[first]) - of_runs + fee
        best = int(np.argmin(costs))
        cheapest[end], began[end] = costs[best], first[best]
    return _runs(began)


def _spread(shots: Vectors) -> float:
    """Return half the middle squared distance between neighbouring shots; 0 where there is one."""
    if len(shots) < 2:
        return 0.0
    apart = np.sum(np.diff(shots.astype(np.float64), axis=0) ** 2, axis=1)
    return float(np.median(apart)) / 2


def _runs(began: NDArray[np.intp]) -> list[tuple[int, int]]:
    runs, end = [], len(began) - 1
    while end > 0:
        runs.append((int(began[end]), end))
        end = int(began[end])
    return runs[::-1]
