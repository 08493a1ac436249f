"""Sound that words can name: CLAP over a shot's samples (Wu et al., arXiv 2211.06687)."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.encoders.kinds import version_of
from indexer.encoders.ordinary import SAMPLE_RATE_HZ
from indexer.encoders.pace import paced
from indexer.encoders.pooling import FEW_TEXTS
from indexer.encoders.precision import precise_enough
from indexer.encoders.protocol import Sound, Vectors, unit
from indexer.encoders.weights import (
    from_hub,
    missing_on_disk,
    pick_device,
    single_threaded,
    undisturbed,
)
from indexer.encoders.windows import overlapping
from indexer.profiles.parse import EncoderSpec

OVERLAP = 0.1
"""Share of a window: what lasts a second at most is heard whole, wherever the seam falls."""
BATCH_WINDOWS = {"cpu": 4}
BATCH_WINDOWS_ELSEWHERE = 32
"""A window costs the same whatever it holds: it is filled to the length the model takes."""
BATCH_TEXTS = 32
MAX_TOKENS = 77
"""As long as the captions it was trained with."""
WEIGHT_FILES = ("model.safetensors", "pytorch_model.bin")


class ClapSound:
    """A shot's sound as one unit vector, in a space that descriptions of sounds share.

    The model hears ten seconds at 48 kHz. A shorter shot is repeated as often as it fits, as in
    training; a longer one is heard in windows that overlap, and its vector is the mean of theirs.
    Our sound is 16 kHz and is raised to 48: what lies above 8 kHz is silent to the model, though
    it was trained on sounds up to 14 kHz; hiss, cymbals and crickets lose by it. Models with
    fusion are given one window at a time, which they take as a sound that is short enough.
    """

    def __init__(self, spec: EncoderSpec, *, device: str) -> None:
        self.name = str(spec.settings["model"])
        self.version = version_of(spec.kind, spec.settings)
        self._query_prefix = str(spec.settings.get("query_prefix", ""))
        self._precision = str(spec.settings.get("precision", "auto"))
        self._device = pick_device(device)
        with from_hub(self.name):
            from transformers import AutoTokenizer, ClapFeatureExtractor, ClapModel

            here: dict[str, Any] = {"local_files_only": Path(self.name).is_dir()}
            model: Any = ClapModel.from_pretrained(self.name, **here)
            self._model = model.float().to(self._device).eval().requires_grad_(False)
            self._tokenizer: Any = AutoTokenizer.from_pretrained(self.name, **here)
            self._extractor: Any = ClapFeatureExtractor.from_pretrained(self.name, **here)
        self.dim = int(model.config.projection_dim)
        self._num_samples = int(self._extractor.max_length_s) * SAMPLE_RATE_HZ  # in a window

    @staticmethod
    def obstacle(spec: EncoderSpec) -> str | None:
        """Return why it cannot load without network, or None. Loads nothing."""
        return missing_on_disk(spec.settings["model"], files=WEIGHT_FILES)

    @paced
    def encode(self, items: Sequence[Sound | None]) -> Vectors:
        """Return (num_shots, dim) float32 unit vectors; zeros for a shot without a sound."""
        windows = [
            (shot, samples)
            for shot, sound in enumerate(items)
            if sound is not None and sound.any()
            for samples in self._windows(sound)
        ]
        sums = np.zeros((len(items), self.dim), np.float32)
        most = BATCH_WINDOWS.get(self._device.type, BATCH_WINDOWS_ELSEWHERE)
        for start in range(0, len(windows), most):
            batch = windows[start : start + most]
            heard = self._listen([samples for _, samples in batch])
            np.add.at(sums, [shot for shot, _ in batch], heard)
        return unit(sums)

    def encode_words(self, words: Sequence[str]) -> Vectors:
        """Return (num_queries, dim) float32 unit vectors of what sounds are called."""
        import torch

        vectors = np.zeros((len(words), self.dim), np.float32)
        exact = precise_enough(self._device, self._precision)
        threads = single_threaded() if len(words) <= FEW_TEXTS else contextlib.nullcontext()
        with torch.inference_mode(), threads, exact:
            for start in range(0, len(words), BATCH_TEXTS):
                tokens = self._tokenizer(
                    [self._query_prefix + text for text in words[start : start + BATCH_TEXTS]],
                    padding=True,
                    truncation=True,
                    max_length=MAX_TOKENS,
                    return_tensors="pt",
                ).to(self._device)
                given = {name: tokens[name] for name in ("input_ids", "attention_mask")}
                read = self._model.get_text_features(**given).pooler_output
                vectors[start : start + BATCH_TEXTS] = read.float().cpu().numpy()
        return unit(vectors)

    def _windows(self, sound: Sound) -> list[Sound]:
        overlap = int(OVERLAP * self._num_samples)
        windows = overlapping(sound, longest=self._num_samples, overlap=overlap, at_least=1)
        return [window.samples for window in windows]

    def _listen(self, windows: Sequence[Sound]) -> Vectors:
        """Return (num_windows, dim) float32 unit vectors."""
        import torch

        rate_hz = int(self._extractor.sampling_rate)
        filled = np.stack([repeated(window, self._num_samples) for window in windows])
        waves = list(raised(filled, to_hz=rate_hz))
        with undisturbed():  # for models with fusion it rolls dice which sound it calls longer
            spectra = self._extractor(waves, sampling_rate=rate_hz, return_tensors="pt")
        given = spectra["input_features"].to(self._device, torch.float32)
        is_longer = torch.zeros(len(windows), 1, dtype=torch.bool, device=self._device)
        with torch.inference_mode(), precise_enough(self._device, self._precision):
            heard = self._model.get_audio_features(given, is_longer=is_longer).pooler_output
            return unit(heard.float().cpu().numpy())


def repeated(samples: Sound, num_samples: int) -> Sound:
    """Return a sound repeated as often as it fits whole into `num_samples`, then silence."""
    whole = np.tile(np.asarray(samples, np.float32), num_samples // len(samples))
    return np.pad(whole, (0, num_samples - len(whole)))


def raised(waves: NDArray[np.float32], *, to_hz: int) -> NDArray[np.float32]:
    """Return (num_windows, num_samples) of 16 kHz sound at a higher rate; nothing new is in it.

    By Fourier's theorem: the spectrum is kept and goes on as zeros. A window is taken as a circle,
    so its first samples ring a little with its last ones.
    """
    before = waves.shape[1]
    after = before * to_hz // SAMPLE_RATE_HZ
    spectrum = np.fft.rfft(waves, axis=1)
    return np.asarray(np.fft.irfft(spectrum, after, axis=1) * (after / before), np.float32)
