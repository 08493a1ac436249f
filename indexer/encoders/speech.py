"""Sound, offline: the encoder of Moonshine tiny (arXiv 2410.15608), out of its wheel.

The wheel's package wants a sound card's library, so it is located and never imported.
"""

from __future__ import annotations

import importlib.metadata
import logging
import os
import wave
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from indexer.encoders.derived import derived, derived_session
from indexer.encoders.eight_bits import multiplies_exactly, signed
from indexer.encoders.kinds import version_of
from indexer.encoders.ordinary import SAMPLE_RATE_HZ, SEED, SOUND_S, synthetic
from indexer.encoders.pace import paced
from indexer.encoders.protocol import Sound, Vectors, unit
from indexer.encoders.weights import OFFLINE_EXTRA, absent_wheels, onnx_session, package_folder
from indexer.encoders.windows import back_to_back
from indexer.profiles.parse import EncoderSpec
from qdrant.errors import WeightsUnavailable

logger = logging.getLogger(__name__)

PACKAGE = "moonshine_voice"
MODEL = "assets/tiny-en/encoder_model.ort"
DIM = 288
RECIPE = 1
"""Raise it whenever the same weights are to become another file."""
RECEPTIVE_FIELD_SAMPLES = 895
"""127 + 12 * 64: its three convolutions give no step below that."""
WINDOW_SAMPLES = 30 * SAMPLE_RATE_HZ
"""Memory grows with the square of a window's length."""


class MoonshineSound:
    """A shot's sound as one unit vector: the mean over time, less what all sounds share.

    Uncentred, anything resembles anything (speech and noise at a cosine of .83 to .88). So the
    mean over `ordinary_sounds` is subtracted: speech from the wheel and seeded synthetic sounds,
    the same on every machine and for every library.
    """

    dim = DIM

    def __init__(self, spec: EncoderSpec, *, device: str) -> None:
        self.name = "Moonshine tiny-en encoder"
        self.version = version_of(spec.kind, spec.settings)
        self._session = encoder_session()
        self._mean = derived(
            "moonshine-mean",
            made_of=f"{PACKAGE} {MODEL} {SEED} {self.version}",
            make=lambda: np.stack([self._listen(sound) for sound in ordinary_sounds()]).mean(0),
        )

    @staticmethod
    def obstacle(spec: EncoderSpec) -> str | None:
        """Return why it cannot load here, or None. Loads nothing."""
        absent = absent_wheels(PACKAGE, "onnxruntime")
        if absent is None and not (package_folder(PACKAGE) / MODEL).is_file():
            return f"this release of {PACKAGE} carries no weights; {OFFLINE_EXTRA}"
        return absent

    @paced
    def encode(self, items: Sequence[Sound | None]) -> Vectors:
        """Return (num_shots, 288) float32 unit vectors; zeros for a shot without samples."""
        vectors = np.zeros((len(items), self.dim), np.float32)
        sounds = {i: sound for i, sound in enumerate(items) if sound is not None and len(sound)}
        with ThreadPoolExecutor(os.cpu_count()) as cores:  # each shot in one thread costs least
            for shot, vector in zip(sounds, cores.map(self._listen, sounds.values()), strict=True):
                vectors[shot] = vector - self._mean
        return unit(vectors)

    def _listen(self, samples: Sound) -> Vectors:
        windows = back_to_back(samples, longest=WINDOW_SAMPLES, at_least=RECEPTIVE_FIELD_SAMPLES)
        return unit(np.mean([self._steps(window).mean(0) for window in windows], axis=0))

    def _steps(self, window: Sound) -> Vectors:
        mask = np.ones((1, len(window)), np.int64)
        (steps,) = self._session.run(None, {"input_values": window[None], "attention_mask": mask})
        found: Vectors = steps[0]
        return found


@lru_cache(maxsize=1)
def encoder_session() -> Any:
    """Return the encoder in one thread: its weights signed, where that is exact and a third faster.

    Raises `WeightsUnavailable` where the installed wheel has none.
    """
    path = package_folder(PACKAGE) / MODEL
    if not path.is_file():
        raise WeightsUnavailable(
            f"The installed {PACKAGE} carries no Moonshine weights; {OFFLINE_EXTRA} brings the "
            "release that does."
        )
    made_of = f"{importlib.metadata.version(PACKAGE.replace('_', '-'))} {MODEL} {RECIPE}"
    try:
        if multiplies_exactly():
            return derived_session(
                "moonshine-encoder",
                made_of=made_of,
                make=lambda: signed(path.read_bytes()),
                threads=1,
            )
    except (ImportError, ValueError) as error:
        logger.info("%s is used as it comes: %s", MODEL, error)
    return onnx_session(str(path), threads=1)


def ordinary_sounds() -> Iterator[Sound]:
    """Yield sounds of a few seconds: half of them speech, half tones, noises and hum."""
    speech = list(_speech(package_folder(PACKAGE) / "assets"))
    made = list(synthetic())
    yield from speech[: len(made)]
    yield from made


def _speech(assets: Path) -> Iterator[Sound]:
    for name in ("beckett.wav", "two_cities.wav"):
        with wave.open(str(assets / name)) as file:
            step = file.getframerate() // SAMPLE_RATE_HZ
            samples = np.frombuffer(file.readframes(file.getnframes()), np.int16) / 32768
        # A mean over `step` samples is low-pass enough to thin a 48 kHz recording of speech.
        thinned = samples[: len(samples) // step * step].reshape(-1, step).mean(1)
        for start in range(0, len(thinned) - SOUND_S * SAMPLE_RATE_HZ, SOUND_S * SAMPLE_RATE_HZ):
            yield thinned[start : start + SOUND_S * SAMPLE_RATE_HZ].astype(np.float32)
