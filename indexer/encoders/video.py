"""Pictures: any open_clip model, whose text tower lets words reach the same space."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.encoders.kinds import version_of
from indexer.encoders.pace import paced
from indexer.encoders.precision import precise_enough
from indexer.encoders.protocol import Frames, Vectors, unit
from indexer.encoders.weights import (
    from_hub,
    missing_on_disk,
    pick_device,
    quietly,
    single_threaded,
    undisturbed,
)
from indexer.profiles.parse import EncoderSpec

if TYPE_CHECKING:
    import torch

    from indexer.encoders.temporal import TemporalPool

BATCH_FRAMES = 32
WEIGHT_FILES = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")
FOLDER = "local-dir:"
"""How open_clip is told that a model lies in a folder of one's own, config, weights and all."""
CONFIG_FILE = "open_clip_config.json"
MEAN = "mean"


class OpenClipFrames:
    """A shot's frames as one unit vector: each frame's own at unit length, then their mean.

    Mean pooling can beat learned aggregation for shots (Netflix, "Building In-Video Search"). The
    setting `pool` may name the file of a temporal transformer instead, `indexer.encoders.temporal`.
    """

    def __init__(self, spec: EncoderSpec, *, device: str) -> None:
        model, pretrained = spec.settings["model"], spec.settings["pretrained"]
        self.name = f"open_clip {model} {pretrained}".strip()
        self.version = version_of(spec.kind, spec.settings)
        self._device = pick_device(device)
        self._precision = str(spec.settings.get("precision", "auto"))
        with from_hub(self.name):
            import open_clip

            loaded: Any = open_clip.create_model_from_pretrained(
                model, pretrained or None, device=self._device
            )
            self._model, self._preprocess = loaded
            self._model.eval().requires_grad_(False)
            self._tokenize: Any = open_clip.get_tokenizer(model)
        self.dim = self.encode_words(["a"]).shape[1]
        self._pool = self._load_pool(str(spec.settings.get("pool", MEAN)))

    @staticmethod
    def obstacle(spec: EncoderSpec) -> str | None:
        """Return why it cannot load without network, or None. Loads no weights."""
        model, pretrained = spec.settings["model"], spec.settings["pretrained"]
        pool = spec.settings.get("pool", MEAN)
        if pool != MEAN and not Path(pool).is_file():
            return f"the temporal pool {pool} is not there"
        if model.startswith(FOLDER):
            folder = Path(model.removeprefix(FOLDER))
            return None if (folder / CONFIG_FILE).is_file() else f"there is no model in {folder}"
        if Path(pretrained).is_file():
            return None
        repository = spec.repository or _repository(model, pretrained)
        if not repository:
            return f"open_clip knows no place on the hub for the weights of {model} {pretrained}"
        return missing_on_disk(repository, files=WEIGHT_FILES)

    @paced
    def encode(self, items: Sequence[Frames | None]) -> Vectors:
        """Return (num_shots, dim) float32 unit vectors; zeros for a shot without frames."""
        shots = {shot: item for shot, item in enumerate(items) if item is not None and len(item)}
        frames = (frame for item in shots.values() for frame in item)
        seen = self._encode_frames(frames)
        vectors = np.zeros((len(items), self.dim), np.float32)
        for shot, item in shots.items():
            vectors[shot] = self._pooled(np.stack(list(islice(seen, len(item)))))
        return unit(vectors)

    def _encode_frames(self, frames: Iterator[Frames]) -> Iterator[Vectors]:
        """Yield (dim,) unit vectors of frames, which go through the model in batches."""
        import torch
        from PIL import Image

        while batch := list(islice(frames, BATCH_FRAMES)):
            pixels = torch.stack([self._preprocess(Image.fromarray(frame)) for frame in batch])
            with torch.inference_mode(), precise_enough(self._device, self._precision):
                seen = self._to_unit(self._model.encode_image(pixels.to(self._device)))
            yield from seen

    def _pooled(self, frames: Vectors) -> Vectors:
        """Return the (dim,) vector of a shot with these (num_frames, dim) frames."""
        if self._pool is None:
            return np.asarray(frames.sum(axis=0))
        import torch

        with torch.inference_mode():
            pooled = self._pool(torch.from_numpy(frames[None]))[0]
        return np.asarray(pooled.numpy(), np.float32)

    def _load_pool(self, setting: str) -> TemporalPool | None:
        if setting == MEAN:
            return None
        from indexer.encoders.temporal import load_pool

        with undisturbed():
            return load_pool(Path(setting), dim=self.dim)

    def encode_words(self, words: Sequence[str]) -> Vectors:
        """Return (num_queries, dim) float32 unit vectors of the text tower."""
        import torch

        if not words:
            return np.zeros((0, self.dim), np.float32)
        exact = precise_enough(self._device, self._precision)
        with torch.inference_mode(), single_threaded(), exact:
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
