"""One shot on its way into the store."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]

POINT_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "points.trimbin")
SPREAD = 0x9E3779B1
"""An odd number near 2**32 / golden ratio: its multiples lie evenly (Knuth, The Art of Computer
Programming, vol. 3, section 6.4)."""


@dataclass(frozen=True)
class ShotRecord:
    """A shot's vectors, its words and everything that can be filtered or shown.

    `vectors` holds only the spaces the shot has: a missing modality is left out, because a
    stored zero would score 0 and outrank every negative cosine.
    """

    title_id: str
    generation: str
    shot: int
    vectors: Mapping[str, Vector]  # space -> (dim,) float32, unit length
    words: str  # what is said, told and written in the shot; becomes the sparse `line`
    payload: Mapping[str, Any]  # JSON values only

    def point_id(self, version: str, *, library_id: str = "") -> str:
        """Return the point's id; with `library_id`, in a store that several libraries share."""
        return point_id(
            self.title_id,
            generation=self.generation,
            shot=self.shot,
            version=version,
            library_id=library_id,
        )


def point_id(
    title_id: str, *, generation: str, shot: int, version: str, library_id: str = ""
) -> str:
    """Return the UUID under which a shot is stored: 32 bits say where it stands, 90 in which title.

    A shot's neighbours are thus known by its id alone (`neighbour`). In the order of ids the shots
    of all titles are mixed, and each title's lie evenly: whatever begins a list is a fair sample.
    Two libraries may hold the same film in one collection: their points differ by `library_id`.
    """
    title = _of_title(title_id, generation, version, library_id)
    return neighbour(title[-8:] + title, shot)


def neighbour(point_id: str, step: int) -> str:
    """Return the id of the shot so many after that with this id in its title, or before it."""
    return f"{(int(point_id[:8], 16) + step * SPREAD) % 2**32:08x}{point_id[8:]}"


def steps_within(reach: int) -> list[int]:
    """Return how many shots on or back one may go, the nearest first."""
    return [step for far in range(1, reach + 1) for step in (-far, far)]


def near_pairs(point_ids: Sequence[str], reach: int) -> NDArray[np.intp]:
    """Return (num_pairs, 2): the rows of those at most so many apart, the nearest first."""
    titles: dict[str, int] = {}
    title = np.array([titles.setdefault(id_[8:], len(titles)) for id_ in point_ids], np.int64)
    place = np.array([int(id_[:8], 16) for id_ in point_ids], np.int64)
    order = np.argsort(title << 32 | place)
    there = (title << 32 | place)[order]
    pairs = [np.empty((0, 2), np.intp)]
    for step in steps_within(reach):
        wanted = title << 32 | (place + step * SPREAD) % 2**32
        at = np.searchsorted(there, wanted).clip(max=max(len(there) - 1, 0))
        found = np.flatnonzero(there[at] == wanted)
        pairs.append(np.stack([found, order[at[found]]], axis=1))
    return np.concatenate(pairs)


@lru_cache(maxsize=1024)
def _of_title(title_id: str, generation: str, version: str, library_id: str) -> str:
    """Return all of an id but its first eight digits: a hash in the form of RFC 9562's UUIDv8."""
    owner = f"{library_id}/" if library_id else ""
    told = str(uuid.uuid5(POINT_NAMESPACE, f"{owner}{title_id}/{version}/{generation}"))
    return f"{told[8:14]}8{told[15:]}"


def registry_id(library_id: str) -> str:
    """Return the uuid5 of the point that holds a library's registry of generations."""
    return str(uuid.uuid5(POINT_NAMESPACE, f"registry/{library_id}"))
