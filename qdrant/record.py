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
    dialogue: str  # what is said during the shot; becomes the sparse `line`
    payload: Mapping[str, Any]  # JSON values only

    def point_id(self, version: str) -> str:
        """Return the point's id: uuid5 of title, model version, generation and shot."""
        name = f"{self.title_id}/{version}/{self.generation}/{self.shot}"
        return str(uuid.uuid5(POINT_NAMESPACE, name))
