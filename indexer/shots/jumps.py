"""Where one frame differs much from the one before: cuts, and what may be one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SMALLEST_JUMP = 0.05
"""Mean difference of two pictures, 0..1, below which nothing is cut at once."""
SMALLEST_STANDING = 2.5
SURE_JUMP, SURE_STANDING = 0.09, 8.0
"""All three measured on edited reels and on Big Buck Bunny: above, cuts alone were found; below,
none."""
AROUND_FRAMES = 4
AT_REST = 0.004
"""Added to the change around a jump: noise and grain move as much."""

FLASH_FRAMES = 9
RETURNED = 0.35
"""A picture has come back when it differs from what it was by less than this share of the jump."""


@dataclass(frozen=True)
class Jump:
    """A frame that stands out by its difference from the one before."""

    frame: int
    size: float  # mean difference from the frame before, 0..1
    standing: float  # how many times that of the frames around
    is_sure: bool  # it is a cut; else it may be one

    @property
    def confidence(self) -> float:
        """How sure a cut is by its standing alone, 0..1."""
        return 1 - 1 / (1 + self.standing / 2)


def jumps_in(small: NDArray[np.uint8], change: NDArray[np.float32]) -> list[Jump]:
    """Return the jumps among (n, height, width, 3) pictures, in order; flashes are left out.

    `change` is (n,), of each picture from the one before.
    """
    found = []
    for frame in np.flatnonzero(_peaks(change) & (change >= SMALLEST_JUMP)).tolist():
        size = float(change[frame])
        standing = size / (_change_around(change, frame) + AT_REST)
        if standing >= SMALLEST_STANDING and not _comes_back(small, frame, size):
            is_sure = size >= SURE_JUMP and standing >= SURE_STANDING
            found.append(Jump(frame, size, standing, is_sure))
    return found


def _peaks(change: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return which frames change at least as much as both their neighbours; never the first."""
    after = np.append(change[1:], 0)
    peaks: NDArray[np.bool_] = (change >= after) & (change > np.concatenate([[0], change[:-1]]))
    peaks[:1] = False
    return peaks


def _change_around(change: NDArray[np.float32], frame: int) -> float:
    """Return the mean change of the frames around, the largest left out: a cut may be near."""
    before = change[max(1, frame - AROUND_FRAMES) : frame]
    around = np.sort(np.concatenate([before, change[frame + 1 : frame + 1 + AROUND_FRAMES]]))
    return float(around[:-1].mean()) if len(around) > 1 else 0.0


def _comes_back(small: NDArray[np.uint8], frame: int, size: float) -> bool:
    """Whether a picture from before the jump is there again soon after it: a flash, no cut."""
    first = max(0, frame - FLASH_FRAMES + 1)
    pictures = small[first : frame + FLASH_FRAMES].astype(np.float32) / 255
    for before in range(frame - first):
        after = pictures[frame - first : before + FLASH_FRAMES + 1]
        apart = np.abs(after - pictures[before]).reshape(len(after), -1).mean(axis=1)
        if len(after) and float(apart.min()) < RETURNED * size:
            return True
    return False
