"""A title as the context model reads it: its shots in order, and what is known of the whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.encoders.protocol import Vectors


@dataclass(frozen=True)
class TitleSequence:
    """One title's shots in the order they are seen.

    A row of `fused` holds the shot's modalities side by side, unit length together, zeros where a
    modality is missing; a row of zeros is a shot with nothing in it.
    """

    title_id: str
    fused: Vectors  # (num_shots, fused_dim) float32
    global_vector: Vectors | None = None  # (global_dim,) synopsis and tags; None: nothing known

    @property
    def num_shots(self) -> int:
        """Return how many shots the title has, empty ones too."""
        return len(self.fused)

    @property
    def filled(self) -> NDArray[np.bool_]:
        """Return which shots have anything in any modality: (num_shots,)."""
        filled: NDArray[np.bool_] = np.any(self.fused != 0, axis=-1)
        return filled

    def excerpt(self, start: int, end: int) -> TitleSequence:
        """Return shots `[start, end)` as a sequence of their own."""
        return TitleSequence(self.title_id, self.fused[start:end], self.global_vector)


def count_shots(titles: Sequence[TitleSequence]) -> int:
    """Return the shots of all titles together."""
    return sum(title.num_shots for title in titles)
