"""How sure a number is: titles are drawn anew, as many as there are, and it is counted again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from indexer.probes.metrics import Doubles, Floats, Titles, value_of, values_of_draws
from indexer.probes.task import Measure

NUM_DRAWS = 1000
CONFIDENCE = 0.95
"""Share of the draws between an interval's two numbers, unless another is asked for."""


@dataclass(frozen=True)
class Interval:
    """A number, and between which two it lies by the most of the draws."""

    value: float
    low: float
    high: float


def draws_of(num_titles: int, *, seed: int = 0, num_draws: int = NUM_DRAWS) -> Doubles:
    """Return how often each title is drawn: (num_draws, num_titles)."""
    random = np.random.default_rng(seed)
    even = np.full(num_titles, 1 / num_titles)
    return random.multinomial(num_titles, even, size=num_draws).astype(np.float64)


def interval(
    measure: Measure, said: Floats, labels: Floats, title: Titles, draws: Doubles
) -> Interval:
    """Return a measure of scores with its interval over draws of titles."""
    return _within(
        value_of(measure, said, labels, title),
        values_of_draws(measure, said, labels, title, draws),
    )


def difference(
    measure: Measure,
    one: Floats,
    other: Floats,
    labels: Floats,
    title: Titles,
    draws: Doubles,
    *,
    confidence: float = CONFIDENCE,
) -> Interval:
    """Return by how much one's scores beat the other's, on the same draws of titles."""
    values = [value_of(measure, said, labels, title) for said in (one, other)]
    drawn = [values_of_draws(measure, said, labels, title, draws) for said in (one, other)]
    return _within(values[0] - values[1], drawn[0] - drawn[1], confidence)


def _within(value: float, drawn: Doubles, confidence: float = CONFIDENCE) -> Interval:
    drawn = drawn[np.isfinite(drawn)]
    if not len(drawn):
        return Interval(value, float("nan"), float("nan"))
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(value, float(low), float(high))
