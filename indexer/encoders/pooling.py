"""Sentence vectors the usual way: a BERT-like model, the mean of its tokens, unit length."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.encoders.precision import precise_enough
from indexer.encoders.protocol import Vectors, unit
from indexer.encoders.weights import single_threaded

if TYPE_CHECKING:
    import torch

BATCH = 32
FEW_TEXTS = 4


class PooledTransformer:
    """A tokenizer and a model, with mean pooling over the tokens that are not padding.

    Reimers and Gurevych, "Sentence-BERT", arXiv 1908.10084, section 3.
    """

    def __init__(
        self,
        source: str | Path,
        *,
        device: torch.device,
        max_tokens: int,
        precision: str = "float32",
    ) -> None:
        from transformers import AutoModel, AutoTokenizer

        here_only = isinstance(source, Path)
        self._tokenizer: Any = AutoTokenizer.from_pretrained(source, local_files_only=here_only)
        model: Any = AutoModel.from_pretrained(source, local_files_only=here_only)
        self._model = model.float().to(device).eval().requires_grad_(False)
        self._device = device
        self._max_tokens = max_tokens
        self._precision = precision
        self.dim = int(model.config.hidden_size)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return (num_texts, dim) float32 unit vectors, in order; texts are cut at `max_tokens`."""
        import torch

        vectors = np.zeros((len(texts), self.dim), np.float32)
        by_length = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        threads = single_threaded() if len(texts) <= FEW_TEXTS else contextlib.nullcontext()
        exact = precise_enough(self._device, self._precision)
        with torch.inference_mode(), threads, exact:
            for start in range(0, len(by_length), BATCH):
                places = by_length[start : start + BATCH]
                tokens = self._tokenizer(
                    [texts[place] for place in places],
                    padding=True,
                    truncation=True,
                    max_length=self._max_tokens,
                    return_tensors="pt",
                ).to(self._device)
                hidden = self._model(**tokens).last_hidden_state.float()
                real = tokens["attention_mask"].unsqueeze(-1).float()
                vectors[places] = ((hidden * real).sum(1) / real.sum(1)).cpu().numpy()
        return unit(vectors)


def with_words(items: Sequence[str | None]) -> list[int]:
    """Return the places of the items that say something."""
    return [place for place, text in enumerate(items) if text and text.strip()]
