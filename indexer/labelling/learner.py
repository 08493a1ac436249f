"""A label's classifier, learned from a few answers while somebody waits.

Logistic regression on the pool's directions. Shots of chance stand in as faint noes: what nobody
has answered of is most often without the label, and with ten answers that is most of what is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from indexer.encoders.protocol import Vectors
from indexer.labelling.pool import Pool
from indexer.probes.label import Label

FEWEST_ANSWERS = 10
"""Before that many, of both kinds, there is no classifier."""
INVERSE_STRENGTH = 0.1
"""scikit-learn's C: docs/experiments.md."""
STAND_INS = 300
"""Shots of chance that stand in as noes,"""
STAND_IN_WEIGHT = 0.1
"""each counting as this much of an answer."""
MAX_STEPS = 300
FOLDS = 5


@dataclass(frozen=True)
class Learned:
    """A classifier of shots along a pool's directions."""

    weights: Vectors  # (num_directions,)
    bias: float
    num_yes: int
    num_no: int

    def scores(self, vectors: Vectors) -> NDArray[np.float32]:
        """Return how sure it is that the label holds of each shot: (num,), 0..1."""
        return np.asarray(1 / (1 + np.exp(-(vectors @ self.weights + self.bias))), np.float32)


def learn(vectors: Vectors, holds: NDArray[np.bool_], pool: Vectors, *, seed: int = 0) -> Learned:
    """Return the classifier that answers teach.

    `vectors` (num_answers, num_directions) are what was answered, `holds` (num_answers,) how;
    `pool` (num_shots, num_directions) are all shots.
    """
    random = np.random.default_rng(seed)
    stand_ins = pool[random.choice(len(pool), min(STAND_INS, len(pool)), replace=False)]
    taught = np.concatenate([vectors, stand_ins])
    told = np.concatenate([holds, np.zeros(len(stand_ins), bool)])
    counts = np.concatenate([np.ones(len(vectors)), np.full(len(stand_ins), STAND_IN_WEIGHT)])
    model = LogisticRegression(C=INVERSE_STRENGTH, max_iter=MAX_STEPS)
    model.fit(taught, told, sample_weight=counts)
    yes = int(holds.sum())
    weights = np.asarray(model.coef_[0], np.float32)
    return Learned(weights, float(model.intercept_[0]), yes, len(holds) - yes)


def learned_from(pool: Pool, answers: Sequence[Label]) -> Learned | None:
    """Return the classifier of a label's answers; None while there are too few.

    Answers of titles that are not in the pool are passed over.
    """
    taught = _taught(pool, answers)
    return learn(*taught, pool.vectors) if taught else None


def calibrated_from(pool: Pool, answers: Sequence[Label]) -> Learned | None:
    """Return the classifier of a label's answers, as sure as answers it has not seen let it be.

    The stand-ins make it doubt; how often its word on held-back answers was right puts that right
    (Platt's scaling over folds). Where those say that it knows nothing, it stays as it was learned.
    """
    taught = _taught(pool, answers)
    if taught is None:
        return None
    vectors, holds = taught
    learned = learn(vectors, holds, pool.vectors)
    num_folds = min(FOLDS, int(holds.sum()), int((~holds).sum()))
    if num_folds < 2:
        return learned
    unseen = np.zeros(len(holds))
    for teach, check in StratifiedKFold(num_folds, shuffle=True, random_state=0).split(
        vectors, holds
    ):
        of_fold = learn(vectors[teach], holds[teach], pool.vectors)
        unseen[check] = vectors[check] @ of_fold.weights + of_fold.bias
    scale = LogisticRegression().fit(unseen[:, None], holds)
    slope, shift = float(scale.coef_[0, 0]), float(scale.intercept_[0])
    if slope <= 0:
        return learned
    return replace(learned, weights=learned.weights * slope, bias=learned.bias * slope + shift)


def _taught(pool: Pool, answers: Sequence[Label]) -> tuple[Vectors, NDArray[np.bool_]] | None:
    """Return what answers of the pool's titles teach; None while they are too few."""
    known = [
        (span, one.value > 0) for one in answers if (span := span_vector(pool, one)) is not None
    ]
    holds = np.array([held for _, held in known], bool)
    if len(known) < FEWEST_ANSWERS or holds.all() or not holds.any():
        return None
    return np.stack([span for span, _ in known]), holds


def span_vector(pool: Pool, label: Label) -> Vectors | None:
    """Return what a stretch of a title is, (num_directions,); None where it is not in the pool.

    It is the mean of the shots it touches, weighed by how many of their frames are its own.
    """
    places = pool.touched(label.title_id, label.start_frame, label.end_frame)
    if not len(places):
        return None
    starts, ends = pool.bounds[places].T
    own = np.minimum(ends, label.end_frame) - np.maximum(starts, label.start_frame)
    return np.asarray(np.average(pool.vectors[places], axis=0, weights=own), np.float32)


def answered(pool: Pool, answers: Sequence[Label]) -> NDArray[np.bool_]:
    """Return which shots of the pool somebody has answered of: (num_shots,)."""
    found = np.zeros(pool.num_shots, bool)
    for one in answers:
        found[pool.touched(one.title_id, one.start_frame, one.end_frame)] = True
    return found
