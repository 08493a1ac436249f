"""Which of many lines holds at each frame of a trailer, or none: the best way through. Pure.

Viterbi's algorithm (Error Bounds for Convolutional Codes, 1967): each frame earns what the line is
more alike than chance makes, each change of line costs the same, and frames that show nothing earn
nothing, so that a fade stays with the piece that it ends.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NOWHERE = 0.24
"""Likeness, 0..1, at which a line is no better than none: `benchmarks/conform.py` looks at it."""
CHANGE = 1.0
"""What a change of line costs: three frames of a piece as like as any."""

NONE = -1


def labelled(alike: NDArray[np.float32], is_seen: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return (num_frames,) the line that holds at each frame; `NONE`: no line does.

    `alike` (num_lines, num_frames) is NaN where a line has left its footage; there it cannot hold.
    """
    num_lines, num_frames = alike.shape
    earned = np.where(is_seen[None], alike.astype(np.float64) - NOWHERE, 0.0)
    earned = np.where(np.isnan(alike), -np.inf, earned)
    earned = np.vstack([earned, np.zeros(num_frames)])  # the last row is no line
    came_from = np.empty((num_lines + 1, num_frames), np.int64)
    total = np.zeros(num_lines + 1)
    rows = np.arange(num_lines + 1)
    for frame in range(num_frames):
        top = int(total.argmax())
        stays = total >= total[top] - CHANGE
        came_from[:, frame] = np.where(stays, rows, top)
        total = np.where(stays, total, total[top] - CHANGE) + earned[:, frame]
    path = np.empty(num_frames, np.int64)
    at = int(total.argmax())
    for frame in reversed(range(num_frames)):
        path[frame] = at
        at = int(came_from[at, frame])
    return np.where(path == num_lines, NONE, path)
