"""Which optimiser moves which parameter: Muon the hidden matrices, AdamW everything else, or all.

Muon: https://kellerjordan.github.io/posts/muon/. With `match_rms_adamw` (Moonshot, arXiv
2502.16982) its steps are as long as AdamW's, so that one weight decay and one order of learning
rate serve both.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn, optim
from torch.overrides import TorchFunctionMode

from indexer.context.model import ContextConfig, ContextModel

POSITIONS = ("learned_positions.", "relative_bias.")
"""Tables that are looked up, not multiplied by: their parameters' names begin so."""

ADAMW_BETAS = (0.9, 0.95)
"""Runs are hundreds of steps: the usual 0.999 would remember the first ones to the end."""


class MuonInFloat32(optim.Muon):
    """Torch's Muon, which orthogonalises in bfloat16, doing so in float32.

    Processors that cannot multiply bfloat16 do it eighty times slower, and most cannot; those that
    can differ among themselves.
    """

    def step(self, closure: Any = None) -> Any:
        """Do one step; see `torch.optim.Muon`."""
        with _KeptInFloat32():
            return super().step(closure)  # type: ignore[no-untyped-call]


class _KeptInFloat32(TorchFunctionMode):
    """A copy where a tensor would be made bfloat16."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.Tensor.bfloat16:
            return args[0].clone()
        return func(*args, **(kwargs or {}))


@dataclass(frozen=True)
class ParameterSplit:
    """A model's parameters by the optimiser that moves them, each by its name."""

    muon: dict[str, nn.Parameter]  # matrices inside the encoder's layers, unless AdamW has all
    adamw_decayed: dict[str, nn.Parameter]  # all other matrices that are multiplied by
    adamw: dict[str, nn.Parameter]  # [MASK], [CLS], absent [GLOBAL], positions, norms, biases


def split_parameters(model: ContextModel) -> ParameterSplit:
    """Return every parameter in exactly one of the three groups."""
    split = ParameterSplit({}, {}, {})
    for name, parameter in model.named_parameters():
        if parameter.ndim < 2 or name.startswith(POSITIONS):
            split.adamw[name] = parameter
        elif name.startswith("layers.") and model.config.optimiser == "muon":
            split.muon[name] = parameter
        else:
            split.adamw_decayed[name] = parameter
    return split


def make_optimisers(model: ContextModel, config: ContextConfig) -> list[optim.Optimizer]:
    """Return the optimisers that together move every parameter once."""
    split = split_parameters(model)
    decay = config.weight_decay
    adamw = optim.AdamW(
        [
            {"params": list(split.adamw_decayed.values()), "weight_decay": decay},
            {"params": list(split.adamw.values()), "weight_decay": 0.0},
        ],
        lr=config.adamw_lr,
        betas=ADAMW_BETAS,
    )
    if not split.muon:
        return [adamw]
    device = next(iter(split.muon.values())).device
    muon = (MuonInFloat32 if device.type == "cpu" else optim.Muon)(
        split.muon.values(),
        lr=config.muon_lr,
        weight_decay=decay,
        adjust_lr_fn="match_rms_adamw",
    )
    return [muon, adamw]


def rate_share(step: int, *, steps: int, warmup_share: float) -> float:
    """Return the share (0..1) of the full learning rate at `step` of `steps`, counted from 0.

    Rises in a line over the warm-up, then falls along half a cosine.
    """
    warmup = max(1, round(steps * warmup_share))
    if step < warmup:
        return (step + 1) / warmup
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))
