"""Dissolves and wipes: frames that are partly the shot before and partly the one after.

Halfway through a dissolve every place is the mean of what stood there before and what will; halfway
through a wipe every place is one or the other, and their share grows. A cut, a pan and a moving
thing are neither. Looked for at four lengths, each with the frames at its quarters as witnesses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from indexer.shots.strip import Pictures

LENGTHS = (8, 16, 32, 48)
"""Frames from the picture before to the picture after."""
REACH_FRAMES = max(LENGTHS) // 2

LEAST_DIFFERENCE = 0.07
"""Mean difference of the two pictures, 0..1: less, and it is one shot."""
WORST_MIXTURE = 0.33
"""How far, of their difference, frames may be from the mixture of the two that they should be."""
WORST_DIVISION = 0.28
"""How far from one or the other, likewise."""
LEAST_STRENGTH = {"dissolve": 0.03, "wipe": 0.08}
SHORTEST = {"dissolve": 8, "wipe": 16}
"""A wipe looked for in eight frames is a whip pan more often than not; short ones fill sixteen."""
MIDDLE = (0.25, 0.75)
"""The share of the new picture halfway through a wipe."""
CHANGED = 0.08
LEAST_CHANGED = {"dissolve": 0.4, "wipe": 0.6}
"""Transitions replace most of the picture: a title that comes up, a thing that moves do not."""
STEP = 0.05
"""A wipe's share grows at least so much between its witnesses."""


@dataclass(frozen=True)
class Mixture:
    """The middle of a dissolve or a wipe."""

    frame: int
    kind: Literal["dissolve", "wipe"]
    length: int  # frames, about
    strength: float  # larger is clearer

    @property
    def confidence(self) -> float:
        """How sure it is, 0..1."""
        return min(1.0, 0.5 + 2 * self.strength)


def mixtures_in(pictures: Pictures, cuts: Sequence[int]) -> list[Mixture]:
    """Return the dissolves and wipes among (n, height, width, 3) pictures, 0..1, in order.

    None has one of the `cuts` inside it. Where two would overlap, the clearer one stays.
    """
    joints = np.zeros(len(pictures) + 1, np.int64)
    joints[list(cuts)] = 1
    num_joints = np.cumsum(joints)
    found = [m for length in LENGTHS for m in _of_length(pictures, length, num_joints)]
    return sorted(
        (m for m in found if not any(_beats(other, m) for other in found)), key=lambda m: m.frame
    )


def _beats(one: Mixture, other: Mixture) -> bool:
    near = abs(one.frame - other.frame) < (one.length + other.length) / 2
    return near and (one.strength, -one.frame) > (other.strength, -other.frame)


def _of_length(pictures: Pictures, length: int, num_joints: NDArray[np.int64]) -> list[Mixture]:
    half, quarter = length // 2, length // 4
    middles = np.arange(half, len(pictures) - half)
    if not len(middles):
        return []
    apart = _mean(np.abs(pictures[: -2 * half] - pictures[2 * half :]))
    uncut = num_joints[middles + half] == num_joints[middles - half]
    middles = middles[uncut & (apart >= LEAST_DIFFERENCE)]
    before, after = pictures[middles - half], pictures[middles + half]
    early, middle, late = (pictures[middles + step] for step in (-quarter, 0, quarter))
    apart = _mean(np.abs(before - after))
    changed = (_by_place(before, after) > CHANGED).mean(axis=(1, 2))
    mixed = 1 - _unlike_mixture(before, early, middle, late, after) / apart / WORST_MIXTURE
    divided = _division(before, early, middle, late, after, apart)
    found = []
    for kind, fit in (("dissolve", mixed), ("wipe", divided)):
        if length < SHORTEST[kind]:
            continue
        strengths = apart * fit * (changed >= LEAST_CHANGED[kind])
        for place in np.flatnonzero(strengths >= LEAST_STRENGTH[kind]).tolist():
            strength = float(strengths[place])
            found.append(Mixture(int(middles[place]), kind, length, strength))  # type: ignore[arg-type]
    return found


def _unlike_mixture(
    before: Pictures, early: Pictures, middle: Pictures, late: Pictures, after: Pictures
) -> NDArray[np.float32]:
    """Return how far the three witnesses are from the mixtures they would be in a dissolve."""
    at_middle = _mean(np.abs(middle - (before + after) / 2))
    at_early = _mean(np.abs(early - (3 * before + after) / 4))
    at_late = _mean(np.abs(late - (before + 3 * after) / 4))
    return np.maximum(at_middle, np.maximum(at_early, at_late))


def _division(
    before: Pictures,
    early: Pictures,
    middle: Pictures,
    late: Pictures,
    after: Pictures,
    apart: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Return how well the middle is divided between the two, 0..1; 0 where it is no wipe."""
    changed = _by_place(before, after) > CHANGED
    num_changed = changed.sum(axis=(1, 2)) + 1

    def share(witness: Pictures) -> NDArray[np.float32]:
        new = _by_place(witness, after) < _by_place(witness, before)
        return np.asarray((new & changed).sum(axis=(1, 2)) / num_changed, np.float32)

    unlike = (
        np.minimum(_by_place(middle, before), _by_place(middle, after)).mean(axis=(1, 2)) / apart
    )
    first, half, last = share(early), share(middle), share(late)
    is_wipe = (
        (MIDDLE[0] <= half) & (half <= MIDDLE[1])
        & (first + STEP <= half) & (half + STEP <= last)
    )  # fmt: skip
    return np.where(is_wipe, 1 - unlike / WORST_DIVISION, 0).astype(np.float32)


def _by_place(one: Pictures, other: Pictures) -> NDArray[np.float32]:
    """Return how far pictures are apart at each place, (n, height, width).

    The colours are added up one by one: numpy's own mean over so few takes four times as long.
    """
    red, green, blue = np.moveaxis(np.abs(one - other), -1, 0)
    return np.asarray((red + green + blue) / 3, np.float32)


def _mean(pictures: Pictures) -> NDArray[np.float32]:
    return np.asarray(pictures.mean(axis=(1, 2, 3)), np.float32)
