"""Low-rank adapters: what is learned of a large matrix is the product of two narrow ones.

Hu et al., "LoRA", arXiv 2106.09685. Each adapter is a parametrisation of the weight it adapts, so
every kind of layer is served alike, the fused query-key-value matrix of attention included; on
merging, the sum takes the weight's place and nothing is left of the adapter.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

ADAPTED = ("weight", "in_proj_weight")
"""A linear layer's matrix, and the one in which attention keeps query, key and value."""


class LowRank(nn.Module):
    """Adds `up @ down` to a weight; `up` begins at zero, so that nothing changes untrained."""

    def __init__(self, weight: Tensor, *, rank: int) -> None:
        super().__init__()
        rows, columns = weight.shape
        rank = min(rank, rows, columns)
        self.down = nn.Parameter(torch.empty(rank, columns, device=weight.device))
        self.up = nn.Parameter(torch.zeros(rows, rank, device=weight.device))
        nn.init.kaiming_uniform_(self.down, a=math.sqrt(5))

    def forward(self, weight: Tensor) -> Tensor:
        """Return the weight as adapted."""
        return weight + self.up @ self.down


def adapt(model: nn.Module, *, rank: int, untouched: tuple[str, ...] = ()) -> int:
    """Put an adapter on every matrix of attention and of linear layers; return how many.

    Parameters whose names begin with one of `untouched` keep theirs.
    """
    found = [
        (module, name)
        for module, name, full_name in _matrices(model)
        if not full_name.startswith(untouched)
    ]
    for module, name in found:
        adapter = LowRank(getattr(module, name), rank=rank)
        parametrize.register_parametrization(module, name, adapter)
        getattr(module.parametrizations, name).original.requires_grad_(False)
    return len(found)


def merge(model: nn.Module) -> None:
    """Add every adapter to the weight it adapts; the model then is as large as before."""
    for module in list(model.modules()):
        for name in ADAPTED:
            if parametrize.is_parametrized(module, name):
                parametrize.remove_parametrizations(module, name, leave_parametrized=True)


def _matrices(model: nn.Module) -> Iterator[tuple[nn.Module, str, str]]:
    """Yield the modules that hold a matrix to adapt, its name there, and its name in the model."""
    for path, module in model.named_modules():
        names = ["weight"] if isinstance(module, nn.Linear) else ["in_proj_weight"]
        for name in names:
            weight = getattr(module, name, None)
            if isinstance(weight, nn.Parameter) and weight.ndim == 2:
                yield module, name, f"{path}.{name}"
