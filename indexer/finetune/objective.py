"""What is asked of shots and captions: that each finds the other among all of a batch.

Symmetric InfoNCE (Radford et al., "CLIP", arXiv 2103.00020). We differ in that a caption that two
shots of a batch share is right for both: audio descriptions and short captions repeat.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Found:
    """How well captions find their shots among all held-out ones."""

    recall_at_1: float
    recall_at_5: float
    loss: float
    num_pairs: int
    chance_at_1: float  # of a shot drawn blindly


def same_captions(captions: Sequence[str]) -> Tensor:
    """Return (B, B) bool: which pairs have one caption, whatever its case and spaces."""
    number = {text: n for n, text in enumerate(dict.fromkeys(map(_plain, captions)))}
    ids = torch.tensor([number[_plain(caption)] for caption in captions])
    return ids[:, None] == ids[None, :]


def contrastive_loss(shots: Tensor, texts: Tensor, *, scale: Tensor, same: Tensor) -> Tensor:
    """Return the mean of both directions' cross entropy.

    `shots` and `texts` are (B, D) unit vectors, `same` (B, B) says which belong together. A bias,
    as SigLIP's, makes no difference to a softmax.
    """
    logits = scale * shots @ texts.T
    wanted = same.to(logits.dtype)
    wanted = wanted / wanted.sum(dim=1, keepdim=True)
    forth = functional.cross_entropy(logits, wanted)
    back = functional.cross_entropy(logits.T, wanted)
    return (forth + back) / 2


def found(shots: Tensor, texts: Tensor, *, scale: Tensor, same: Tensor) -> Found:
    """Return how well captions find shots, (N, D) unit vectors each, on the CPU.

    A caption is found at k where one of its k nearest shots bears it.
    """
    nearest = (texts @ shots.T).argsort(dim=1, descending=True, stable=True)
    right = torch.gather(same, 1, nearest)
    return Found(
        recall_at_1=float(right[:, :1].any(dim=1).float().mean()),
        recall_at_5=float(right[:, :5].any(dim=1).float().mean()),
        loss=float(contrastive_loss(shots, texts, scale=scale, same=same)),
        num_pairs=len(shots),
        chance_at_1=float(same.float().mean()),
    )


def _plain(caption: str) -> str:
    return " ".join(caption.casefold().split())
