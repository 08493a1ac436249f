"""Titles longer than the model's window: overlapping windows, each shot read where it sees most."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Window = range
"""Half-open shots `[start, stop)` that the model reads together."""


def overlapping_windows(num_shots: int, *, size: int, overlap: float) -> list[Window]:
    """Return windows of `size` shots that cover a title, evenly spread, first and last flush.

    Neighbouring windows share at least `overlap` (0..1, exclusive) of their shots. A title that
    fits is one window; a title without shots has one, empty.
    """
    if num_shots <= size:
        return [range(num_shots)]
    stride = max(1, math.floor(size * (1 - overlap)))
    count = math.ceil((num_shots - size) / stride) + 1
    starts = np.linspace(0, num_shots - size, count).astype(int)
    return [range(start, start + size) for start in starts.tolist()]


def most_central(num_shots: int, windows: list[Window]) -> NDArray[np.intp]:
    """Return, for each shot, the index of the window in which it is farthest from either edge.

    (num_shots,). There it has the most context on its poorer side; of equals, the earlier window.
    """
    shots = np.arange(num_shots)
    starts = np.array([window.start for window in windows])[:, None]
    stops = np.array([window.stop for window in windows])[:, None]
    # Negative outside the window, so a window that lacks the shot never wins.
    distance_to_edge = np.minimum(shots - starts, stops - 1 - shots)
    windows_chosen: NDArray[np.intp] = np.argmax(distance_to_edge, axis=0)
    return windows_chosen
