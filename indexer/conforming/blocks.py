"""How alike two small pictures are, whatever was done to their light and laid over them. Pure.

Each picture is cut into blocks, and of each block what is left when a slope is taken from it is
made of unit length: gain, offset, tint, fades and vignettes go, and skies say little. Likeness is
the mean over blocks of their correlation, none below 0, so that a title costs the blocks it covers
and no more; blocks with nothing in them say nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ROWS, COLUMNS = 3, 6
BLOCK_HEIGHT, BLOCK_WIDTH = 9, 8
HEIGHT, WIDTH = ROWS * BLOCK_HEIGHT, COLUMNS * BLOCK_WIDTH
"""27 x 48: as many pixels as cuts are found with."""
FULL_SPREAD = 6.0
"""Standard deviation, of 255, from which on a block counts whole."""
FLAT_SPREAD = 1.0
"""Below it a block is nothing but noise."""
LAID_OVER = 0.5
"""What a block counts in which the trailer alone shows something: a title, or another picture."""
FEW = 1.5
"""Blocks that are counted as unlike whatever is seen: two words that match are no picture."""
DARK_SPREAD = 2.0
"""A picture that varies less shows nothing that could be compared."""

Floats = NDArray[np.float32]


def _slopes() -> Floats:
    """Return (3, 72) what a block is made of that only grows evenly across or down; unit length."""
    down, across = np.mgrid[0:BLOCK_HEIGHT, 0:BLOCK_WIDTH].reshape(2, -1).astype(np.float32)
    parts = [np.ones_like(down), down - down.mean(), across - across.mean()]
    return np.stack([part / np.linalg.norm(part) for part in parts])


SLOPES = _slopes()


@dataclass(frozen=True)
class Blocks:
    """Pictures as blocks, n of them."""

    levelled: Floats  # (n, 18, 72) no slope, unit length; zeros where flat
    weight: Floats  # (n, 18) 0..1, how much there is to see in each

    def __len__(self) -> int:
        return len(self.levelled)

    def __getitem__(self, which: slice | NDArray[np.int64]) -> Blocks:
        return Blocks(self.levelled[which], self.weight[which])


def blocks_of(pictures: NDArray[np.uint8]) -> Blocks:
    """Return pictures of (n, 27, 48) as blocks."""
    shape = (-1, ROWS, BLOCK_HEIGHT, COLUMNS, BLOCK_WIDTH)
    apart = pictures.reshape(shape).transpose(0, 1, 3, 2, 4).astype(np.float32)
    cut = apart.reshape(len(pictures), ROWS * COLUMNS, BLOCK_HEIGHT * BLOCK_WIDTH)
    cut -= (cut @ SLOPES.T) @ SLOPES
    length = np.linalg.norm(cut, axis=2)
    spread = length / np.sqrt(np.float32(cut.shape[2]))
    is_flat = spread < FLAT_SPREAD
    cut /= np.where(is_flat, 1.0, length)[:, :, None]
    cut[is_flat] = 0.0
    weight = np.where(is_flat, 0.0, np.minimum(spread / FULL_SPREAD, 1.0))
    return Blocks(cut, weight.astype(np.float32))


def likeness(clip: Blocks, film: Blocks) -> Floats:
    """Return (len(clip), len(film)) 0..1: each picture against each."""
    alike = np.zeros((len(clip), len(film)), np.float32)
    counted = np.full_like(alike, FEW)
    for block in range(ROWS * COLUMNS):
        weight = film.weight[None, :, block]
        share = clip.levelled[:, block] @ film.levelled[:, block].T
        alike += np.maximum(share, 0.0) * weight
        counted += np.maximum(weight, LAID_OVER * clip.weight[:, None, block])
    return np.asarray(alike / counted)


def likeness_in_pairs(clip: Blocks, film: Blocks) -> Floats:
    """Return (n,) 0..1: the first against the first, the second against the second."""
    share = np.einsum("nbp,nbp->nb", clip.levelled, film.levelled)
    counted = np.maximum(film.weight, LAID_OVER * clip.weight).sum(axis=1) + FEW
    return np.asarray((np.maximum(share, 0.0) * film.weight).sum(axis=1) / counted)


def shows_something(pictures: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return (n,) whether each picture shows anything that could be compared."""
    flat = pictures.reshape(len(pictures), -1).astype(np.float32)
    return np.asarray(flat.std(axis=1) > DARK_SPREAD)
