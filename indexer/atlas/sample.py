"""Which shots stand on the map, and their vectors, read from the title folders alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from indexer.context.config import context_dim
from indexer.encoders.fuse import fuse
from indexer.encoders.protocol import Vectors
from indexer.library import Library
from indexer.manifest import Manifest
from indexer.progress import Progress, silent
from indexer.workbench import load_vectors
from qdrant.schema import AUDIO, CONTEXT, TEXT, VIDEO
from qdrant.wording import words_told

MAX_SHOTS = 20_000
"""Shots on a map; of a larger library every second, third, n-th shot of each title."""
FUSED = "fused"
"""What shots are compared by where the library has no context yet."""
Numbers: TypeAlias = NDArray[np.int32]


@dataclass(frozen=True)
class Sample:
    """Shots that stand on a map, title after title."""

    title_ids: tuple[str, ...]  # in the order of `title`
    title: Numbers  # (num_shots,) which of `title_ids`
    shot: Numbers  # (num_shots,) the shot's number in its title
    vectors: Vectors  # (num_shots, dim) float32, unit length; zeros for a shot with nothing in it
    words: tuple[str, ...]  # what is said, told and written in each


def space_of(library: Library, titles: Sequence[Manifest]) -> str:
    """Return what shots are compared by: context where every title has it, else fused vectors."""
    return CONTEXT if titles and all(CONTEXT in m.spaces for m in titles) else FUSED


def every_nth(titles: Sequence[Manifest], *, max_shots: int = MAX_SHOTS) -> int:
    """Return which shots of a title stand on the map: every n-th, 1 for all."""
    return max(1, math.ceil(sum(manifest.num_shots for manifest in titles) / max_shots))


def sample_of(
    library: Library,
    titles: Sequence[Manifest],
    *,
    space: str,
    every: int,
    progress: Progress = silent,
) -> Sample:
    """Return every n-th shot of these titles, one title in memory at a time.

    A title whose folder is damaged is left out.
    """
    ids: list[str] = []
    parts: list[tuple[Numbers, Vectors, list[str]]] = []
    for done, manifest in enumerate(titles):
        progress("Reading shots", done, len(titles))
        try:
            parts.append(_shots_of(library, manifest, space=space, every=every))
        except (OSError, ValueError, KeyError, IndexError):
            continue
        ids.append(manifest.title_id)
    counts = [len(shots) for shots, _, _ in parts]
    dim = (
        sum(library.profile.dims.values()) if space == FUSED else context_dim(library.profile.dims)
    )
    return Sample(
        title_ids=tuple(ids),
        title=np.repeat(np.arange(len(ids), dtype=np.int32), counts),
        shot=np.concatenate([np.zeros(0, np.int32), *(shots for shots, _, _ in parts)]),
        vectors=np.concatenate([np.zeros((0, dim), np.float32), *(rows for _, rows, _ in parts)]),
        words=tuple(text for _, _, texts in parts for text in texts),
    )


def _shots_of(
    library: Library, manifest: Manifest, *, space: str, every: int
) -> tuple[Numbers, Vectors, list[str]]:
    shots = np.arange(0, manifest.num_shots, every, dtype=np.int32)
    folder = library.folder(manifest.title_id)
    if space == CONTEXT:
        rows = load_vectors(folder / manifest.spaces[CONTEXT])["shots"][shots]
        if rows.shape[1] != context_dim(library.profile.dims):
            raise ValueError("its contextual vectors are of an earlier Trimbin")
    else:
        rows = _fused(library, manifest)[shots]
    table = library.shots(manifest.title_id).iloc[shots].to_dict("records")
    return shots, rows, [_words({str(k): v for k, v in row.items()}) for row in table]


def _fused(library: Library, manifest: Manifest) -> Vectors:
    folder, dims = library.folder(manifest.title_id), library.profile.dims
    parts = [
        load_vectors(folder / manifest.spaces[space])["shots"][: manifest.num_shots]
        if space in manifest.spaces
        else np.zeros((manifest.num_shots, dims[space]), np.float32)
        for space in (VIDEO, AUDIO, TEXT)
        if space in dims
    ]
    return fuse(parts)


def _words(row: Mapping[str, object]) -> str:
    sounds = row.get("sounds")
    listed = list(sounds) if isinstance(sounds, list | np.ndarray) else []
    return words_told({**row, "sounds": listed})
