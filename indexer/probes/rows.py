"""The vectors that a probe may read, by row: one modality, all of them, or all in context."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from indexer.assembly import title_sequence
from indexer.context.config import context_dim
from indexer.encoders.protocol import Vectors, unit
from indexer.library import Library
from indexer.manifest import Manifest
from indexer.workbench import load_vectors
from qdrant.schema import AUDIO, CONTEXT, TEXT, VIDEO

Row = Literal["video", "audio", "text", "fused", "context"]
ROWS: tuple[Row, ...] = get_args(Row)
assert ROWS[:3] == (VIDEO, AUDIO, TEXT) and ROWS[4] == CONTEXT


def dim_of(library: Library, row: Row) -> int:
    """Return how many numbers a vector of this row has."""
    dims = library.profile.dims
    if row == "fused":
        return sum(dims.values())
    return context_dim(dims) if row == CONTEXT else dims[row]


def shot_vectors(library: Library, manifest: Manifest, row: Row) -> Vectors:
    """Return a title's shots in a row: (num_shots, dim) float32, unit length, or zero: missing."""
    if row == "fused":
        return title_sequence(
            library, manifest.title_id, manifest.spaces, num_shots=manifest.num_shots
        ).fused
    if row not in manifest.spaces:
        return np.zeros((manifest.num_shots, dim_of(library, row)), np.float32)
    stored = load_vectors(library.folder(manifest.title_id) / manifest.spaces[row])["shots"]
    return stored[: manifest.num_shots]


def span_vectors(
    shots: Vectors, bounds: NDArray[np.int64], spans: Sequence[tuple[int, int]]
) -> Vectors:
    """Return the vector of each span of frames, in context: (num_spans, dim), unit length.

    `shots` (num_shots, dim) are of the whole title, `bounds` (num_shots, 2) their first frame and
    the one after their last. A span is the mean of the shots it touches, weighed by how many of
    their frames are its own; beyond the title it is zero.
    """
    starts, ends = np.array(spans, np.int64).reshape(-1, 2).T
    within = np.minimum(ends[:, None], bounds[:, 1]) - np.maximum(starts[:, None], bounds[:, 0])
    weights = np.maximum(within, 0).astype(np.float32)
    return unit(weights @ shots)
