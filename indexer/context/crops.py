"""What one training step reads: random stretches of random titles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from indexer.context.model import Batch, ContextConfig
from indexer.context.sequence import TitleSequence

SHORTEST_CROP = 0.5
"""Of the longest a title allows: a shot must not be known by its place in the sequence."""


@dataclass(frozen=True)
class TrainingTitle:
    """A title and the shots of it that training may predict."""

    sequence: TitleSequence
    targetable: NDArray[np.bool_]  # (num_shots,)


def draw_crops(
    titles: Sequence[TrainingTitle], config: ContextConfig, *, generator: torch.Generator
) -> tuple[Batch, Tensor]:
    """Return about `batch_shots` shots of crops, and which of them are targetable (B, S).

    A title is drawn as often as it has shots; some crops forget what is known of their title.
    """
    weights = torch.tensor([float(title.sequence.num_shots) for title in titles])
    crops: list[TrainingTitle] = []
    while sum(crop.sequence.num_shots for crop in crops) < config.batch_shots:
        pick = int(torch.multinomial(weights, 1, generator=generator))
        crops.append(_crop(titles[pick], max_shots=config.max_shots, generator=generator))
    batch = collate([crop.sequence for crop in crops], config)
    targetable = torch.zeros(batch.present.shape, dtype=torch.bool)
    for row, crop in zip(targetable, crops, strict=True):
        row[: len(crop.targetable)] = torch.from_numpy(crop.targetable)
    remembered = torch.rand(len(crops), generator=generator) >= config.global_dropout
    has_global = batch.has_global & remembered
    return Batch(batch.fused, batch.present, batch.global_vector, has_global), targetable


def collate(sequences: Sequence[TitleSequence], config: ContextConfig) -> Batch:
    """Return sequences as one batch, padded to the longest."""
    longest = max(sequence.num_shots for sequence in sequences)
    fused = torch.zeros(len(sequences), longest, config.fused_dim)
    present = torch.zeros(len(sequences), longest, dtype=torch.bool)
    global_vector = torch.zeros(len(sequences), config.global_dim)
    has_global = torch.zeros(len(sequences), dtype=torch.bool)
    for row, sequence in enumerate(sequences):
        fused[row, : sequence.num_shots] = torch.from_numpy(sequence.fused)
        present[row, : sequence.num_shots] = True
        if sequence.global_vector is not None:
            global_vector[row] = torch.from_numpy(sequence.global_vector)
            has_global[row] = True
    return Batch(fused, present, global_vector, has_global)


def _crop(title: TrainingTitle, *, max_shots: int, generator: torch.Generator) -> TrainingTitle:
    """Return a stretch of the title, half as long as may be or longer, from anywhere in it."""
    longest = min(title.sequence.num_shots, max_shots)
    shortest = max(1, round(longest * SHORTEST_CROP))
    length = int(torch.randint(shortest, longest + 1, (), generator=generator))
    start = int(torch.randint(0, title.sequence.num_shots - length + 1, (), generator=generator))
    end = start + length
    return TrainingTitle(title.sequence.excerpt(start, end), title.targetable[start:end])
