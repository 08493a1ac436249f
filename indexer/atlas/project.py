"""From vectors to places on a plane: principal components, then t-SNE.

L. van der Maaten and G. Hinton, "Visualizing Data using t-SNE", JMLR 9 (2008), as scikit-learn has
it. What is near on the map is alike; how far apart two distant places are tells little.
"""

from __future__ import annotations

import re
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import TextIOBase
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from indexer.encoders.protocol import Vectors
from indexer.progress import Progress, silent

COMPONENTS = 50
"""Principal components that t-SNE and the groups are made of, as its authors advise."""
FEWEST_FOR_TSNE = 12
"""Fewer shots are laid out by their first two components."""
PERPLEXITY = 30.0
ITERATIONS = 750
SEED = 0
NEIGHBOURS = 5
"""Shots on the map between which one that comes later is placed."""
AT_ONCE = 512
"""Shots compared with the whole map at a time."""
ITERATION = re.compile(r"Iteration (\d+):")

Places: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True)
class Components:
    """How vectors become principal components."""

    mean: Vectors  # (dim,)
    axes: Vectors  # (components, dim)

    def of(self, vectors: Vectors) -> Vectors:
        """Return (num_shots, components) float32."""
        return np.asarray((vectors - self.mean) @ self.axes.T, np.float32)


def components_of(vectors: Vectors) -> Components:
    """Return the principal components of these vectors: 50 of them, or what there is."""
    from sklearn.decomposition import PCA

    count = min(COMPONENTS, *vectors.shape)
    # Randomised, for whole decompositions of long vectors take minutes.
    solver = "randomized" if count < min(vectors.shape) else "full"
    found = PCA(count, svd_solver=solver, random_state=SEED).fit(vectors)
    return Components(found.mean_.astype(np.float32), found.components_.astype(np.float32))


def laid_out(points: Vectors, progress: Progress = silent) -> Places:
    """Return (num_shots, 2) places within 0..1, the same for the same points."""
    if len(points) < FEWEST_FOR_TSNE:
        flat = np.pad(points[:, :2], ((0, 0), (0, max(0, 2 - points.shape[1]))))
        return _within(flat)
    from sklearn.manifold import TSNE

    perplexity = min(PERPLEXITY, (len(points) - 1) / 4)
    tsne = TSNE(
        perplexity=perplexity, init="pca", max_iter=ITERATIONS, random_state=SEED, verbose=2
    )
    with redirect_stdout(_Iterations(progress)):  # it has no other way to tell how far it is
        return _within(tsne.fit_transform(points))


def placed_among(
    points: Vectors, known: Vectors, places: Places
) -> tuple[Places, NDArray[np.intp]]:
    """Return where points belong on a map that is there, and the known point each is nearest to.

    A point is placed at the mean of its five nearest neighbours' places.
    """
    sizes = (known**2).sum(axis=1)
    found = np.zeros((len(points), 2), np.float32)
    nearest = np.zeros(len(points), np.intp)
    count = min(NEIGHBOURS, len(known))
    for start in range(0, len(points), AT_ONCE):
        block = points[start : start + AT_ONCE]
        distances = sizes - 2 * block @ known.T  # less the point's own size: the order is the same
        near = np.argpartition(distances, count - 1, axis=1)[:, :count]
        found[start : start + AT_ONCE] = places[near].mean(axis=1)
        nearest[start : start + AT_ONCE] = distances.argmin(axis=1)
    return found, nearest


def _within(flat: NDArray[np.floating]) -> Places:
    """Return places stretched to 0..1, both ways alike; a lone place in the middle."""
    low, high = flat.min(axis=0), flat.max(axis=0)
    span = float((high - low).max()) or 1.0
    return np.asarray((flat - (low + high) / 2) / span + 0.5, np.float32)


class _Iterations(TextIOBase):
    """Reads scikit-learn's running commentary for how far it is."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def write(self, text: str) -> int:
        """Take a piece of the commentary."""
        if found := ITERATION.search(text):
            self._progress("Laying out", int(found[1]), ITERATIONS)
        return len(text)
