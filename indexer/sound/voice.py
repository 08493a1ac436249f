"""Where people speak: voice activity by silero (MIT), from the weights inside its wheel."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.encoders.weights import absent_wheels, package_folder
from indexer.sound.recording import FULL_SCALE, SAMPLE_RATE_HZ
from indexer.sound.spans import Span
from qdrant.errors import WeightsUnavailable

MODEL_FILE = "data/silero_vad_16k_sequence.onnx"
"""Silero's own export that hears many frames a call: the same numbers at half the price."""
FRAME_SAMPLES = 512
CONTEXT_SAMPLES = 64
BLOCK_FRAMES = 512  # 16 s: what is in memory as float at one time
STATE_SHAPE = (1, 1, 128)

# What silero recommends, as in its `get_speech_timestamps`.
SPEECH_BEGINS = 0.5
SPEECH_ENDS = 0.35
MIN_SPEECH_SAMPLES = SAMPLE_RATE_HZ // 4
MIN_SILENCE_SAMPLES = SAMPLE_RATE_HZ // 10
PAD_SAMPLES = SAMPLE_RATE_HZ * 3 // 100


def obstacle() -> str | None:
    """Return why voices cannot be found here, in a clause; None where they can."""
    absent = absent_wheels("silero_vad", "onnxruntime")
    if absent is None and not _model_file().is_file():
        return f"this silero_vad lacks {MODEL_FILE}; pip install silero-vad==6.2.3"
    return absent


def speech_spans(samples: NDArray[np.int16]) -> list[Span]:
    """Return when people speak in (num_samples,) int16 at 16 kHz: half-open spans in seconds.

    They are in order and apart. As silero recommends, a pause under 100 ms does not part them,
    an utterance under 250 ms is dropped and each gains 30 ms at either end. `samples` may lie on
    disk: 16 seconds are read at a time. Raises `WeightsUnavailable` without silero's wheel.
    """
    spans = _padded(list(_utterances(speech_probabilities(samples), len(samples))), len(samples))
    return [(first / SAMPLE_RATE_HZ, last / SAMPLE_RATE_HZ) for first, last in spans]


def speech_probabilities(samples: NDArray[np.int16]) -> NDArray[np.float32]:
    """Return silero's probability of speech for each frame of 32 ms: (num_frames,) float32.

    The network carries its state from frame to frame through the whole title; a last frame that
    is not full is filled with silence.
    """
    model, blocks = _model(), []
    hidden = cell = np.zeros(STATE_SHAPE, np.float32)
    for frames in _blocks(samples):
        wanted = ["speech_probs", "hn", "cn"]
        found, hidden, cell = model.run(wanted, {"input": frames, "h": hidden, "c": cell})
        blocks.append(found)
    return np.concatenate(blocks) if blocks else np.zeros(0, np.float32)


def _blocks(samples: NDArray[np.int16]) -> Iterator[NDArray[np.float32]]:
    """Yield (up to BLOCK_FRAMES, CONTEXT + FRAME) -1..1: each frame after the end of the last."""
    for start in range(0, len(samples), BLOCK_FRAMES * FRAME_SAMPLES):
        before = samples[max(0, start - CONTEXT_SAMPLES) : start]
        block = samples[start : start + BLOCK_FRAMES * FRAME_SAMPLES]
        num_frames = -(-len(block) // FRAME_SAMPLES)
        sound = np.zeros(CONTEXT_SAMPLES + num_frames * FRAME_SAMPLES, np.float32)
        sound[CONTEXT_SAMPLES - len(before) : CONTEXT_SAMPLES] = before
        sound[CONTEXT_SAMPLES : CONTEXT_SAMPLES + len(block)] = block
        sound /= FULL_SCALE
        windows = np.lib.stride_tricks.sliding_window_view(sound, CONTEXT_SAMPLES + FRAME_SAMPLES)
        yield np.ascontiguousarray(windows[::FRAME_SAMPLES])


def _utterances(probabilities: NDArray[np.float32], num_samples: int) -> Iterator[tuple[int, int]]:
    """Yield spans of samples: speech goes on until 100 ms have passed below the lower threshold.

    Between the thresholds all stays as it was. Speech at the very end lasts to the end.
    """
    begun: int | None = None
    paused: int | None = None
    for frame, probability in enumerate(probabilities.tolist()):
        here = frame * FRAME_SAMPLES
        if probability >= SPEECH_BEGINS:
            begun, paused = here if begun is None else begun, None
        elif probability < SPEECH_ENDS and begun is not None:
            paused = here if paused is None else paused
            if here - paused >= MIN_SILENCE_SAMPLES:
                if paused - begun > MIN_SPEECH_SAMPLES:
                    yield begun, paused
                begun = paused = None
    if begun is not None and num_samples - begun > MIN_SPEECH_SAMPLES:
        yield begun, num_samples


def _padded(spans: list[tuple[int, int]], num_samples: int) -> list[tuple[int, int]]:
    """Widen spans by the pad; two that are nearer than two pads meet in the middle."""
    firsts = [max(0, first - PAD_SAMPLES) for first, _ in spans[:1]]
    lasts = []
    for (_, last), (first, _) in pairwise(spans):
        pad = min(PAD_SAMPLES, (first - last) // 2)
        lasts.append(last + pad)
        firsts.append(first - pad)
    lasts += [min(num_samples, last + PAD_SAMPLES) for _, last in spans[-1:]]
    return list(zip(firsts, lasts, strict=True))


def _model_file() -> Path:
    return package_folder("silero_vad") / MODEL_FILE


@lru_cache(maxsize=1)
def _model() -> Any:
    """Return the network in one thread: it is too small for two, and decoding wants the other."""
    import onnxruntime

    reason = obstacle()
    if reason is not None:
        raise WeightsUnavailable(f"Voices cannot be found: {reason}.")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3  # its export has leftovers that onnxruntime warns about
    return onnxruntime.InferenceSession(
        str(_model_file()), options, providers=["CPUExecutionProvider"]
    )
