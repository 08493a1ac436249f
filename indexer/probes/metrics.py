"""How well scores agree with labels: scikit-learn's and SciPy's word, and a quick form of it.

The quick form counts a title as often as a draw has it, for hundreds of draws at once: that is what
intervals are made of. On the titles as they are both say the same, ties included.
"""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from indexer.probes.task import Measure

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Titles = NDArray[np.int32]
"""The title of each clip, by number: (num_clips,)."""

CELLS_AT_ONCE = 4_000_000
"""Of draws x answers: 32 MB an array."""


def value_of(measure: Measure, said: Floats, labels: Floats, title: Titles) -> float:
    """Return a measure of scores (num_clips, num_classes); NaN where there is nothing to tell.

    A class that holds for no clip, or for all of them, says nothing and is left out, as is a title
    whose clips are all labelled alike where clips are ranked within titles.
    """
    if measure in ("tau", "top-1 over chance"):
        values = np.array(list(_within_titles(measure, said, labels, title).values()))
        return float(np.mean(values)) if len(values) else float("nan")
    from sklearn.metrics import average_precision_score

    some = _telling(labels)
    if not some.any():
        return float("nan")
    average = "micro" if measure == "micro AP" else "macro"
    return float(average_precision_score(labels[:, some] > 0, said[:, some], average=average))


def quick_value_of(measure: Measure, said: Floats, labels: Floats, title: Titles) -> float:
    """Return what `value_of` does, sooner, where no two scores are equal: to choose among many."""
    if measure in ("tau", "top-1 over chance"):
        return value_of(measure, said, labels, title)
    some = _telling(labels)
    if not some.any():
        return float("nan")
    said, holds = said[:, some], labels[:, some] > 0
    if measure == "micro AP":
        said, holds = said.reshape(-1, 1), holds.reshape(-1, 1)
    relevant = np.take_along_axis(holds, np.argsort(-said, axis=0), axis=0)
    precision = np.cumsum(relevant, axis=0) / np.arange(1, len(said) + 1)[:, None]
    return float(np.mean((precision * relevant).sum(axis=0) / relevant.sum(axis=0)))


def values_of_draws(
    measure: Measure, said: Floats, labels: Floats, title: Titles, draws: Doubles
) -> Doubles:
    """Return a measure (num_draws,) where title t counts `draws` (num_draws, num_titles)[:, t]."""
    if measure in ("tau", "top-1 over chance"):
        within = _within_titles(measure, said, labels, title)
        counted = draws[:, list(within)]
        return _mean_of(np.array(list(within.values())), counted)
    some = _telling(labels)
    if not some.any():
        return np.full(len(draws), np.nan)
    said, holds, weights = said[:, some], labels[:, some] > 0, draws[:, title]
    if measure == "micro AP":
        weights = np.repeat(weights, holds.shape[1], axis=1)
        said, holds = said.reshape(-1, 1), holds.reshape(-1, 1)
    precisions = [
        average_precisions(said[:, one], holds[:, one], weights) for one in range(holds.shape[1])
    ]  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a draw without any positive at all
        return np.asarray(np.nanmean(precisions, axis=0), np.float64)


def average_precisions(said: Floats, holds: NDArray[np.bool_], weights: Doubles) -> Doubles:
    """Return one class's average precision in every draw: (num_draws,), NaN without a positive.

    `weights` (num_draws, num_answers) say how often each answer counts; equal scores are one step,
    as scikit-learn has it with `sample_weight`.
    """
    order = np.argsort(-said, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(said[order]) != 0, True))  # of each run of equals
    found = np.empty(len(weights))
    at_once = max(1, CELLS_AT_ONCE // len(order))
    for first in range(0, len(weights), at_once):
        counted = weights[first : first + at_once][:, order]
        seen = np.cumsum(counted, axis=1)[:, ends]
        hits = np.cumsum(counted * holds[order], axis=1)[:, ends]
        steps = np.diff(hits, axis=1, prepend=0)
        precision = np.divide(hits, seen, out=np.zeros_like(hits), where=seen > 0)
        total = hits[:, -1]
        found[first : first + at_once] = np.divide(
            (steps * precision).sum(axis=1), total, out=np.full(len(total), np.nan), where=total > 0
        )
    return found


def _telling(labels: Floats) -> NDArray[np.bool_]:
    """Return which classes hold for some clips and not for others: (num_classes,)."""
    holds = (labels > 0).sum(axis=0)
    return np.asarray((holds > 0) & (holds < len(labels)), np.bool_)


def _within_titles(
    measure: Measure, said: Floats, labels: Floats, title: Titles
) -> dict[int, float]:
    """Return each title's own value, where its clips differ."""
    own = _tau if measure == "tau" else _over_chance
    values = {}
    for one in np.unique(title).tolist():
        here = title == one
        if np.ptp(labels[here, 0]) > 0:
            values[one] = own(said[here, 0], labels[here, 0])
    return values


def _tau(said: Floats, labels: Floats) -> float:
    """Return Kendall's tau; scores that are all the same rank nothing."""
    from scipy.stats import kendalltau

    return float(kendalltau(said, labels).statistic) if np.ptp(said) > 0 else 0.0


def _over_chance(said: Floats, labels: Floats) -> float:
    """Return how likely the clip named first is the best, less how likely a clip drawn blindly is.

    Clips that share the first place are each as likely to be named; so are those that share the
    title's best label.
    """
    best = labels == labels.max()
    named = said == said.max()
    return float(best[named].mean() - best.mean())


def _mean_of(values: Doubles, weights: Doubles) -> Doubles:
    total = weights.sum(axis=1)
    none = np.full(len(total), np.nan)
    return np.asarray(np.divide(weights @ values, total, out=none, where=total > 0), np.float64)
