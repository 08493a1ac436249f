"""How exactly a model reckons: in 16 bits where that is faster, else in 32."""

from __future__ import annotations

import contextlib
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from qdrant.errors import UsageError

if TYPE_CHECKING:
    import torch

PRECISIONS = ("auto", "float32", "bfloat16")
FASTER_IN_16_BITS = ("cuda", "mps")
"""Few CPUs multiply bfloat16 faster than float32; there it has to be asked for."""


def precise_enough(device: torch.device, precision: str) -> AbstractContextManager[Any]:
    """Reckon in bfloat16 where `precision` says so, "auto" where the device gains by it.

    Weights and what is summed up stay in float32; vectors differ in their third decimal. Raises
    `UsageError` for a precision there is none of.
    """
    import torch

    if precision not in PRECISIONS:
        raise UsageError(
            f"There is no precision {precision!r}; the profile may say {', '.join(PRECISIONS)}."
        )
    asked = precision == "bfloat16"
    if asked or (precision == "auto" and device.type in FASTER_IN_16_BITS):
        return torch.autocast(device.type, dtype=torch.bfloat16)
    return contextlib.nullcontext()
