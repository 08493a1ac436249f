"""Masked Shot Modelling: which shots are hidden, how much of them, and what the guess costs.

MediaFM hides whole shots. We can let part of them keep one or two modalities, which keeps the
output at a shot close to the shot itself, and take one modality from a whole sequence, so that
silent film and podcasts are no surprise; the target is the whole fused vector in every case.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from indexer.context.model import ContextConfig

ABSENT = 2.0
"""Sorts after every draw from [0, 1)."""


@dataclass(frozen=True)
class Masks:
    """What the model may not see, and where its guess counts."""

    hidden_modalities: Tensor  # (B, S, M) bool, under [MASK]
    targets: Tensor  # (B, S) bool, shots whose prediction is scored
    visible: Tensor  # (B, S) bool, shots in full sight that training may score too

    def to(self, device: torch.device | str) -> Masks:
        """Return the same masks on another device."""
        return Masks(
            self.hidden_modalities.to(device), self.targets.to(device), self.visible.to(device)
        )


def drop_modalities(fused: Tensor, *, config: ContextConfig, generator: torch.Generator) -> Tensor:
    """Return fused shots (B, S, D) of which some sequences lack one of their modalities throughout.

    Their shots are of unit length again, as they would be had the modality never been there. A
    sequence of one modality keeps it. Nothing is drawn where the config drops none.
    """
    if config.modality_dropout == 0:
        return fused
    owned = modalities_present(fused, config).any(dim=1)  # (B, M)
    unlucky = torch.rand(len(fused), generator=generator) < config.modality_dropout
    unlucky &= owned.sum(dim=-1) > 1  # (B,)
    draws = torch.rand(owned.shape, generator=generator).masked_fill(~owned, ABSENT)
    lost = functional.one_hot(draws.argmin(dim=-1), len(config.dims)).bool()  # (B, M)
    sizes = torch.tensor(list(config.dims.values()))
    rest = fused.masked_fill(lost.repeat_interleave(sizes, dim=-1)[:, None], 0.0)  # (B, S, D)
    return torch.where(unlucky[:, None, None], functional.normalize(rest, dim=-1), fused)


def draw_masks(
    fused: Tensor, *, targetable: Tensor, config: ContextConfig, generator: torch.Generator
) -> Masks:
    """Return this step's masks for fused shots (B, S, D), all on the CPU.

    Of each sequence's `targetable` (B, S) shots, `mask_share` of the sequence's filled shots are
    chosen (at least one, if there is one). A shot with nothing in it is never a target.
    """
    present = modalities_present(fused, config)  # (B, S, M)
    filled = present.any(dim=-1)  # (B, S)
    targets = _choose(filled, targetable & filled, share=config.mask_share, generator=generator)
    spared = torch.rand(targets.shape, generator=generator) < config.modality_share
    partly = targets & spared & (present.sum(dim=-1) > 1)  # of one modality, none can be kept
    kept = _choose_kept(present, generator=generator) & partly[..., None]
    # A modality that a partly hidden shot never had stays visibly missing.
    hidden = torch.where(partly[..., None], present & ~kept, targets[..., None])
    return Masks(hidden, targets, targetable & filled & ~targets)


def masked_loss(outputs: Tensor, fused: Tensor, targets: Tensor) -> Tensor:
    """Return the mean cosine distance (0..2) between outputs and fused (B, S, D) at the targets.

    0 where there is no target at all. This is the published loss.
    """
    return _mean(1 - functional.cosine_similarity(outputs, fused, dim=-1), targets)


def objective(outputs: Tensor, fused: Tensor, masks: Masks, config: ContextConfig) -> Tensor:
    """Return the loss (0..2) that training lowers: the published one, and what the config adds.

    `fused` (B, S, D) is the truth, `outputs` the model's word for it.
    """
    distances = 1 - functional.cosine_similarity(outputs, fused, dim=-1)  # (B, S)
    if config.modality_weight:
        distances = torch.lerp(
            distances, _modality_distances(outputs, fused, config), config.modality_weight
        )
    loss = _mean(distances, masks.targets)
    if config.visible_weight:
        loss = torch.lerp(loss, _mean(distances, masks.visible), config.visible_weight)
    return loss


def modalities_present(fused: Tensor, config: ContextConfig) -> Tensor:
    """Return which modalities each shot (B, S, D) has: (B, S, M) bool."""
    parts = torch.split(fused, list(config.dims.values()), dim=-1)
    return torch.stack([(part != 0).any(dim=-1) for part in parts], dim=-1)


def _modality_distances(outputs: Tensor, fused: Tensor, config: ContextConfig) -> Tensor:
    """Return each shot's cosine distance, the mean over the modalities that it has: (B, S)."""
    sizes = list(config.dims.values())
    pairs = zip(torch.split(outputs, sizes, -1), torch.split(fused, sizes, -1), strict=True)
    distances = torch.stack(
        [1 - functional.cosine_similarity(guess, truth, dim=-1) for guess, truth in pairs], dim=-1
    )  # (B, S, M)
    present = modalities_present(fused, config)
    return (distances * present).sum(dim=-1) / present.sum(dim=-1).clamp(min=1)


def _mean(distances: Tensor, counted: Tensor) -> Tensor:
    """Return the mean distance over the shots (B, S) that count, 0 if none does."""
    return (distances * counted).sum() / counted.sum().clamp(min=1)


def _choose(
    filled: Tensor, targetable: Tensor, *, share: float, generator: torch.Generator
) -> Tensor:
    """Return a random choice among the targetable shots, a share of the filled in size: (B, S)."""
    wanted = (filled.sum(dim=-1) * share).round().clamp(min=1)  # (B,)
    draws = torch.rand(targetable.shape, generator=generator).masked_fill(~targetable, ABSENT)
    rank = draws.argsort(dim=-1).argsort(dim=-1)  # (B, S)
    return (rank < wanted[:, None]) & targetable


def _choose_kept(present: Tensor, *, generator: torch.Generator) -> Tensor:
    """Return one or two modalities to leave visible, always fewer than a shot has: (B, S, M)."""
    one_or_two = torch.randint(1, 3, present.shape[:-1], generator=generator)  # (B, S)
    num_kept = torch.minimum(one_or_two, present.sum(dim=-1) - 1)
    draws = torch.rand(present.shape, generator=generator).masked_fill(~present, ABSENT)
    rank = draws.argsort(dim=-1).argsort(dim=-1)  # (B, S, M)
    return rank < num_kept[..., None]
