"""The context model: a small BERT-like encoder over the shots of one title.

After MediaFM (Netflix, 2026-02-23): fused shots -> hidden size, [CLS] and [GLOBAL] in front, three
pre-norm transformer layers, back to the fused size. Where the recipe is silent the config chooses:
what places are to attention, and whether query, key and value are one matrix or three (Muon then
orthogonalises them together or apart). [MASK] lives in the fused space, so that one modality of a
shot can be hidden without being mistaken for one that is missing.

Letters: B batch, S shots, M modalities, D numbers in a fused shot, G numbers in the title's
metadata vector, H hidden size, T = S + 2 tokens, N heads, K numbers in a head.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from indexer.context.config import NUM_PREFIX_TOKENS
from indexer.context.config import ContextConfig as ContextConfig
from indexer.context.positions import RelativeBias, rotate, rotations


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
        self.relative_bias = RelativeBias(config) if config.positions == "relative" else None
        self.layers = nn.ModuleList(EncoderLayer(config) for _ in range(config.layers))
        self.out_norm = nn.LayerNorm(hidden)
        self.out_projection = nn.Linear(hidden, fused_dim)

    def forward(self, batch: Batch, hidden_modalities: Tensor | None = None) -> ContextOutput:
        """Return a prediction for every shot and the [CLS] of every sequence.

        `hidden_modalities` (B, S, M) bool says what [MASK] covers. A shot with nothing in it is
        covered whole whatever is asked: what belongs there can only be read from its context.
        """
        x = self._tokens(self._cover(batch.fused, hidden_modalities), batch)  # (B, T, H)
        prefix = batch.present.new_ones(len(x), NUM_PREFIX_TOKENS)
        sight = torch.cat([prefix, batch.present], dim=1)[:, None, None]  # (B, 1, 1, T)
        turn = None
        if self.learned_positions is not None:
            x = x + self.learned_positions.weight[: x.shape[1]]
        elif self.relative_bias is not None:
            sight = self.relative_bias(x.shape[1]).masked_fill(~sight, -math.inf)  # (B, N, T, T)
        else:
            turn = rotations(x.shape[1], self.config, x.device)
        for layer in self.layers:
            x = layer(x, turn, sight)
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

    def forward(self, x: Tensor, turn: Tensor | None, sight: Tensor) -> Tensor:
        """Return the tokens after this layer: (B, T, H)."""
        x = x + self.dropout(self.attention(self.attention_norm(x), turn, sight))
        widened = functional.gelu(self.widen(self.ffn_norm(x)))
        narrowed: Tensor = self.dropout(self.narrow(widened))
        return x + narrowed


class Attention(nn.Module):
    """Every token looks at every token that is not padding."""

    def __init__(self, config: ContextConfig) -> None:
        super().__init__()
        self.heads, hidden = config.heads, config.hidden
        self.together = config.projections == "together"
        if self.together:
            self.query_key_value = nn.Linear(hidden, 3 * hidden)
        else:
            self.query = nn.Linear(hidden, hidden)
            self.key = nn.Linear(hidden, hidden)
            self.value = nn.Linear(hidden, hidden)
        self.gather = nn.Linear(hidden, hidden)

    def forward(self, x: Tensor, turn: Tensor | None, sight: Tensor) -> Tensor:
        """Return what each token gathered: (B, T, H).

        `sight` is bool (B, 1, 1, T), False at padding, or added to the scores (B, N, T, T).
        """
        if self.together:
            parts = self.query_key_value(x).chunk(3, dim=-1)
        else:
            parts = (self.query(x), self.key(x), self.value(x))
        query, key, value = (
            part.unflatten(-1, (self.heads, -1)).transpose(1, 2)  # (B, N, T, K)
            for part in parts
        )
        if turn is not None:
            query, key = rotate(query, turn), rotate(key, turn)
        gathered = functional.scaled_dot_product_attention(query, key, value, attn_mask=sight)
        mixed: Tensor = self.gather(gathered.transpose(1, 2).flatten(2))
        return mixed
