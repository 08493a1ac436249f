"""What it is worth to take a shot of a clip for one of a title. Pure.

The unit is a nat: `-log(1 - evidence)`, summed over the spaces that both shots have, as evidence
adds up in a search. A space that one of them lacks says nothing, and neither does one in which
they differ: a trailer has other music, a version another language.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from indexer.aligning.shots import ShotRow
from indexer.encoders.protocol import Vectors, unit
from qdrant.calibration import Calibration
from qdrant.errors import UsageError

LONGEST_BLOCK = 3
"""So many shots of a title may be one in the clip, whose detector overlooked the cuts."""
SPEEDS = (0.5, 2.0)
"""A clip's shot made of several lasts between so many times as long as they do: with the pictures
alone, two shots one after the other would be like all that one of them is like."""

Worth = NDArray[np.float32]
"""(num_blocks, num_clip_shots, num_title_shots) nats; [k, i, j] is of the clip's shot i for the
title's shots `[j, j + k + 1)`; -inf where it cannot be."""


def worth_of(clip: ShotRow, title: ShotRow, bands: Mapping[str, Calibration]) -> Worth:
    """Return what each pair is worth, from 0 up.

    `bands` say what a cosine is worth in each space. Raises `UsageError` where both sides have a
    space that has none, or whose vectors differ in length.
    """
    blocks = min(LONGEST_BLOCK, len(title))
    worth = np.full((blocks, len(clip), len(title)), -np.inf, np.float32)
    for k in range(blocks):
        num_starts = len(title) - k
        worth[k, :, :num_starts] = 0.0
        for space in clip.vectors.keys() & title.vectors.keys():
            rows = _in_blocks(title.vectors[space], title.seconds, k + 1)
            worth[k, :, :num_starts] += _nats(clip.vectors[space], rows, space, bands)
        if k:
            lasting = title.end_s[k:] - title.start_s[:num_starts]
            speed = clip.seconds[:, None] / lasting[None]
            possible = (speed >= SPEEDS[0]) & (speed <= SPEEDS[1])
            worth[k, :, :num_starts][~possible] = -np.inf
    return worth


def _in_blocks(rows: Vectors, seconds: NDArray[np.float64], length: int) -> Vectors:
    """Return the vectors of shots taken together, `length` at a time: as if there were no cut."""
    if length == 1:
        return rows
    weighed = rows * seconds[:, None].astype(np.float32)
    num_starts = len(rows) - length + 1
    return unit(np.sum([weighed[k : k + num_starts] for k in range(length)], axis=0))


def _nats(
    asked: Vectors, rows: Vectors, space: str, bands: Mapping[str, Calibration]
) -> NDArray[np.float32]:
    if space not in bands:
        raise UsageError(f"There is no calibration for `{space}`; give it a floor and a ceiling.")
    if asked.shape[1] != rows.shape[1]:
        raise UsageError(
            f"The clip's {space} vectors have {asked.shape[1]} numbers, the title's "
            f"{rows.shape[1]}; encode the clip with the library's own profile."
        )
    band = bands[space]
    share = asked @ rows.T
    share -= np.float32(band.floor)
    share /= np.float32(band.ceiling - band.floor)
    np.clip(share, 0.0, 1.0, out=share)
    share *= np.float32(-band.weight)
    np.log1p(share, out=share)
    there = np.logical_and.outer(asked.any(axis=1), rows.any(axis=1))
    return np.where(there, -share, np.float32(0.0))


def likeness_of(
    clip: ShotRow, title: ShotRow, bands: Mapping[str, Calibration]
) -> NDArray[np.float32]:
    """Return (num_clip_shots,) 0..1: the evidence for the title's shot that is most like each.

    Raises as `worth_of` does.
    """
    worth = np.zeros((len(clip), len(title)), np.float32)
    for space in clip.vectors.keys() & title.vectors.keys():
        worth += _nats(clip.vectors[space], title.vectors[space], space, bands)
    return np.asarray(-np.expm1(-worth.max(axis=1, initial=0.0)))
