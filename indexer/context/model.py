"""The context model: a small BERT-like encoder over the shots of one title.

After MediaFM (Netflix, 2026-02-23): fused shots -> hidden size, [CLS] and [GLOBAL] in front, three
pre-norm transformer layers, back to the fused size. Where the recipe is silent we choose: rotary
positions (arXiv 2104.09864), one matrix each for query, key and value (Muon then orthogonalises
them apart), and a [MASK] that lives in the fused space, so that one modality of a shot can be
hidden without being mistaken for one that is missing.

Letters: B batch, S shots, M modalities, D numbers in a fused shot, G numbers in the title's
metadata vector, H hidden size, T = S + 2 tokens, N heads, K numbers in a head.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

NUM_PREFIX_TOKENS = 2
"""[CLS] and [GLOBAL] stand before the shots."""


@dataclass(frozen=True)
class ContextConfig:
    """Everything a context model is made and trained with; a checkpoint carries it."""

    # What goes in.
    dims: Mapping[str, int]  # modality -> numbers in its vector, in the order they are fused
    global_dim: int  # numbers in the title-metadata vector, whether or not titles have one

    # The encoder.
    hidden: int = 192  # numbers in a token inside the model
    layers: int = 3
    heads: int = 4
    ffn_ratio: int = 4  # the feed-forward layer's width over `hidden`
    dropout: float = 0.1
    max_shots: int = 512  # shots read together; a longer title is read in windows
    window_overlap: float = 0.5  # share of a window that the next one sees again
    positions: Literal["rotary", "learned"] = "rotary"
    rotary_base: float = 100.0  # slowest turn: about 2 pi times this many shots, just over a window

    # Masked Shot Modelling.
    mask_share: float = 0.2  # of the shots of a sequence are chosen to be predicted
    modality_share: float = 0.5  # of the chosen keep one or two modalities; the rest keep none
    global_dropout: float = 0.1  # of the sequences are read as if nothing was known of the title

    # Optimisation.
    batch_shots: int = 512  # shots in a step, over all its sequences
    muon_lr: float = 6e-3  # hidden matrices
    adamw_lr: float = 3e-3  # all else
    weight_decay: float = 0.1
    warmup_share: float = 0.1  # of the steps; the rate then falls to nothing along a cosine
    clip_norm: float = 1.0  # longest gradient, over all parameters together

    def __post_init__(self) -> None:
        object.__setattr__(self, "dims", dict(self.dims))  # our own copy, plain for JSON
        assert self.dims and all(dim > 0 for dim in self.dims.values()), self.dims
        assert self.global_dim > 0, "a model that never sees metadata still needs its size"
        assert self.hidden % (2 * self.heads) == 0, "a head turns its numbers in pairs"

    @property
    def fused_dim(self) -> int:
        """Return how many numbers a fused shot has."""
        return sum(self.dims.values())


@dataclass(frozen=True)
class Batch:
    """Sequences of shots, padded to the longest."""

    fused: Tensor  # (B, S, D) float32, zeros where a modality or the shot is missing
    present: Tensor  # (B, S) bool, False where padded
    global_vector: Tensor  # (B, G) float32, anything where there is none
    has_global: Tensor  # (B,) bool

    def to(self, device: torch.device | str) -> Batch:
        """Return the same batch on another device."""
        return Batch(
            self.fused.to(device),
            self.present.to(device),
            self.global_vector.to(device),
            self.has_global.to(device),
        )


@dataclass(frozen=True)
class ContextOutput:
    """What the model says of each sequence."""

    shots: Tensor  # (B, S, D) predicted fused vectors, of any length
    cls: Tensor  # (B, H) the [CLS] token; no objective of its own shapes it


class ContextModel(nn.Module):
    """Predicts every shot's fused vector from the shots around it."""

    def __init__(self, config: ContextConfig) -> None:
        super().__init__()
        self.config = config
        hidden, fused_dim = config.hidden, config.fused_dim
        self.mask = nn.Parameter(torch.randn(fused_dim) / math.sqrt(fused_dim))  # [MASK]
        self.cls = nn.Parameter(torch.randn(hidden))  # [CLS]
        self.absent_global = nn.Parameter(torch.randn(hidden))  # [GLOBAL] of an unknown title
        self.in_projection = nn.Linear(fused_dim, hidden)
        self.global_projection = nn.Linear(config.global_dim, hidden)
        self.learned_positions = (
            nn.Embedding(NUM_PREFIX_TOKENS + config.max_shots, hidden)
            if config.positions == "learned"
            else None
        )
        self.layers = nn.ModuleList(EncoderLayer(config) for _ in range(config.layers))
        self.out_norm = nn.LayerNorm(hidden)
        self.out_projection = nn.Linear(hidden, fused_dim)

    def forward(self, batch: Batch, hidden_modalities: Tensor | None = None) -> ContextOutput:
        """Return a prediction for every shot and the [CLS] of every sequence.

        `hidden_modalities` (B, S, M) bool says what [MASK] covers. A shot with nothing in it is
        covered whole whatever is asked: what belongs there can only be read from its context.
        """
        x = self._tokens(self._cover(batch.fused, hidden_modalities), batch)  # (B, T, H)
        turn = None
        if self.learned_positions is not None:
            x = x + self.learned_positions.weight[: x.shape[1]]
        else:
            turn = rotations(x.shape[1], self.config, x.device)
        prefix = batch.present.new_ones(len(x), NUM_PREFIX_TOKENS)
        attendable = torch.cat([prefix, batch.present], dim=1)  # (B, T)
        for layer in self.layers:
            x = layer(x, turn, attendable)
        x = self.out_norm(x)
        return ContextOutput(self.out_projection(x[:, NUM_PREFIX_TOKENS:]), x[:, 0])

    def _cover(self, fused: Tensor, hidden_modalities: Tensor | None) -> Tensor:
        """Return the fused shots with [MASK] over what is hidden: (B, S, D)."""
        covered = (fused == 0).all(dim=-1, keepdim=True)  # (B, S, 1)
        if hidden_modalities is not None:
            sizes = torch.tensor(list(self.config.dims.values()), device=fused.device)
            covered = covered | hidden_modalities.repeat_interleave(sizes, dim=-1)  # (B, S, D)
        return torch.where(covered, self.mask, fused)

    def _tokens(self, fused: Tensor, batch: Batch) -> Tensor:
        """Return [CLS], [GLOBAL] and the shots as tokens: (B, T, H)."""
        # Numbers of a unit vector are about 1/sqrt(D): scaled up so that a token starts near 1.
        shots = self.in_projection(fused * math.sqrt(fused.shape[-1]))  # (B, S, H)
        known = self.global_projection(batch.global_vector * math.sqrt(self.config.global_dim))
        title = torch.where(batch.has_global[:, None], known, self.absent_global)  # (B, H)
        cls = self.cls.expand(len(fused), 1, -1)  # (B, 1, H)
        return torch.cat([cls, title[:, None], shots], dim=1)


