"""What an encoder is: one protocol for frames, sound and words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Frames = NDArray[np.uint8]
"""A shot's sampled frames: (num_frames, height, width, 3) RGB."""

Sound = NDArray[np.float32]
"""A shot's sound: (num_samples,) mono at 16 kHz, -1..1."""

Vectors = NDArray[np.float32]

ItemT = TypeVar("ItemT", contravariant=True)


class Encoder(Protocol[ItemT]):
    """Turns shots into vectors of one space.

    `encode` returns (num_items, dim) float32, each row unit length, in the order given; a None
    item, or one with nothing in it, gives a row of zeros. One by one or in a batch, the same.
    """

    name: str  # for people: "open_clip ViT-L-14 datacomp_xl_s13b_b90k"
    version: str  # changes whenever the vectors would: names files and stages
    dim: int

    def encode(self, items: Sequence[ItemT | None]) -> Vectors:
        """Return one vector an item."""
        ...


@runtime_checkable
class ReadsWords(Protocol):
    """An encoder whose space words can reach."""

    def encode_words(self, words: Sequence[str]) -> Vectors:
        """Return (num_queries, dim) float32 unit vectors of queries in this encoder's space."""
        ...


@runtime_checkable
class Priced(Protocol):
    """An encoder that somebody is paid for."""

    def estimate_cost(self, texts: Sequence[str]) -> tuple[int, float]:
        """Return (tokens, US dollars), about, that encoding these texts would cost now."""
        ...


AnyEncoder = Encoder[Any]


def unit(vectors: NDArray[Any]) -> Vectors:
    """Return the rows at unit length, float32; a zero row stays zero."""
    rows = np.asarray(vectors, dtype=np.float32)
    norms = np.linalg.norm(rows, axis=-1, keepdims=True)
    long_enough = norms > 1e-12
    return np.asarray(np.divide(rows, norms, out=np.zeros_like(rows), where=long_enough))
