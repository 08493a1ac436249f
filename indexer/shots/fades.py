"""Fades: shots that end in, or begin from, a picture of nothing, black or white."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.shots.jumps import FLASH_FRAMES
from indexer.shots.strip import Pictures

BLANK_CONTRAST = 0.02
BLACK, WHITE = 0.06, 0.94
"""Of a picture of nothing, 0..1: at most this much deviation, at most or at least this bright."""
LONGEST_RAMP_FRAMES = 48
STEEPEST_RAMP = 0.001
"""Brightness comes and goes by more than this from frame to frame of a fade."""
SHORTEST_RAMP_FRAMES = 3
FLASH_EDGE_FRAMES = 2
"""A flash comes and goes within so many."""
SAME_SHOT = 0.35
"""Frames on both sides of a flash differ by less than this share of what the flash differs."""


@dataclass(frozen=True)
class Fade:
    """A passage through a picture of nothing, which is `[blank, blank_end)` of `[start, end)`."""

    start: int
    blank: int
    blank_end: int
    end: int


def fades_in(pictures: Pictures) -> tuple[list[Fade], list[tuple[int, int]]]:
    """Return the fades among (n, height, width, 3) pictures, 0..1, and the flashes `[start, end)`.

    A fade goes down to nothing, or comes up from it, or both. Pictures of nothing that come and go
    at once, with the same shot before and after, are a flash.
    """
    luma = pictures.mean(axis=(1, 2, 3))
    contrast = pictures.std(axis=(1, 2, 3))
    blank = (contrast < BLANK_CONTRAST) & ((luma < BLACK) | (luma > WHITE))
    fades, flashes = [], []
    for start, end in _runs(blank):
        down, up = _ramp(luma, start, -1), _ramp(luma, end - 1, 1)
        fade = Fade(start - down, start, end, end + up)
        if end - start <= FLASH_FRAMES and _is_flash(pictures, fade):
            flashes.append((max(0, fade.start - 1), fade.end + 1))
        else:
            fades.append(fade)
    return fades, flashes


def _ramp(luma: NDArray[np.float32], edge: int, way: int) -> int:
    """Return over how many frames the picture goes away from (-1) or comes to (1) the edge."""
    away = 1 if luma[edge] < (BLACK + WHITE) / 2 else -1
    frame, length = edge, 0
    while 0 <= frame + way < len(luma) and length < LONGEST_RAMP_FRAMES:
        if away * (luma[frame + way] - luma[frame]) <= STEEPEST_RAMP:
            break
        frame, length = frame + way, length + 1
    return length


def _is_flash(pictures: Pictures, fade: Fade) -> bool:
    """Whether the same shot is there before and after: just outside the fade, or nearer still."""
    blank = pictures[fade.blank]
    near = (fade.blank - 1 - FLASH_EDGE_FRAMES, fade.blank_end + FLASH_EDGE_FRAMES)
    for first, last in ((fade.start - 1, fade.end), near):
        if first < 0 or last >= len(pictures) or last - first > 2 * FLASH_FRAMES:
            continue
        before, after = pictures[first], pictures[last]
        if float(np.abs(after - before).mean()) < SAME_SHOT * float(np.abs(blank - before).mean()):
            return True
    return False


def _runs(marks: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return the half-open runs of marked places."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], marks, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]
