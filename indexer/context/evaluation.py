"""Has the model learnt anything? Its guesses at shots it was never taught, beside a control.

The control is hard to beat: a shot's likeliest vector is the mean of its two neighbours'. The
model earns its place in the ranking only where its loss is lower.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from indexer.context.model import ContextModel
from indexer.context.sequence import TitleSequence
from indexer.context.vectors import expected, predict
from indexer.encoders.protocol import Vectors, unit

HELD_OUT_SHARE = 0.1
FEWEST_TITLES = 5
"""From here on whole titles are held out, below it shots of every title."""

FEWEST_SHOTS = 4
"""Filled shots below which a title is too short to hold anything out of."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class HeldOut:
    """What training may not predict."""

    kind: Literal["shots", "titles"]
    shots: tuple[Mask, ...]  # one (num_shots,) a title, in the order given


@dataclass(frozen=True)
class Evaluation:
    """Guesses at held-out shots. Losses are mean cosine distances (0..2), lower is better."""

    held_out: Literal["shots", "titles"]
    num_held_out: int  # shots
    loss: float  # the model's
    control_loss: float  # the mean of the two neighbours'
    centred_cosine: float  # guess to truth, both less the mean shot: 0 is no better than that mean
    control_centred_cosine: float
    pairwise_cosine: float  # among the guesses; near 1 they have collapsed into one
    target_pairwise_cosine: float  # among the truths, to compare
    self_cosine: float  # a shot in full sight to its own contextual vector

    @property
    def worthy(self) -> bool:
        """Whether the model beats the control and may take part in the ranking."""
        return self.loss < self.control_loss


def hold_out(titles: Sequence[TitleSequence], *, seed: int) -> HeldOut:
    """Return a tenth of the titles, or of each title's shots: at least one, by hash.

    A shot with nothing in it is never held out, nor is anything of a title that is too short.
    """
    long_enough = [i for i, title in enumerate(titles) if title.filled.sum() >= FEWEST_SHOTS]
    if len(long_enough) >= FEWEST_TITLES:
        order = sorted(long_enough, key=lambda i: lot(seed, titles[i].title_id))
        chosen = set(order[: max(1, round(len(long_enough) * HELD_OUT_SHARE))])
        masks = (t.filled & (i in chosen) for i, t in enumerate(titles))
        return HeldOut("titles", tuple(masks))
    return HeldOut("shots", tuple(_held_out_shots(title, seed=seed) for title in titles))


def neighbour_mean(title: TitleSequence) -> Vectors:
    """Return, for each shot, the mean of the nearest filled shots before and after it, unit length.

    (num_shots, fused_dim); one side alone at either end; zeros where there is no neighbour.
    """
    filled = np.flatnonzero(title.filled)
    shots = np.arange(title.num_shots)
    padded = np.vstack([title.fused, np.zeros((1, title.fused.shape[1]), np.float32)])
    indices = np.concatenate([[-1], filled, [-1]])  # -1: the row of zeros
    before = indices[np.searchsorted(filled, shots, side="left")]
    after = indices[np.searchsorted(filled, shots, side="right") + 1]
    return unit(padded[before] + padded[after])


def evaluate(model: ContextModel, titles: Sequence[TitleSequence], held_out: HeldOut) -> Evaluation:
    """Return how well the model and the control guess the held-out shots."""
    mean_shot = np.concatenate(
        [t.fused[t.filled & ~m] for t, m in zip(titles, held_out.shots, strict=True)]
    ).mean(axis=0)
    tested = [(t, m) for t, m in zip(titles, held_out.shots, strict=True) if m.any()]
    truths = np.concatenate([title.fused[mask] for title, mask in tested])
    guesses = np.concatenate([expected(model, title, asked=mask)[mask] for title, mask in tested])
    controls = np.concatenate([neighbour_mean(title)[mask] for title, mask in tested])
    in_sight = np.concatenate([predict(model, title).shots[mask] for title, mask in tested])
    return Evaluation(
        held_out=held_out.kind,
        num_held_out=len(truths),
        loss=1 - mean_cosine(guesses, truths),
        control_loss=1 - mean_cosine(controls, truths),
        centred_cosine=mean_cosine(guesses - mean_shot, truths - mean_shot),
        control_centred_cosine=mean_cosine(controls - mean_shot, truths - mean_shot),
        pairwise_cosine=mean_pairwise_cosine(guesses),
        target_pairwise_cosine=mean_pairwise_cosine(truths),
        self_cosine=mean_cosine(in_sight, truths),
    )


def mean_cosine(these: Vectors, those: Vectors) -> float:
    """Return the mean cosine (-1..1) of two arrays (num, dim), row by row."""
    return float(np.mean(np.sum(unit(these) * unit(those), axis=-1)))


def mean_pairwise_cosine(vectors: Vectors) -> float:
    """Return the mean cosine (-1..1) over all pairs of different rows; 1 if there is one row."""
    num = len(vectors)
    if num < 2:
        return 1.0
    # The squared length of the sum is the sum of all pairwise products.
    total = np.sum(unit(vectors).astype(np.float64), axis=0)
    return float((total @ total - num) / (num * (num - 1)))


def _held_out_shots(title: TitleSequence, *, seed: int) -> Mask:
    """Return the tenth of the filled shots whose lots are lowest."""
    filled = np.flatnonzero(title.filled).tolist()
    order = sorted(filled, key=lambda shot: lot(seed, f"{title.title_id}/{shot}"))
    mask = np.zeros(title.num_shots, dtype=bool)
    if len(filled) < FEWEST_SHOTS:
        return mask
    mask[order[: max(1, round(len(filled) * HELD_OUT_SHARE))]] = True
    return mask


def lot(seed: int, name: str) -> bytes:
    """Return a hash to sort by: the same on every machine and in every order of titles."""
    return blake2b(f"{seed}/{name}".encode(), digest_size=8).digest()
