"""Where music plays: tones that stand still, by continuous frequency activation.

After Seyerlehner, Pohle, Schedl and Widmer, "Automatic music detection in television productions"
(DAFx 2007). A note holds its frequency for a while, also under speech and noise, whereas a voice
glides. We differ in the rate (16 kHz for their 11), in longer, overlapping blocks, one a second,
in a clear 6 dB where they take any prominence, and in the threshold; these were chosen on
synthesised music and noise and on read speech. What hums on one note (a mains hum, an engine
running evenly) counts as music; what has no pitch that lasts (drums alone, speech-song) does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from indexer.sound.recording import FULL_SCALE, SAMPLE_RATE_HZ
from indexer.sound.spans import Span

WINDOW_SAMPLES = 1536  # 96 ms, bins of 10.4 Hz
HOP_SAMPLES = 500  # 31 ms: a whole number of frames a second
FRAMES_A_SECOND = SAMPLE_RATE_HZ // HOP_SAMPLES
NUM_BINS = 512  # up to 5.3 kHz, where the paper's spectrum ends
FLOOR_POWER = 1e-9  # far under the last bit of 16

MEAN_BINS = 21
"""A peak stands out of the mean of so many bins, itself in their midst."""
PROMINENCE_DB = 6.0
BLOCK_SECONDS = 5
MIN_SECONDS = 3
"""In less, hammering and engines pass for music."""
NUM_PEAKS = 5
MUSIC_ACTIVATION = 2.1
"""Between the 1.7 that speech and noise reached in calibration and the 2.6 of quiet music."""
READ_SECONDS = 30  # what is in memory at one time


def music_spans(samples: NDArray[np.int16]) -> list[Span]:
    """Return when music plays in (num_samples,) int16 at 16 kHz: half-open spans in seconds.

    They are in order and apart, and begin and end with a second (or the recording). Music under
    speech counts. `samples` may lie on disk: half a minute is read at a time. Less than three
    seconds of sound are too few to tell: none.
    """
    plays = (activations(samples) > MUSIC_ACTIVATION).tolist()
    spans, second = [], 0
    for is_music, run in groupby(plays):
        first, second = second, second + len(list(run))
        if is_music:
            last_s = second if second < len(plays) else len(samples) / SAMPLE_RATE_HZ
            spans.append((float(first), float(last_s)))
    return spans


def activations(samples: NDArray[np.int16]) -> NDArray[np.float32]:
    """Return how still tones stand around each whole second: (num_seconds,) float32, 0..5."""
    num_seconds = len(samples) // SAMPLE_RATE_HZ
    if num_seconds < MIN_SECONDS:
        return np.zeros(num_seconds, np.float32)
    shares = np.concatenate(list(_active_shares(samples, num_seconds)))
    last_start = max(0, num_seconds - BLOCK_SECONDS)
    starts = (min(max(0, s - BLOCK_SECONDS // 2), last_start) for s in range(num_seconds))
    return np.array([_stillness(shares[s : s + BLOCK_SECONDS].mean(0)) for s in starts], "f4")


def _active_shares(samples: NDArray[np.int16], num_seconds: int) -> Iterator[NDArray[np.float32]]:
    """Yield (up to READ_SECONDS, NUM_BINS): in what share of a second's frames a bin stands out."""
    window = np.hanning(WINDOW_SAMPLES).astype(np.float32) / np.float32(FULL_SCALE)
    for start in range(0, num_seconds, READ_SECONDS):
        seconds = min(READ_SECONDS, num_seconds - start)
        sound = np.zeros(seconds * SAMPLE_RATE_HZ + WINDOW_SAMPLES - HOP_SAMPLES, np.float32)
        part = samples[start * SAMPLE_RATE_HZ :][: len(sound)]
        sound[: len(part)] = part
        frames = np.lib.stride_tricks.sliding_window_view(sound, WINDOW_SAMPLES)[::HOP_SAMPLES]
        stands_out = _prominences(frames * window) > PROMINENCE_DB
        yield stands_out.reshape(seconds, FRAMES_A_SECOND, NUM_BINS).mean(1, dtype=np.float32)


def _prominences(frames: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return by how many dB each bin is over the mean of those around it: (frames, NUM_BINS)."""
    spectrum = np.fft.rfft(frames)[:, :NUM_BINS]
    db = 10 * np.log10(spectrum.real**2 + spectrum.imag**2 + np.float32(FLOOR_POWER))
    half = MEAN_BINS // 2
    sums = np.cumsum(np.pad(db, ((0, 0), (half + 1, half)), mode="edge"), axis=1, dtype="f8")
    prominences: NDArray[np.float64] = db - (sums[:, MEAN_BINS:] - sums[:, :-MEAN_BINS]) / MEAN_BINS
    return prominences


def _stillness(shares: NDArray[np.float32]) -> float:
    """Return the sum of the highest peaks over frequency, each over the higher of its valleys."""
    slopes = np.sign(np.diff(shares))
    steps = np.flatnonzero(slopes)
    turns = steps[np.flatnonzero(np.diff(slopes[steps]))] + 1
    heights = shares[np.concatenate([[0], turns, [len(shares) - 1]])]
    peaks = np.minimum(heights[1:-1] - heights[:-2], heights[1:-1] - heights[2:])
    return float(np.sort(np.maximum(peaks, 0))[-NUM_PEAKS:].sum())
