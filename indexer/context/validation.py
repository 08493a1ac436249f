"""Titles kept from training to see when it has learnt enough: the same guesses asked each time.

They are apart from the titles that the final evaluation is made on, which must not have had a say
in which weights are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from indexer.context.crops import collate
from indexer.context.evaluation import (
    HeldOut,
    hold_out,
    lot,
    mean_cosine,
    mean_pairwise_cosine,
)
from indexer.context.masking import Masks, draw_masks, objective
from indexer.context.model import Batch, ContextConfig, ContextModel
from indexer.context.precision import Precision, autocast
from indexer.context.sequence import TitleSequence
from indexer.context.windows import overlapping_windows

MOST_SHOTS = 8192
"""Shots after which no further title is kept: more would make a look slow, and no surer."""

OTHER_LOTS = 1
"""Added to the seed, for other titles than the evaluation's to be drawn."""


@dataclass(frozen=True)
class Look:
    """What the validation titles said after a step of training."""

    step: int  # counted from 1
    loss: float  # the training objective, under masks that never change, without dropout
    centred_cosine: float  # guess to truth, both less the mean truth: 0 is no better than that mean
    pairwise_cosine: float  # among the guesses; near 1 they have collapsed into one


def keep_for_validation(
    titles: Sequence[TitleSequence], held_out: HeldOut, *, seed: int
) -> tuple[int, ...]:
    """Return a tenth of the titles, by number, none of which the evaluation holds out.

    Fewer where they have shots in plenty, none where titles are too few to hold whole ones out
    twice.
    """
    if held_out.kind != "titles":
        return ()
    rest = [number for number, mask in enumerate(held_out.shots) if not mask.any()]
    chosen = hold_out([titles[number] for number in rest], seed=seed + OTHER_LOTS)
    if chosen.kind != "titles":
        return ()
    drawn = [n for n, mask in zip(rest, chosen.shots, strict=True) if mask.any()]
    kept: list[int] = []
    for number in sorted(drawn, key=lambda n: lot(seed + OTHER_LOTS, titles[n].title_id)):
        if sum(titles[n].num_shots for n in kept) < MOST_SHOTS:
            kept.append(number)
    return tuple(sorted(kept))


def better(look: Look, best: Look | None) -> bool:
    """Whether a look's weights are to be kept over those of the best one yet."""
    return best is None or look.loss < best.loss


def best_of(looks: Sequence[Look]) -> Look | None:
    """Return the look with the lowest loss, of equals the first."""
    return min(looks, key=lambda look: look.loss, default=None)


def out_of_patience(looks: Sequence[Look], *, patience: int) -> bool:
    """Whether as many looks as `patience` have passed since the best one; never, if it is 0."""
    best = best_of(looks)
    since = sum(look.step > best.step for look in looks) if best is not None else 0
    return 0 < patience <= since


class Validation:
    """Validation titles under masks drawn once."""

    def __init__(
        self, titles: Sequence[TitleSequence], config: ContextConfig, *, seed: int
    ) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.lessons: list[tuple[Batch, Masks]] = []
        for batch in _batches(titles, config):
            masks = draw_masks(
                batch.fused, targetable=batch.present, config=config, generator=generator
            )
            self.lessons.append((batch, masks))

    @torch.no_grad()
    def look(self, model: ContextModel, *, step: int, precision: Precision) -> Look:
        """Return what the model makes of the validation titles; it is left in training mode."""
        device = model.cls.device
        model.eval()
        losses, guesses, truths = [], [], []
        for batch, masks in self.lessons:
            with autocast(device, precision):
                output = model(batch.to(device), masks.hidden_modalities.to(device))
            outputs: Tensor = output.shots.float().cpu()
            losses.append(objective(outputs, batch.fused, masks, model.config).item())
            guesses.append(outputs[masks.targets].numpy())
            truths.append(batch.fused[masks.targets].numpy())
        model.train()
        guessed, true = np.concatenate(guesses), np.concatenate(truths)
        centre = true.mean(axis=0)
        return Look(
            step=step,
            loss=float(np.average(losses, weights=[len(part) for part in truths])),
            centred_cosine=mean_cosine(guessed - centre, true - centre),
            pairwise_cosine=mean_pairwise_cosine(guessed),
        )


def _batches(titles: Sequence[TitleSequence], config: ContextConfig) -> list[Batch]:
    """Return the titles' windows, hardly overlapping, about a step's shots in each batch.

    Shortest first, so that little is padding.
    """
    windows: list[TitleSequence] = []
    for title in titles:
        cuts = overlapping_windows(title.num_shots, size=config.max_shots, overlap=0.0)
        windows.extend(title.excerpt(cut.start, cut.stop) for cut in cuts)
    batches: list[Batch] = []
    waiting: list[TitleSequence] = []
    for window in sorted(windows, key=lambda window: window.num_shots):
        waiting.append(window)
        if sum(w.num_shots for w in waiting) >= config.batch_shots:
            batches.append(collate(waiting, config))
            waiting = []
    return [*batches, collate(waiting, config)] if waiting else batches
