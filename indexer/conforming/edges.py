"""Where pieces of a trailer meet in the dark: likeness tells nothing, how light goes does. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BLACK_FRAMES = 12
"""Black that lasts so long is from nowhere; less belongs to the fades on either side."""
BLACK_LEVEL = 3.0
"""Brightness on the mean, of 255."""
FADE_FRAMES = 6
FADED = 0.6
"""A picture next to the dark with less than this share of the light that it had a little further
away is fading."""

Span = tuple[int, int]


def black_spans(level: NDArray[np.float64], is_seen: NDArray[np.bool_]) -> list[Span]:
    """Return where a trailer is black for long. `level` (n,) is each picture's brightness."""
    return [(start, end) for start, end in runs(~is_seen & (level < BLACK_LEVEL))
            if end - start >= BLACK_FRAMES]  # fmt: skip


def edge_near(cut: int, level: NDArray[np.float64], is_seen: NDArray[np.bool_]) -> int:
    """Return the frame at which one piece ends and the next begins, if that is in the dark.

    Where only the first fades, the next begins with its light; where only the next fades, the first
    ends with its own; where both do, they meet where it is darkest. In the light a cut stays.
    """
    dark = next(((s, e) for s, e in runs(~is_seen) if s - 1 <= cut <= e + 1), None)
    if dark is None:
        return cut
    start, end = dark
    goes = start >= FADE_FRAMES and level[start - 1] < FADED * level[start - FADE_FRAMES]
    comes = end + FADE_FRAMES <= len(level) and level[end] < FADED * level[end + FADE_FRAMES - 1]
    if goes and not comes:
        return end
    if comes and not goes:
        return start
    darkest = np.flatnonzero(level[start:end] <= level[start:end].min() + 0.5)
    return start + int(darkest[len(darkest) // 2])


def runs(holds: NDArray[np.bool_]) -> list[Span]:
    """Return the spans in which something holds."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], holds, [False]]).astype(np.int8)))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]
