"""Has a tower learned anything? Questions to titles it has not seen, beside a control.

A question is what is seen and said around a shot, loosely told. The control needs no training: how
near the shot's picture is to what is seen, plus how near its words are, those around it where it
has none. The tower takes part in the ranking only where it finds more of the very shots.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.encoders.protocol import Vectors, unit
from indexer.tower.lessons import ToldTitle, loosened
from indexer.tower.model import Tower
from indexer.tower.train import ask, keys_of
from qdrant.schema import TEXT, VIDEO

MOST_QUESTIONS = 100
"""A title."""
FOUND_AMONG = 10
SAYS_NOTHING, SAYS_ALL = 0.99, 0.9
"""Quantiles: of all scores, below which one says nothing; of right ones, from which it says all."""
LEAST_BAND = 0.05
"""Between what says nothing and what says all."""


@dataclass(frozen=True)
class TowerEvaluation:
    """How many questions found their shot among the first ten, 0..1."""

    num_questions: int
    recall: float  # the tower's
    control_recall: float
    floor: float  # the cosine at or below which the tower's word is no evidence
    ceiling: float  # and at or above which it is all the evidence it can be

    @property
    def worthy(self) -> bool:
        """Whether the tower beats the control and may take part in the ranking."""
        return self.recall > self.control_recall


def evaluate_tower(tower: Tower, titles: Sequence[ToldTitle], *, seed: int) -> TowerEvaluation:
    """Return how well a tower and the control find the shots of titles kept from training."""
    random, config = np.random.default_rng(seed), tower.config
    starts = np.cumsum([0, *(title.num_shots for title in titles)])
    places = [
        (title, start + random.permutation(title.num_shots)[:MOST_QUESTIONS])
        for title, start in zip(titles, starts.tolist(), strict=False)
    ]
    answers = np.concatenate([shots for _, shots in places])
    around = {
        modality: np.concatenate([_around(title, modality) for title in titles])[answers]
        for modality in config.dims
    }
    questions = loosened(around, config, random=random)  # (Q, fused_dim)
    keys = np.concatenate([keys_of(tower, title.fused, title.expected) for title in titles])
    scores = ask(tower, questions) @ keys.T
    slots = dict(
        zip(
            config.dims,
            np.split(questions, np.cumsum([*config.dims.values()])[:-1], 1),
            strict=True,
        )
    )
    control = sum(
        unit(slots[modality]) @ np.concatenate([_filled(title, modality) for title in titles]).T
        for modality in (VIDEO, TEXT)
    )
    right = scores[np.arange(len(answers)), answers]
    floor = float(np.quantile(scores, SAYS_NOTHING))
    return TowerEvaluation(
        num_questions=len(answers),
        recall=_recall(scores, answers),
        control_recall=_recall(control, answers),
        floor=floor,
        ceiling=max(float(np.quantile(right, SAYS_ALL)), floor + LEAST_BAND),
    )


def _around(title: ToldTitle, modality: str) -> Vectors:
    return title.around.get(modality, np.zeros_like(title.parts[modality]))


def _filled(title: ToldTitle, modality: str) -> Vectors:
    """Return a modality's vectors, words from around a shot where it has none."""
    rows = title.parts[modality]
    if modality != TEXT:
        return rows
    return np.where(rows.any(axis=1, keepdims=True), rows, title.around[TEXT])


def _recall(scores: NDArray[np.floating], answers: NDArray[np.intp]) -> float:
    right = scores[np.arange(len(answers)), answers]
    return float(np.mean((scores > right[:, None]).sum(axis=1) < FOUND_AMONG))
