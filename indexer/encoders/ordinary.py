"""Ordinary sounds, made by a seed: the same on every machine, to tell what all sounds share."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from indexer.encoders.protocol import Sound

SAMPLE_RATE_HZ = 16_000
SEED = 20260223
SOUND_S = 4


def synthetic() -> Iterator[Sound]:
    """Yield noises, a chord, a sweep and beats, quiet and loud: four seconds each."""
    random = np.random.default_rng(SEED)
    time_s = np.arange(SOUND_S * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    for loudness in (0.02, 0.3):
        white = random.standard_normal(len(time_s))
        brown = np.cumsum(white)
        notes = [110 * 2 ** (n / 12) for n in (0, 4, 7, 12, 24)]
        chord = sum(np.sin(2 * np.pi * hz * time_s) for hz in notes)
        sweep = np.sin(2 * np.pi * (80 * time_s + 400 * time_s**2))
        beats = white * np.exp(-8 * (time_s % 0.5))
        for sound in (white, brown - brown.mean(), chord, sweep, beats):
            yield (loudness * sound / np.abs(sound).max()).astype(np.float32)
