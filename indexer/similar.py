"""Titles that are alike as wholes, by what the context model sums each of them up as."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from safetensors import SafetensorError, safe_open

from indexer.encoders.protocol import Vectors, unit
from indexer.library import Library
from indexer.manifest import Manifest
from qdrant.schema import CONTEXT

FEWEST = 3
"""Titles from which on one can tell what all have in common, which is taken away first."""


@dataclass(frozen=True)
class SimilarTitle:
    """A title beside another one."""

    manifest: Manifest
    likeness: float  # cosine, -1..1: 0 is as alike as titles of this library are on average


def similar_titles(library: Library, title_id: str, *, top: int = 6) -> list[SimilarTitle]:
    """Return the titles most like this one, best first; none where it has no title vector.

    Compared are [CLS] vectors, the mean of the library's taken away from each where there are
    three or more: alike is what differs from the other titles in the same way.
    """
    manifests = [m for m in library.in_use() if CONTEXT in m.spaces]
    asked = next((m for m in manifests if m.title_id == title_id), None)
    if asked is None:
        return []
    of_one_model = [m for m in manifests if m.checkpoint == asked.checkpoint]
    read = [(m, vector) for m in of_one_model if (vector := _title_vector(library, m)) is not None]
    if all(m.title_id != title_id for m, _ in read):
        return []
    vectors = np.stack([vector for _, vector in read])
    if len(read) >= FEWEST:
        vectors = unit(vectors - vectors.mean(axis=0))
    here = next(n for n, (m, _) in enumerate(read) if m.title_id == title_id)
    cosines = vectors @ vectors[here]
    order = [n for n in np.argsort(-cosines, kind="stable").tolist() if n != here]
    return [SimilarTitle(read[n][0], float(cosines[n])) for n in order[:top]]


def _title_vector(library: Library, manifest: Manifest) -> Vectors | None:
    """Return a title's own vector, (hidden,) float32; None where it cannot be read."""
    path = library.folder(manifest.title_id) / manifest.spaces[CONTEXT]
    try:
        with safe_open(path, framework="numpy") as stored:
            vector: Vectors = np.asarray(stored.get_tensor("title"), np.float32)[0]
            return vector
    except (OSError, SafetensorError, IndexError):
        return None
