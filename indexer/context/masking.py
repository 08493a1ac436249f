"""Masked Shot Modelling: which shots are hidden, how much of them, and what the guess costs.

MediaFM hides whole shots. We let part of them keep one or two modalities, which keeps the output
at a shot close to the shot itself; the target is the whole fused vector either way.
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
    return Masks(hidden, targets)


def masked_loss(outputs: Tensor, fused: Tensor, targets: Tensor) -> Tensor:
    """Return the mean cosine distance (0..2) between outputs and fused (B, S, D) at the targets.

    0 where there is no target at all.
    """
    distances = 1 - functional.cosine_similarity(outputs, fused, dim=-1)  # (B, S)
    return (distances * targets).sum() / targets.sum().clamp(min=1)


def modalities_present(fused: Tensor, config: ContextConfig) -> Tensor:
    """Return which modalities each shot (B, S, D) has: (B, S, M) bool."""
    parts = torch.split(fused, list(config.dims.values()), dim=-1)
    return torch.stack([(part != 0).any(dim=-1) for part in parts], dim=-1)


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