class EncoderLayer(nn.Module):
    """Attention, then a feed-forward layer, each on normed tokens and added to them."""

    def __init__(self, config: ContextConfig) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(config.hidden)
        self.attention = Attention(config)
        self.ffn_norm = nn.LayerNorm(config.hidden)
        self.widen = nn.Linear(config.hidden, config.ffn_ratio * config.hidden)
        self.narrow = nn.Linear(config.ffn_ratio * config.hidden, config.hidden)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, turn: Tensor | None, attendable: Tensor) -> Tensor:
        """Return the tokens after this layer: (B, T, H)."""
        x = x + self.dropout(self.attention(self.attention_norm(x), turn, attendable))
        widened = functional.gelu(self.widen(self.ffn_norm(x)))
        narrowed: Tensor = self.dropout(self.narrow(widened))
        return x + narrowed


class Attention(nn.Module):
    """Every token looks at every token that is not padding."""

    def __init__(self, config: ContextConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.query = nn.Linear(config.hidden, config.hidden)
        self.key = nn.Linear(config.hidden, config.hidden)
        self.value = nn.Linear(config.hidden, config.hidden)
        self.gather = nn.Linear(config.hidden, config.hidden)

    def forward(self, x: Tensor, turn: Tensor | None, attendable: Tensor) -> Tensor:
        """Return what each token gathered: (B, T, H). `attendable` (B, T) is False at padding."""
        query, key, value = (
            part(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)  # (B, N, T, K)
            for part in (self.query, self.key, self.value)
        )
        if turn is not None:
            query, key = rotate(query, turn), rotate(key, turn)
        gathered = functional.scaled_dot_product_attention(
            query, key, value, attn_mask=attendable[:, None, None, :]
        )
        mixed: Tensor = self.gather(gathered.transpose(1, 2).flatten(2))
        return mixed


def rotations(num_tokens: int, config: ContextConfig, device: torch.device) -> Tensor:
    """Return the cosine and sine by which each token's pairs are turned: (2, T, K / 2)."""
    pairs = config.hidden // config.heads // 2
    speeds = config.rotary_base ** -(torch.arange(pairs, device=device) / pairs)
    angles = torch.outer(torch.arange(num_tokens, device=device), speeds)  # (T, K / 2)
    return torch.stack([angles.cos(), angles.sin()])


def rotate(x: Tensor, turn: Tensor) -> Tensor:
    """Return queries or keys (B, N, T, K) turned by their places (RoFormer, arXiv 2104.09864)."""
    cos, sin = turn  # (T, K / 2) each
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cos - second * sin, first * sin + second * cos], dim=-1)
