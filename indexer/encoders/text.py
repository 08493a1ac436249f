"""Words: a sentence encoder from the hub, or from a folder, run on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from indexer.encoders.kinds import version_of
from indexer.encoders.pace import paced
from indexer.encoders.pooling import PooledTransformer, with_words
from indexer.encoders.protocol import Vectors
from indexer.encoders.weights import from_hub, missing_on_disk, pick_device
from indexer.profiles.parse import EncoderSpec

DEFAULT_MAX_TOKENS = 512
WEIGHT_FILES = ("model.safetensors", "pytorch_model.bin")


class SentenceText:
    """Dialogue and questions as unit vectors, each with the prefix its model was trained with.

    E5 wants "query: " and "passage: " (Wang et al., "Multilingual E5", arXiv 2402.05672).
    """

    def __init__(self, spec: EncoderSpec, *, device: str) -> None:
        settings = spec.settings
        self.name = str(settings["model"])
        self.version = version_of(spec.kind, settings)
        self._query_prefix = settings.get("query_prefix", "")
        self._passage_prefix = settings.get("passage_prefix", "")
        max_tokens = settings.get("max_tokens", DEFAULT_MAX_TOKENS)
        folder = Path(self.name)
        with from_hub(self.name):
            self._model = PooledTransformer(
                folder if folder.is_dir() else self.name,
                device=pick_device(device),
                max_tokens=max_tokens,
                precision=settings.get("precision", "auto"),
            )
        self.dim = self._model.dim

    @staticmethod
    def obstacle(spec: EncoderSpec) -> str | None:
        """Return why it cannot load without network, or None. Loads nothing."""
        return missing_on_disk(spec.settings["model"], files=WEIGHT_FILES)

    @paced
    def encode(self, items: Sequence[str | None]) -> Vectors:
        """Return (num_items, dim) float32 unit vectors; zeros where nothing is said."""
        return self._encode(items, prefix=self._passage_prefix)

    def encode_words(self, words: Sequence[str]) -> Vectors:
        """Return (num_queries, dim) float32 unit vectors."""
        return self._encode(words, prefix=self._query_prefix)

    def _encode(self, items: Sequence[str | None], *, prefix: str) -> Vectors:
        vectors = np.zeros((len(items), self.dim), np.float32)
        spoken = with_words(items)
        vectors[spoken] = self._model.encode([f"{prefix}{items[place]}" for place in spoken])
        return vectors
