"""Where people speak: our spans are silero's own."""

from __future__ import annotations

import subprocess
import sys
import warnings
import wave
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.encoders.weights import package_folder
from indexer.sound import voice
from indexer.sound.recording import FULL_SCALE, SAMPLE_RATE_HZ
from indexer.sound.spans import share

pytestmark = pytest.mark.skipif(
    voice.obstacle() is not None, reason=f"voices cannot be found: {voice.obstacle()}"
)


def read_speech() -> NDArray[np.int16]:
    """Ten seconds of a man reading, from the assets of a speech recogniser's wheel."""
    path = package_folder("moonshine_voice") / "assets" / "beckett.wav"
    with wave.open(str(path)) as file:
        assert file.getframerate() == SAMPLE_RATE_HZ
        return np.frombuffer(file.readframes(file.getnframes()), np.int16)


@pytest.fixture(scope="module")
def sound() -> NDArray[np.int16]:
    """A minute: speech, noise, silence, a tone, speech through noise; the last frame half full."""
    rng = np.random.default_rng(5)
    speech = read_speech()
    noise = rng.normal(0, 1500, 10 * SAMPLE_RATE_HZ)
    tone = 5000 * np.sin(2 * np.pi * 440 * np.arange(5 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ)
    noisy = speech + rng.normal(0, 300, len(speech))
    parts: list[NDArray[Any]] = [
        speech,
        noise,
        np.zeros(5 * SAMPLE_RATE_HZ),
        tone,
        noisy,
        speech[:-300],
    ]
    return np.concatenate(parts).clip(-32_768, 32_767).astype(np.int16)


@pytest.fixture(scope="module")
def silero() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return import_module("silero_vad")


def by_silero(silero: Any, sound: NDArray[np.int16]) -> list[tuple[float, float]]:
    """The wheel's own code, one frame at a time."""
    import torch

    model = silero.load_silero_vad(onnx=True)
    found = silero.get_speech_timestamps(torch.from_numpy(sound / np.float32(FULL_SCALE)), model)
    return [(f["start"] / SAMPLE_RATE_HZ, f["end"] / SAMPLE_RATE_HZ) for f in found]


@pytest.mark.parametrize("stretch", [slice(None), slice(0, 100_000), slice(3000, 90_001)])
def test_spans_are_those_of_the_sequential_run(
    sound: NDArray[np.int16], silero: Any, stretch: slice
) -> None:
    spans = voice.speech_spans(sound[stretch])
    assert spans == by_silero(silero, sound[stretch])
    assert len(spans) > 2


def test_people_speak_where_they_were_put(sound: NDArray[np.int16]) -> None:
    spans = voice.speech_spans(sound)
    speech_s = len(read_speech()) / SAMPLE_RATE_HZ
    assert share(spans, 0, speech_s) > 0.4
    assert share(spans, speech_s + 1, speech_s + 20) < 0.05
    assert share(spans, speech_s + 20.5, speech_s + 30) > 0.3


def test_sound_on_disk_is_heard_as_sound_in_memory(
    sound: NDArray[np.int16], tmp_path: Path
) -> None:
    sound.tofile(tmp_path / "s16")
    spool = np.memmap(tmp_path / "s16", np.int16, mode="r")
    assert voice.speech_spans(spool) == voice.speech_spans(sound)


@pytest.mark.parametrize("num_samples", [0, 1, 160, 512, 513])
def test_hardly_any_sound_has_no_speech(num_samples: int) -> None:
    assert voice.speech_spans(np.full(num_samples, 900, np.int16)) == []
    assert len(voice.speech_probabilities(np.zeros(num_samples, np.int16))) == -(
        -num_samples // voice.FRAME_SAMPLES
    )


def test_pads_meet_in_the_middle_of_a_short_pause() -> None:
    """Thirty milliseconds are 480 samples; a pause of 640 has room for 320 on either side."""
    spans = [(5000, 20_000), (20_640, 40_000), (50_000, 60_000)]
    assert voice._padded(spans, 60_100) == [(4520, 20_320), (20_320, 40_480), (49_520, 60_100)]


def test_shares_of_intervals() -> None:
    spans = [(1.0, 2.0), (3.0, 5.0)]
    assert share(spans, 0, 4) == 0.5
    assert share(spans, 1, 2) == share(spans, 3.5, 4) == 1.0
    assert share(spans, 2, 3) == share(spans, 4, 4) == share([], 0, 1) == 0.0


def test_neither_package_nor_torch_is_imported_for_it() -> None:
    """Silero's package imports torch: its weights are read, and that is all."""
    code = (
        "import sys, numpy as np\n"
        "from indexer.sound.voice import speech_spans\n"
        "speech_spans(np.zeros(16_000, np.int16))\n"
        "assert not {'silero_vad', 'torch', 'av'} & set(sys.modules), sys.modules.keys()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
