"""Pictures: any open_clip model, whose text tower lets words reach the same space."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.encoders.kinds import version_of
from indexer.encoders.protocol import Frames, Vectors, unit
from indexer.encoders.weights import (
    from_hub,
    missing_on_disk,
    pick_device,
    quietly,
    single_threaded,
)
from indexer.profiles.parse import EncoderSpec

if TYPE_CHECKING:
    import torch

BATCH_FRAMES = 32
WEIGHT_FILES = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")


class OpenClipFrames:
    """A shot's frames as one unit vector: each frame's own at unit length, then their mean.

    Mean pooling can beat learned aggregation for shots (Netflix, "Building In-Video Search").
    """

    def __init__(self, spec: EncoderSpec, *, device: str) -> None:
        model, pretrained = spec.settings["model"], spec.settings["pretrained"]
        self.name = f"open_clip {model} {pretrained}"
        self.version = version_of(spec.kind, spec.settings)
        self._device = pick_device(device)
        with from_hub(self.name):
            import open_clip

            loaded: Any = open_clip.create_model_from_pretrained(
                model, pretrained, device=self._device
            )
            self._model, self._preprocess = loaded
            self._model.eval().requires_grad_(False)
            self._tokenize: Any = open_clip.get_tokenizer(model)
        self.dim = self.encode_words(["a"]).shape[1]

    @staticmethod
    def obstacle(spec: EncoderSpec) -> str | None:
        """Return why it cannot load without network, or None. Loads no weights."""
        model, pretrained = spec.settings["model"], spec.settings["pretrained"]
        if Path(pretrained).is_file():
            return None
        repository = spec.repository or _repository(model, pretrained)
        if not repository:
            return f"open_clip knows no place on the hub for the weights of {model} {pretrained}"
        return missing_on_disk(repository, files=WEIGHT_FILES)

    def encode(self, items: Sequence[Frames | None]) -> Vectors:
        """Return (num_shots, dim) float32 unit vectors; zeros for a shot without frames."""
        sums = np.zeros((len(items), self.dim), np.float32)
        frames = ((shot, f) for shot, item in enumerate(items) if item is not None for f in item)
        while batch := list(islice(frames, BATCH_FRAMES)):
            shots = [shot for shot, _ in batch]
            np.add.at(sums, shots, self._encode_frames(frame for _, frame in batch))
        return unit(sums)

    def _encode_frames(self, frames: Iterator[Frames]) -> Vectors:
        import torch
        from PIL import Image

        pixels = torch.stack([self._preprocess(Image.fromarray(frame)) for frame in frames])
        with torch.inference_mode():
            return self._to_unit(self._model.encode_image(pixels.to(self._device)))

    def encode_words(self, words: Sequence[str]) -> Vectors:
        """Return (num_queries, dim) float32 unit vectors of the text tower."""
        import torch

        if not words:
            return np.zeros((0, self.dim), np.float32)
        with torch.inference_mode(), single_threaded():
            tokens = self._tokenize(list(words)).to(self._device)
            return self._to_unit(self._model.encode_text(tokens))

    @staticmethod
    def _to_unit(features: torch.Tensor) -> Vectors:
        return unit(features.float().cpu().numpy())


def _repository(model: str, pretrained: str) -> str:
    """Return where open_clip would fetch weights from, or "": slow, for it has to be imported."""
    with quietly():
        import open_clip

    known = open_clip.get_pretrained_cfg(model, pretrained)
    return str(known.get("hf_hub", "")).rstrip("/")
