"""Questions and shots in one space, where a shot is known by what is seen and said around it too.

The context model says what the others of a title let one expect of a shot, and leaves out what no
other can tell: what is said two shots before, say. So a shot's key is read once more from its
title, by a small transformer over what each shot is and what is expected of it; attention can then
carry a neighbour's line along. A question is its words as the profile's encoders see them, and
goes through a tower of its own. Both are of unit length: their cosine is the answer.

Letters as in `context/model.py`: B windows, S shots, D numbers in a fused shot, K in a key, Q
questions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from indexer.context.config import KEY_DIM, NUM_PREFIX_TOKENS, ContextConfig
from indexer.context.model import EncoderLayer
from indexer.context.positions import RelativeBias

FIRST_SCALE = 20.0
"""By which cosines are multiplied before the first step; learned from there."""


@dataclass(frozen=True)
class TowerConfig:
    """Everything a tower is made and trained with."""

    # What goes in.
    dims: Mapping[str, int]  # modality -> numbers in its vector, as the context model has them
    asked: tuple[str, ...]  # the modalities whose encoders read words

    # The two sides.
    key_dim: int = KEY_DIM  # numbers in a key, and in a token of the shots' transformer
    layers: int = 2
    heads: int = 4
    dropout: float = 0.1
    relative_reach: int = 32  # shots; farther ones are as far as this
    max_shots: int = 256  # read together; a longer title is read in windows
    window_overlap: float = 0.5  # share of a window that the next one sees again
    ask_hidden: int = 512  # numbers in the question tower's hidden layer

    # Training.
    windows: int = 2  # in a step
    questions: int = 160  # about a window
    near: int = 3  # shots within which a line is a question for those that have none
    spared: int = 5  # shots around the answer that do not count as wrong ones
    looseness: float = (
        1.0  # length of the noise added to words of length 1: others say it otherwise
    )
    rate: float = 2e-3
    weight_decay: float = 0.05
    warmup_share: float = 0.3  # of the steps
    clip_norm: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "dims", dict(self.dims))
        object.__setattr__(self, "asked", tuple(self.asked))
        assert self.asked and set(self.asked) <= set(self.dims), "words must reach something"

    @property
    def fused_dim(self) -> int:
        """Return how many numbers a fused shot has, and words in all their slots."""
        return sum(self.dims.values())

    @property
    def encoder(self) -> ContextConfig:
        """Return the shots' transformer as the context model's rooms have it."""
        return ContextConfig(
            dims={"own": self.fused_dim, "expected": self.fused_dim},
            global_dim=1,
            hidden=self.key_dim,
            layers=self.layers,
            heads=self.heads,
            dropout=self.dropout,
            relative_reach=self.relative_reach,
        )


class Tower(nn.Module):
    """Both sides: `keys` for the shots of a title, `ask` for words."""

    def __init__(self, config: TowerConfig) -> None:
        super().__init__()
        self.config = config
        dim, shot_dim = config.key_dim, 2 * config.fused_dim
        self.in_projection = nn.Linear(shot_dim, dim)
        self.relative_bias = RelativeBias(config.encoder)
        self.layers = nn.ModuleList(EncoderLayer(config.encoder) for _ in range(config.layers))
        self.out_norm = nn.LayerNorm(dim)
        self.out_projection = nn.Linear(dim, dim)
        self.shot_projection = nn.Linear(shot_dim, dim)
        self.ask_projection = nn.Linear(config.fused_dim, dim)
        self.ask_widen = nn.Linear(config.fused_dim, config.ask_hidden)
        self.ask_narrow = nn.Linear(config.ask_hidden, dim)
        nn.init.zeros_(self.ask_narrow.weight)  # the tower is linear to begin with
        self.log_scale = nn.Parameter(torch.tensor(math.log(FIRST_SCALE)))

    def keys(self, shots: Tensor, present: Tensor) -> Tensor:
        """Return the unit keys (B, S, K) of shots (B, S, 2 D), of which `present` (B, S) are any.

        A shot's numbers are its fused vector beside what is expected of it.
        """
        scaled = shots * math.sqrt(self.config.fused_dim)
        x = self.in_projection(scaled)
        bias = self.relative_bias(x.shape[1] + NUM_PREFIX_TOKENS)
        bias = bias[:, NUM_PREFIX_TOKENS:, NUM_PREFIX_TOKENS:]  # (N, S, S): no prefix here
        sight = bias.masked_fill(~present[:, None, None], -math.inf)  # (B, N, S, S)
        for layer in self.layers:
            x = layer(x, None, sight)
        read = self.out_projection(self.out_norm(x)) + self.shot_projection(scaled)
        return functional.normalize(read, dim=-1)

    def ask(self, words: Tensor) -> Tensor:
        """Return the unit vectors (Q, K) of words (Q, D): each modality's slot, zeros elsewhere."""
        scaled = words * math.sqrt(self.config.fused_dim)
        bent = self.ask_narrow(functional.gelu(self.ask_widen(scaled)))
        return functional.normalize(self.ask_projection(scaled) + bent, dim=-1)
