"""Where two pieces of a trailer are seen at once: one goes while the other comes. Pure.

Each frame around the change is taken for a mixture of what the two lines show there, and how much
of each is in it is found by least squares. Where they are crossfaded, what goes falls along a ramp
while something of what comes is there; what comes may fade in on its own besides.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from indexer.conforming.framing import as_compared
from indexer.conforming.lines import Line

LONGEST_FRAMES = 72
SHORTEST_FRAMES = 4
FITS = 0.5
"""A ramp must leave less than so much of what a plain cut leaves unexplained."""
CERTAIN = 0.6
"""And a plain cut more than this, as the sum of squared shares: else nothing needs explaining."""
BOTH = 0.08
"""So much of either must be seen at once; where one goes before the other comes, both fade."""

MIXED = 0.75
"""What both leave unexplained of pictures in the midst of a ramp, in shares of what one leaves."""

Shares = NDArray[np.float64]


def crossfade_at(
    cut: int,
    going: Line,
    coming: Line,
    clip: NDArray[np.uint8],
    *,
    between: tuple[int, int],
) -> tuple[int, int] | None:
    """Return the trailer's frames `[start, end)` in which two pieces are mixed; None: it is a cut.

    `clip` (num_frames, 27, 48) is the whole trailer, `between` where the two pieces begin and end.
    """
    start = max(between[0], cut - LONGEST_FRAMES)
    end = min(between[1], cut + LONGEST_FRAMES)
    frames = np.arange(start, end)
    inside = going.footage.holds(going.frames(frames)) & coming.footage.holds(coming.frames(frames))
    frames = frames[inside]
    if len(frames) < 2 * SHORTEST_FRAMES or not (frames[0] < cut < frames[-1]):
        return None
    shares = _shares(clip[frames], _shown(going, frames), _shown(coming, frames), frames < cut)
    if min(np.percentile(shares.min(axis=1), 99), 1.0) < BOTH:
        return None
    gone = shares[:, 0]
    hard = _left(gone, (frames >= cut).astype(np.float64))
    best, best_left = None, np.inf
    for length in range(SHORTEST_FRAMES, LONGEST_FRAMES + 1):
        for first in range(cut - length, cut + 1):
            if first < frames[0] or first + length > frames[-1] + 1:
                continue
            left = _left(gone, np.clip((frames - first) / length, 0.0, 1.0))
            if left < best_left:
                best, best_left = (first, first + length), left
    if best is None or hard <= CERTAIN or best_left >= FITS * hard:
        return None
    middle = frames[(frames >= best[0] + (best[1] - best[0]) // 4)
                    & (frames < best[1] - (best[1] - best[0]) // 4)]  # fmt: skip
    is_mixed = _is_mixed(clip[middle], _shown(going, middle), _shown(coming, middle))
    return best if is_mixed else None


def _is_mixed(clip: NDArray[np.uint8], going: NDArray[np.uint8], coming: NDArray[np.uint8]) -> bool:
    """Whether both together explain pictures far better than either does alone, fading."""
    whole, single = 0.0, 0.0
    for picture, one, other in zip(clip, going, coming, strict=True):
        target, first, second = (
            plane.ravel().astype(np.float64) - plane.mean() for plane in (picture, one, other)
        )
        whole += _unexplained(target, first, second)
        single += min(_unexplained(target, first), _unexplained(target, second))
    return whole < MIXED * single


def _unexplained(target: NDArray[np.float64], *parts: NDArray[np.float64]) -> float:
    columns = np.stack(parts, axis=1)
    shares = np.linalg.lstsq(columns, target, rcond=None)[0]
    return float(((target - columns @ shares) ** 2).sum())


def _shown(line: Line, frames: NDArray[np.int64]) -> NDArray[np.uint8]:
    pictures = line.footage.pictures[line.frames(frames) - line.footage.first_frame]
    return as_compared(pictures, line.framing)


def _shares(
    clip: NDArray[np.uint8],
    going: NDArray[np.uint8],
    coming: NDArray[np.uint8],
    is_before: NDArray[np.bool_],
) -> Shares:
    """Return (n, 2): how much of each is in each frame, in shares of what there is where alone."""
    found = np.zeros((len(clip), 2))
    for number, picture in enumerate(clip):
        mixed = [one[number].ravel().astype(np.float64) for one in (going, coming)]
        parts = np.stack([part - part.mean() for part in mixed], axis=1)
        target = picture.ravel().astype(np.float64)
        found[number] = np.linalg.lstsq(parts, target - target.mean(), rcond=None)[0]
    # A grade changes how much of a picture there is at all: taken from where it is alone.
    for side, alone in ((0, is_before), (1, ~is_before)):
        whole = np.percentile(found[alone, side], 75)
        found[:, side] /= max(float(whole), 0.05)
    return np.clip(found, -0.5, 1.5)


def _left(gone: Shares, ramp: NDArray[np.float64]) -> float:
    """Return what a ramp leaves unexplained, as the sum of squared shares."""
    return float(((gone - (1 - ramp)) ** 2).sum())
