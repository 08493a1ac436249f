"""A tower on disk, beside the context model whose vectors it reads; and the part that asks, alone.

    folder/tower-<id>.safetensors    the weights; the id is the checkpoint's

Its config and what it was found to be worth stand in the checkpoint's record, under `tower`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.context.reader import gelu
from indexer.encoders.protocol import Vectors, unit

if TYPE_CHECKING:
    from indexer.tower.evaluation import TowerEvaluation
    from indexer.tower.model import Tower

ASKING = ("ask_projection", "ask_widen", "ask_narrow")
"""The layers that a question goes through."""


@dataclass(frozen=True)
class KeptTower:
    """A tower as its files have it."""

    told: Mapping[str, Any]  # "config" and "evaluation", as the record has them
    weights: bytes  # safetensors

    @property
    def floor(self) -> float:
        """The cosine at or below which its word is no evidence."""
        return float(self.told["evaluation"]["floor"])

    @property
    def ceiling(self) -> float:
        """The cosine at or above which its word is all the evidence it can be."""
        return float(self.told["evaluation"]["ceiling"])

    def restore(self) -> Tower:
        """Return the tower, ready for use. Nothing random is drawn."""
        import safetensors.torch
        import torch

        from indexer.tower.model import Tower, TowerConfig

        with torch.random.fork_rng(devices=[]):
            tower = Tower(TowerConfig(**self.told["config"]))
        tower.load_state_dict(safetensors.torch.load(self.weights))
        return tower.eval()

    def asker(self) -> Asker:
        """Return the part that asks."""
        from safetensors.numpy import load

        weights = load(self.weights)
        asking = {name: rows for name, rows in weights.items() if name.startswith(ASKING)}
        return Asker(dict(self.told["config"]["dims"]), asking)


@dataclass(frozen=True)
class Asker:
    """The question tower without torch: a search starts sooner for it."""

    dims: Mapping[str, int]  # modality -> numbers in its vector, in the order they are fused
    weights: Mapping[str, Vectors]

    def ask(self, words: Mapping[str, Vectors]) -> Vectors:
        """Return words, modality -> (dim,), in the space of the keys: (key_dim,), unit length."""
        slots = [words.get(m, np.zeros(dim, np.float32)) for m, dim in self.dims.items()]
        fused = unit(np.concatenate(slots))
        scaled = fused * math.sqrt(len(fused))
        bent = self._layer("ask_narrow", gelu(self._layer("ask_widen", scaled)))
        return unit(self._layer("ask_projection", scaled) + bent)

    def _layer(self, name: str, x: Vectors) -> Vectors:
        weight, bias = self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]
        return np.asarray(x @ weight.T + bias, np.float32)


def kept(tower: Tower, evaluation: TowerEvaluation) -> KeptTower:
    """Return a tower as it goes on disk."""
    import safetensors.torch

    weights = {name: tensor.contiguous() for name, tensor in tower.state_dict().items()}
    told = {"config": asdict(tower.config), "evaluation": asdict(evaluation)}
    return KeptTower(told, safetensors.torch.save(weights))


def tower_path(folder: Path, checkpoint_id: str) -> Path:
    """Return where the weights of a checkpoint's tower lie."""
    return folder / f"tower-{checkpoint_id}.safetensors"
