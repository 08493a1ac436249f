"""How sure one may be of a tag that words alone speak for. Pure.

Two things must come together: what a search would call evidence, above the profile's confidence
floor, so that an entry which nothing here shows is given to nothing; and that the shot stands out
with it, among the library's shots and among what else could be said of the shot. Words alone are
never quite sure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SUREST = 0.9
"""The confidence that words alone can reach."""
CLEAR = 0.5
"""The evidence from which on an answer counts as clear: a search's clearest lie above it."""
STANDS_OUT = 1.5
"""How many widths above the middle a shot half stands out; a tenth of all shots would, were they
spread as a bell."""
BLUR = 0.5
"""Over how many widths that goes from hardly (.27) to rather (.73)."""
ALIKE_SHOTS = 20
"""A library counts for an entry's own distribution as its shots do beside so many of any entry's:
three shots cannot tell what is usual."""
NORMAL_MAD = 1.4826
"""A bell's standard deviation in median absolute deviations."""
LEAST_WIDTH = 0.02
"""Of a band: levels that are all the same have no width to divide by."""


@dataclass(frozen=True)
class Usual:
    """What level entries usually reach among the shots of a library."""

    middle: Floats  # (num_entries,)
    width: Floats  # (num_entries,)


def usual_of(levels: Floats) -> Usual:
    """Return what is usual of `levels` (num_shots, num_entries), NaN where a shot has none.

    Median and median absolute deviation of each entry, drawn to those of all entries together
    where shots are few.
    """
    middle, width = _spread(levels, axis=0)
    all_middle, all_width = _spread(levels.reshape(-1, 1), axis=0)
    shots = np.isfinite(levels).sum(axis=0)
    own = shots / (shots + ALIKE_SHOTS)
    return Usual(
        middle=own * np.where(shots, middle, 0.0) + (1 - own) * all_middle,
        width=own * np.where(shots, width, 0.0) + (1 - own) * all_width,
    )


def confidence_of(evidence: Floats, levels: Floats, usual: Usual, *, floor: float) -> Floats:
    """Return how sure each tag is of each shot: (num_shots, num_entries), 0 to `SUREST`.

    `evidence` is 0..1; below `floor` it is none. `levels` are similarities before they are cut to
    evidence, as shares of their band, so that they tell apart what is no evidence too; NaN, and so
    nothing is sure, where a shot cannot be asked.
    """
    among_shots = (levels - usual.middle) / np.maximum(usual.width, LEAST_WIDTH)
    middle, width = _spread(levels, axis=1)
    among_entries = (levels - middle[:, None]) / np.maximum(width, LEAST_WIDTH)[:, None]
    away = (among_shots + among_entries) / 2
    outstanding = 1 / (1 + np.exp(-(away - STANDS_OUT) / BLUR))
    clear = np.clip((evidence - floor) / (max(CLEAR, floor + LEAST_WIDTH) - floor), 0.0, 1.0)
    sure: Floats = SUREST * np.sqrt(clear * np.nan_to_num(outstanding))
    return sure


def share_between(values: Floats, start: float, full: float) -> Floats:
    """Return 0 at `start` and beyond, 1 at `full` and beyond it, and between as it lies."""
    share: Floats = np.clip((values - start) / (full - start), 0.0, 1.0)
    return share


def _spread(levels: Floats, *, axis: int) -> tuple[Floats, Floats]:
    """Return the median along an axis, and the width as a bell would have it; 0 of nothing."""
    nothing = ~np.isfinite(levels).any(axis=axis, keepdims=True)
    there = np.where(nothing, 0.0, levels)
    if not there.shape[axis]:
        empty = np.zeros(there.sum(axis=axis).shape)
        return empty, empty
    middle: Floats = np.nanmedian(there, axis=axis)
    off = np.abs(there - np.expand_dims(middle, axis))
    return middle, NORMAL_MAD * np.nanmedian(off, axis=axis)
