"""A linear probe: ridge regression in closed form, all strengths from one decomposition.

Each number of a vector is brought to mean 0 and deviation 1 over the clips learned from, so that
one strength is right for every row. The same weights as scikit-learn's `Ridge`, sooner.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.probes.metrics import Floats, Titles, quick_value_of
from indexer.probes.task import TASKS, Task

RIDGES = (1.0, 10.0, 100.0, 1e3, 1e4)
"""The strengths tried."""
INNER_FOLDS = 3
"""As often the titles learned from are split once more to choose among them."""
LEAST_DEVIATION = 1e-6


@dataclass(frozen=True, eq=False)
class Asked:
    """One task over some titles' clips."""

    task: Task
    vectors: Floats  # (num_clips, dim)
    labels: Floats  # (num_clips, num_classes); a single class where clips are ranked
    title: Titles  # (num_clips,)

    def of(self, chosen: NDArray[np.bool_]) -> Asked:
        """Return only the chosen clips, by mask."""
        return Asked(self.task, self.vectors[chosen], self.labels[chosen], self.title[chosen])


@dataclass(frozen=True, eq=False)
class Linear:
    """Scores of a vector: `vectors @ weights + bias`."""

    weights: Floats  # (dim, num_classes)
    bias: Floats  # (num_classes,)

    def said(self, vectors: Floats) -> Floats:
        """Return the scores of vectors (num_clips, dim): (num_clips, num_classes)."""
        return np.asarray(vectors @ self.weights + self.bias, np.float32)


def solver(asked: Asked) -> Callable[[float], Linear]:
    """Return what gives, for a strength, the probe that these clips teach."""
    mean = asked.vectors.mean(axis=0)
    deviation = asked.vectors.std(axis=0) + LEAST_DEVIATION
    inner = ((asked.vectors - mean) / deviation).astype(np.float64)
    targets = asked.labels.astype(np.float64)
    level = targets.mean(axis=0)
    if asked.task.form == "ranks":  # clips of a title are ranked among themselves
        targets = within_titles(asked.labels, asked.title).astype(np.float64)
    centred = targets - targets.mean(axis=0)
    is_wide = inner.shape[1] > len(inner)
    values, vectors = np.linalg.eigh(inner @ inner.T if is_wide else inner.T @ inner)
    projected = vectors.T @ (centred if is_wide else inner.T @ centred)

    def solved(ridge: float) -> Linear:
        weights = vectors @ (projected / (np.maximum(values, 0)[:, None] + ridge))
        if is_wide:
            weights = inner.T @ weights
        weights /= deviation[:, None]
        return Linear(weights.astype(np.float32), (level - mean @ weights).astype(np.float32))

    return solved


def within_titles(values: Floats, title: Titles) -> Floats:
    """Return values less the mean of their title's."""
    centred = np.array(values, np.float32)
    for one in np.unique(title):
        centred[title == one] -= centred[title == one].mean(axis=0)
    return centred


def values_by_strength(train: Asked, checked: Asked) -> list[float]:
    """Return, for each of `RIDGES`, how what some clips teach does on others."""
    solved, measure = solver(train), TASKS[train.task.learned_as].measure
    return [
        quick_value_of(measure, solved(ridge).said(checked.vectors), checked.labels, checked.title)
        for ridge in RIDGES
    ]


def learn(asked: Asked, *, seed: int = 0) -> Linear:
    """Return the probe that these clips teach; its strength does best on titles held back."""
    folds = fold_of_title(asked.title, INNER_FOLDS, seed=seed)
    values = [
        values_by_strength(asked.of(folds != fold), asked.of(folds == fold))
        for fold in range(folds.max() + 1)
    ]
    means = np.nan_to_num(np.array(values), nan=0.0).mean(axis=0)  # a fold may have nothing to tell
    return solver(asked)(RIDGES[int(np.argmax(means))])


def fold_of_title(title: Titles, num_folds: int, *, seed: int) -> NDArray[np.int64]:
    """Return each clip's fold (num_clips,): titles whole, folds as even as titles allow."""
    titles, which = np.unique(title, return_inverse=True)
    order = np.random.default_rng(seed).permutation(len(titles))
    return np.asarray((order % min(num_folds, len(titles)))[which], np.int64)


def held_out_scores(asked: Asked, num_folds: int, *, seed: int = 0) -> Floats:
    """Return what probes that never saw a clip's title say of it: (num_clips, num_classes)."""
    said = np.zeros(asked.labels.shape, np.float32)
    folds = fold_of_title(asked.title, num_folds, seed=seed)
    for fold in range(folds.max() + 1):
        tested = folds == fold
        said[tested] = learn(asked.of(~tested), seed=seed).said(asked.vectors[tested])
    return said
