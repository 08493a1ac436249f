"""A shot's frames pooled by a small transformer, which may see what moves and in which order.

It adds to the mean instead of taking its place: the last layer begins at zero, so that untrained
it is the mean, and training can only be asked what the mean leaves out.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn
from torch.nn import functional

from qdrant.errors import WeightsUnavailable

SLOWEST_WAVE = 0.5
"""Periods over a shot: the first wave tells its beginning from its end."""
CONFIG = "config"


@dataclass(frozen=True)
class PoolConfig:
    """The sizes of a temporal pool."""

    dim: int  # of the frames' vectors, and of the shot's
    width: int = 256
    layers: int = 2
    heads: int = 4


class TemporalPool(nn.Module):
    """Frames' unit vectors -> the shot's vector: their mean, and what their order adds to it."""

    def __init__(self, config: PoolConfig) -> None:
        super().__init__()
        self.config = config
        self.into = nn.Linear(config.dim, config.width)
        layer = nn.TransformerEncoderLayer(
            config.width,
            config.heads,
            dim_feedforward=2 * config.width,
            dropout=0.0,
            activation="gelu",
            batch_first=True,
            norm_first=True,
        )
        self.layers = nn.TransformerEncoder(layer, config.layers, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(config.width)
        self.out = nn.Linear(config.width, config.dim)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, frames: Tensor) -> Tensor:
        """Return (B, dim), not of unit length, for (B, F, dim) frames at uniform intervals."""
        seen = self.into(frames) + self._waves(frames)
        in_order: Tensor = self.out(self.norm(self.layers(seen)).mean(dim=1))
        return frames.mean(dim=1) + in_order

    def _waves(self, frames: Tensor) -> Tensor:
        """Return (F, width): sines and cosines of each frame's place in its shot, 0..1."""
        count, half = frames.shape[1], self.config.width // 2
        place = (torch.arange(count, device=frames.device, dtype=torch.float32) + 0.5) / count
        periods = SLOWEST_WAVE * 2.0 ** (
            torch.arange(half, device=frames.device) * (math.log2(64) / max(1, half - 1))
        )
        angles = 2 * math.pi * place[:, None] * periods
        return torch.cat([angles.sin(), angles.cos()], dim=1)


def pool_frames(pool: TemporalPool | None, frames: Tensor) -> Tensor:
    """Return (B, dim) unit vectors of shots with as many frames each, (B, F, dim) unit vectors.

    Without a pool, of their means.
    """
    pooled = frames.mean(dim=1) if pool is None else pool(frames)
    return functional.normalize(pooled, dim=-1)


def pool_to_bytes(pool: TemporalPool) -> bytes:
    """Return a pool as a safetensors file that carries its sizes."""
    tensors = {name: t.detach().cpu().contiguous() for name, t in pool.state_dict().items()}
    return safetensors.torch.save(tensors, metadata={CONFIG: json.dumps(asdict(pool.config))})


def load_pool(path: Path, *, dim: int) -> TemporalPool:
    """Return the pool in a file, for vectors of `dim` numbers. Raises `WeightsUnavailable`."""
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            config = PoolConfig(**json.loads((file.metadata() or {})[CONFIG]))
        pool = TemporalPool(config)
        pool.load_state_dict(safetensors.torch.load_file(path))
    # A damaged file shows itself as whatever its reader meets first.
    except Exception as error:
        raise WeightsUnavailable(
            f"The temporal pool {path} cannot be read ({error}); name the file that "
            "`trimbin finetune --pool temporal` wrote, or take `pool` out of the profile."
        ) from error
    if config.dim != dim:
        raise WeightsUnavailable(
            f"The temporal pool {path} is made for vectors of {config.dim} numbers, and the "
            f"model gives {dim}; name the one that was trained with it."
        )
    return pool.eval().requires_grad_(False)
