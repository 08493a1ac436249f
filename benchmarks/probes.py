"""Linear probes on frozen vectors: the five tasks' metrics, and how sure they are.

Ridge regression in closed form, its strength chosen on validation titles; metrics by scikit-learn
and SciPy; intervals by drawing test titles anew (the bootstrap).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kendalltau
from sklearn.metrics import average_precision_score

Floats = NDArray[np.float32]

RIDGES = (1.0, 10.0, 100.0, 1e3, 1e4)
NUM_DRAWS = 200


@dataclass(frozen=True)
class Asked:
    """One task over some titles' clips."""

    task: str
    vectors: Floats  # (num_clips, dim)
    labels: Floats  # (num_clips, num_classes), or (num_clips, 1)
    title: NDArray[np.int32]  # (num_clips,)


@dataclass(frozen=True)
class Probed:
    """What a probe says of the test titles' clips."""

    task: str
    validation: float  # the metric on validation titles, by which settings are chosen
    said: Floats  # (num_clips, num_classes) of the test titles
    labels: Floats
    title: NDArray[np.int32]

    @property
    def value(self) -> float:
        return metric(self.task, self.said, self.labels, self.title)


def probe(train: Asked, validation: Asked, test: Asked) -> Probed:
    """Learn a task on the train titles; its strength is the best on validation."""
    mean, deviation = train.vectors.mean(axis=0), train.vectors.std(axis=0) + 1e-6
    inner, checked, asked = (
        ((part.vectors - mean) / deviation).astype(np.float64) for part in (train, validation, test)
    )
    labels = train.labels - train.labels.mean(axis=0)
    if train.task == "popularity":  # clips of a title are ranked among themselves
        labels = within_titles(train.labels, train.title)
    values, vectors = np.linalg.eigh(inner.T @ inner)
    projected = vectors.T @ (inner.T @ labels)
    best, chosen = -np.inf, projected
    for ridge in RIDGES:
        weights = vectors @ (projected / (values[:, None] + ridge))
        found = metric(train.task, checked @ weights, validation.labels, validation.title)
        if found > best:
            best, chosen = found, weights
    return Probed(train.task, best, np.float32(asked @ chosen), test.labels, test.title)


def within_titles(values: Floats, title: NDArray[np.int32]) -> Floats:
    """Return values less the mean of their title's."""
    centred = np.array(values, np.float32)
    for one in np.unique(title):
        centred[title == one] -= centred[title == one].mean(axis=0)
    return centred


def metric(task: str, said: Floats, labels: Floats, title: NDArray[np.int32]) -> float:
    """Return a task's metric: average precision, or Kendall's tau within titles."""
    if task == "popularity":
        return float(np.mean(list(_taus_within(said, labels, title).values())))
    some = (labels.sum(axis=0) > 0) & (labels.sum(axis=0) < len(labels))
    average = "micro" if task == "tone" else "macro"
    return float(average_precision_score(labels[:, some], said[:, some], average=average))


def difference(one: Probed, other: Probed, *, seed: int = 0) -> tuple[float, float, float]:
    """Return by how much one beats the other, and the 95 % interval over draws of titles."""
    random = np.random.default_rng(seed)
    titles = np.unique(one.title)
    places = {int(t): np.flatnonzero(one.title == t) for t in titles}
    taus = [_taus(each) for each in (one, other)]
    drawn = []
    for _ in range(NUM_DRAWS):
        picks = random.choice(titles, size=len(titles))
        clips = np.concatenate([places[int(t)] for t in picks])
        drawn.append(_drawn(one, clips, picks, taus[0]) - _drawn(other, clips, picks, taus[1]))
    low, high = np.quantile(drawn, [0.025, 0.975])
    return one.value - other.value, float(low), float(high)


def _taus(probed: Probed) -> dict[int, float]:
    if probed.task != "popularity":
        return {}
    return _taus_within(probed.said, probed.labels, probed.title)


def _taus_within(said: Floats, labels: Floats, title: NDArray[np.int32]) -> dict[int, float]:
    """Return Kendall's tau of each title."""
    return {
        int(one): kendalltau(said[title == one, 0], labels[title == one, 0]).statistic
        for one in np.unique(title)
    }


def _drawn(
    probed: Probed, clips: NDArray[np.int64], picks: NDArray[np.int32], taus: dict[int, float]
) -> float:
    """Return the metric over a draw of titles, as `metric` has it."""
    if taus:
        return float(np.mean([taus[int(pick)] for pick in picks]))
    said, labels = probed.said[clips], probed.labels[clips]
    if probed.task == "tone":
        said, labels = said.reshape(-1, 1), labels.reshape(-1, 1)
    some = (labels.sum(axis=0) > 0) & (labels.sum(axis=0) < len(labels))
    return float(np.mean(average_precisions(said[:, some], labels[:, some])))


def average_precisions(said: Floats, labels: Floats) -> Floats:
    """Return each class's average precision (num_classes,), as scikit-learn's but for ties."""
    order = np.argsort(-said, axis=0, kind="stable")
    relevant = np.take_along_axis(labels, order, axis=0)
    precision = np.cumsum(relevant, axis=0) / np.arange(1, len(said) + 1)[:, None]
    return np.float32((precision * relevant).sum(axis=0) / relevant.sum(axis=0))


def stacked(task: str, parts: Sequence[tuple[int, Floats, Floats]]) -> Asked:
    """Return (title, vectors, labels) of many titles as one."""
    title = np.concatenate([np.full(len(v), number, np.int32) for number, v, _ in parts])
    return Asked(task, np.concatenate([v for _, v, _ in parts]),
                 np.concatenate([labels for _, _, labels in parts]), title)  # fmt: skip
