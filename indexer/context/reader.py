"""The context model without torch: loaded in milliseconds, for titles that are only read.

The same numbers from the same weights as `model.py`, to about the sixth digit; that one stays what
training moves. Letters as there: S shots, D numbers in a fused shot, H hidden size, T = S + 2
tokens, N heads, K numbers in a head.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from indexer.context.config import NUM_PREFIX_TOKENS, ContextConfig
from indexer.context.record import read_record
from indexer.context.sequence import TitleSequence

Floats = NDArray[np.float32]

if TYPE_CHECKING:
    from indexer.tower.keep import KeptTower

NORM_EPSILON = 1e-5
"""torch's default, which training uses."""
ERF_P = 0.3275911
ERF = (0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429)
"""Abramowitz and Stegun, "Handbook of Mathematical Functions", 7.1.26: within 1.5e-7."""


@dataclass(frozen=True)
class ContextReader:
    """A trained context model that reads one window of a title at a time."""

    config: ContextConfig
    weights: Mapping[str, Floats]  # as a checkpoint names them

    def read(self, title: TitleSequence, hidden_shots: NDArray[np.bool_]) -> tuple[Floats, Floats]:
        """Return its word for each shot (S, D), and [CLS] (H,), neither of unit length.

        `hidden_shots` (S,) are under [MASK], as is a shot with nothing in it.
        """
        covered = hidden_shots | ~title.filled
        fused = np.where(covered[:, None], self.weights["mask"], title.fused)  # (S, D)
        x = self._tokens(fused, title.global_vector)  # (T, H)
        turn, bias = self._places(len(x))
        for layer in range(self.config.layers):
            x = self._layer(f"layers.{layer}.", x, turn, bias)
        x = self._norm("out_norm", x)
        return self._linear("out_projection", x[NUM_PREFIX_TOKENS:]), x[0]

    def _tokens(self, fused: Floats, known: Floats | None) -> Floats:
        config, weights = self.config, self.weights
        title = weights["absent_global"]
        if known is not None:
            title = self._linear("global_projection", known * math.sqrt(config.global_dim))
        shots = self._linear("in_projection", fused * math.sqrt(config.fused_dim))
        x = np.concatenate([weights["cls"][None], title[None], shots])
        if config.positions == "learned":
            x = x + weights["learned_positions.weight"][: len(x)]
        return x

    def _places(self, num_tokens: int) -> tuple[Floats | None, Floats | float]:
        """Return how queries and keys are turned (2, T, K / 2), and what scores gain (N, T, T)."""
        config = self.config
        if config.positions == "rotary":
            pairs = config.hidden // config.heads // 2
            speeds = config.rotary_base ** -(np.arange(pairs, dtype=np.float32) / pairs)
            angles = np.outer(np.arange(num_tokens, dtype=np.float32), speeds)
            return np.stack([np.cos(angles), np.sin(angles)]), 0.0
        if config.positions == "learned":
            return None, 0.0
        by_distance, reach = self.weights["relative_bias.by_distance"], config.relative_reach
        places = np.arange(num_tokens - NUM_PREFIX_TOKENS)
        distances = np.clip(places - places[:, None], -reach, reach)  # of keys from queries
        bias = np.zeros((config.heads, num_tokens, num_tokens), np.float32)
        bias[:, NUM_PREFIX_TOKENS:, NUM_PREFIX_TOKENS:] = by_distance[:, distances + reach]
        return None, bias

    def _layer(self, name: str, x: Floats, turn: Floats | None, bias: Floats | float) -> Floats:
        x = x + self._attend(
            f"{name}attention.", self._norm(f"{name}attention_norm", x), turn, bias
        )
        widened = gelu(self._linear(f"{name}widen", self._norm(f"{name}ffn_norm", x)))
        return x + self._linear(f"{name}narrow", widened)

    def _attend(self, name: str, x: Floats, turn: Floats | None, bias: Floats | float) -> Floats:
        if self.config.projections == "together":
            parts = np.split(self._linear(f"{name}query_key_value", x), 3, axis=-1)
        else:
            parts = [self._linear(f"{name}{part}", x) for part in ("query", "key", "value")]
        query, key, value = (
            part.reshape(len(x), self.config.heads, -1).transpose(1, 0, 2)  # (N, T, K)
            for part in parts
        )
        if turn is not None:
            query, key = _rotate(query, turn), _rotate(key, turn)
        scores = query @ key.transpose(0, 2, 1) / math.sqrt(key.shape[-1]) + bias
        powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
        gathered = (powers @ value) / powers.sum(axis=-1, keepdims=True)
        return self._linear(f"{name}gather", gathered.transpose(1, 0, 2).reshape(len(x), -1))

    def _linear(self, name: str, x: Floats) -> Floats:
        return np.asarray(x @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"])

    def _norm(self, name: str, x: Floats) -> Floats:
        middle = x - x.mean(axis=-1, keepdims=True)
        deviation = np.sqrt(np.square(middle).mean(axis=-1, keepdims=True) + NORM_EPSILON)
        normed = middle / deviation * self.weights[f"{name}.weight"]
        return np.asarray(normed + self.weights[f"{name}.bias"])


@dataclass(frozen=True)
class ReadyCheckpoint:
    """A checkpoint as far as reading titles needs it."""

    id: str  # names the model version
    model: ContextReader
    tower: KeptTower | None = None  # for words, where one has shown its worth


def load_reader(folder: Path) -> ReadyCheckpoint:
    """Return the model saved in a folder. Raises CannotRunNow where there is none or it is damaged.

    `indexer.context.checkpoint.load_checkpoint` returns it for training and evaluation.
    """
    from safetensors.numpy import load

    with read_record(folder) as record:
        weights = {
            name: np.asarray(part, np.float32) for name, part in load(record.weights).items()
        }
        reader = ContextReader(record.config, weights)
        _try_out(reader)
    return ReadyCheckpoint(record.id, reader, record.tower)


def _try_out(reader: ContextReader) -> None:
    """Read a title of nothing, so that weights of other sizes show themselves before they count."""
    num_shots = min(reader.config.max_shots, reader.config.relative_reach + 2)
    nothing = np.zeros((num_shots, reader.config.fused_dim), np.float32)
    reader.read(TitleSequence("", nothing), np.zeros(num_shots, np.bool_))


def _rotate(x: Floats, turn: Floats) -> Floats:
    cos, sin = turn
    first, second = np.split(x, 2, axis=-1)
    return np.concatenate([first * cos - second * sin, first * sin + second * cos], axis=-1)


def gelu(x: Floats) -> Floats:
    """Return x times the share of a normal distribution below it."""
    size = np.abs(x) * np.float32(math.sqrt(0.5))
    t = np.reciprocal(1 + ERF_P * size)
    series = np.zeros_like(x)
    for factor in reversed(ERF):
        series = np.asarray((series + factor) * t)
    above = series * np.exp(-size * size) / 2  # the share beyond |x|
    return np.asarray(x * np.where(x < 0, above, 1 - above))
