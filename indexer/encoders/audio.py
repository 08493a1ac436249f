"""Sound: wav2vec 2.0 over a shot's samples (Baevski et al., arXiv 2006.11477)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from indexer.encoders.kinds import version_of
from indexer.encoders.protocol import Sound, Vectors, unit
from indexer.encoders.weights import from_hub, missing_on_disk, pick_device
from indexer.profiles.parse import EncoderSpec

SAMPLE_RATE_HZ = 16_000
WINDOW_SAMPLES = 30 * SAMPLE_RATE_HZ
"""Memory grows with the square of a window's length; the model was trained on at most 15 s."""
RECEPTIVE_FIELD_SAMPLES = 400
"""One step of its convolutions: less sound than this gives none."""
VARIANCE_FLOOR = 1e-7
"""As in the library's own feature extractor."""
WEIGHT_FILES = ("model.safetensors", "pytorch_model.bin")


class Wav2Vec2Sound:
    """A shot's sound as one unit vector: the mean over time of the last layer.

    Windows go through the model one at a time. The base model has no attention mask (its group
    norm sees the padding), so a padded batch would change every vector in it.
    """

    def __init__(self, spec: EncoderSpec, *, device: str) -> None:
        self.name = str(spec.settings["model"])
        self.version = version_of(spec.kind, spec.settings)
        self._device = pick_device(device)
        with from_hub(self.name):
            from transformers import Wav2Vec2Model

            here_only = Path(self.name).is_dir()
            model: Any = Wav2Vec2Model.from_pretrained(self.name, local_files_only=here_only)
            self._model = model.float().to(self._device).eval().requires_grad_(False)
        self.dim = int(model.config.hidden_size)

    @staticmethod
    def obstacle(spec: EncoderSpec) -> str | None:
        """Return why it cannot load without network, or None. Loads nothing."""
        return missing_on_disk(spec.settings["model"], files=WEIGHT_FILES)

    def encode(self, items: Sequence[Sound | None]) -> Vectors:
        """Return (num_shots, dim) float32 unit vectors; zeros for a shot without samples."""
        vectors = np.zeros((len(items), self.dim), np.float32)
        for shot, samples in enumerate(items):
            if samples is not None and len(samples):
                windows = windows_of(samples, at_least=RECEPTIVE_FIELD_SAMPLES)
                vectors[shot] = np.mean([self._listen(window) for window in windows], axis=0)
        return unit(vectors)

    def _listen(self, window: Sound) -> Vectors:
        import torch

        level = (window - window.mean()) / np.sqrt(window.var() + VARIANCE_FLOOR)
        with torch.inference_mode():
            heard = self._model(torch.from_numpy(level[None]).to(self._device)).last_hidden_state
        mean: Vectors = heard[0].mean(0).float().cpu().numpy()
        return mean


def windows_of(samples: Sound, *, at_least: int) -> Iterator[Sound]:
    """Yield the samples in windows of equal length, half a minute at most, short ones padded.

    Equal, so that a mean over windows is a mean over time.
    """
    num_windows = -(-len(samples) // WINDOW_SAMPLES)
    for window in np.array_split(np.asarray(samples, np.float32), num_windows):
        yield np.pad(window, (0, max(0, at_least - len(window))))
