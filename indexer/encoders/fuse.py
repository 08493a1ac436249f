"""Three vectors a shot made into one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from indexer.encoders.protocol import Vectors, unit


def fuse(parts: Sequence[Vectors]) -> Vectors:
    """Return (num_shots, sum of dims) float32 unit vectors: the parts side by side.

    Each part is (num_shots, dim), its rows unit length or zero where the shot lacks that modality;
    a shot that lacks all of them stays zero. The published recipe puts zeros there too. Raises
    ValueError where the parts do not have the same number of shots.
    """
    return unit(np.concatenate(list(parts), axis=1))
