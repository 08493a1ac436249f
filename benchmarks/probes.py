"""The product's linear probes where titles are split once: learned, chosen and tested on others.

Ridge regression, its strength chosen on validation titles; metrics by scikit-learn and SciPy;
intervals by drawing test titles anew (the bootstrap).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from indexer.probes import intervals
from indexer.probes.intervals import draws_of
from indexer.probes.linear import RIDGES, Asked, solver, values_by_strength
from indexer.probes.metrics import value_of
from indexer.probes.task import TASKS, Task, TaskName

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Probed:
    """What a probe says of the test titles' clips."""

    task: Task
    validation: float  # the metric on validation titles, by which settings are chosen
    said: Floats  # (num_clips, num_classes) of the test titles
    labels: Floats
    title: NDArray[np.int32]  # from 0

    @property
    def value(self) -> float:
        return value_of(self.task.measure, self.said, self.labels, self.title)


def probe(train: Asked, validation: Asked, test: Asked) -> Probed:
    """Learn a task on the train titles; its strength is the best on validation."""
    found = values_by_strength(train, validation)
    best = int(np.argmax(found))
    said = solver(train)(RIDGES[best]).said(test.vectors)
    title = np.unique(test.title, return_inverse=True)[1].astype(np.int32)
    return Probed(train.task, found[best], said, test.labels, title)


def difference(one: Probed, other: Probed, *, seed: int = 0) -> tuple[float, float, float]:
    """Return by how much one beats the other, and the 95 % interval over draws of titles."""
    compared = partial(intervals.difference, labels=one.labels, title=one.title)
    draws = draws_of(int(one.title.max()) + 1, seed=seed)
    found = compared(one.task.measure, one.said, other.said, draws=draws)
    return found.value, found.low, found.high


def stacked(task: TaskName, parts: Sequence[tuple[int, Floats, Floats]]) -> Asked:
    """Return (title, vectors, labels) of many titles as one."""
    title = np.concatenate([np.full(len(v), number, np.int32) for number, v, _ in parts])
    return Asked(TASKS[task], np.concatenate([v for _, v, _ in parts]),
                 np.concatenate([labels for _, _, labels in parts]), title)  # fmt: skip
