"""One shot on its way into the store."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]

POINT_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "points.trimbin")


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
        """Return the point's id: uuid5 of title, model version, generation and shot.

        With `library_id`, the id in a store that several libraries may share.
        """
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
    """Return the uuid5 under which a shot is stored.

    Two libraries may hold the same film in one collection: their points differ by `library_id`.
    """
    owner = f"{library_id}/" if library_id else ""
    return str(uuid.uuid5(POINT_NAMESPACE, f"{owner}{title_id}/{version}/{generation}/{shot}"))


def registry_id(library_id: str) -> str:
    """Return the uuid5 of the point that holds a library's registry of generations."""
    return str(uuid.uuid5(POINT_NAMESPACE, f"registry/{library_id}"))
