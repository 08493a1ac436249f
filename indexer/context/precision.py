"""Mixed precision: matrices multiplied in bfloat16 where that is quick, weights in float32."""

from __future__ import annotations

from typing import Literal, get_args

import torch

from qdrant.errors import UsageError

Precision = Literal["float32", "bfloat16"]
AskedPrecision = Literal["auto", "float32", "bfloat16"]

QUICK_AT_BFLOAT16 = ("cuda", "mps")
"""Kinds of device. Few CPUs are the quicker for it; there it has to be asked for."""


def choose_precision(asked: AskedPrecision, device: torch.device) -> Precision:
    """Return what is asked, "auto" being what suits the device. Raises UsageError for any other."""
    if asked == "auto":
        return "bfloat16" if device.type in QUICK_AT_BFLOAT16 else "float32"
    if asked not in get_args(Precision):
        raise UsageError(
            f"There is no precision {asked!r}; choose one of {', '.join(get_args(AskedPrecision))}."
        )
    return asked


def autocast(device: torch.device, precision: Precision) -> torch.autocast:
    """Return a context in which matrices are multiplied in this precision."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bfloat16")
