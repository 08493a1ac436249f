"""CLAP as we run it, against the library's own feature extractor and model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tiny_clap import HEARS_S, make_tiny_clap

from indexer.encoders.named_sound import OVERLAP, ClapSound, raised, repeated
from indexer.encoders.protocol import unit
from indexer.encoders.windows import overlapping
from indexer.profiles import EncoderSpec

RATE_HZ = 16_000
WORDS = ["a bell", "a cat, howling", "rain"]


def noise(seed: int, *, seconds: float) -> NDArray[np.float32]:
    samples = np.random.default_rng(seed).standard_normal(round(seconds * RATE_HZ))
    return (0.1 * samples).astype(np.float32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clap")
    make_tiny_clap(folder)
    return folder


@pytest.fixture(scope="module")
def encoder(folder: Path) -> ClapSound:
    return ClapSound(EncoderSpec("clap", 16, {"model": str(folder)}), device="cpu")


def test_a_tone_stays_what_it_is_and_nothing_comes_above_it() -> None:
    seconds = 0.5
    low, high = (np.arange(round(seconds * hz)) / hz for hz in (RATE_HZ, 48_000))
    waves = np.sin(2 * np.pi * 440 * np.stack([low, 2 * low])).astype(np.float32)
    up = raised(waves, to_hz=48_000)
    assert up.shape == (2, 24_000)
    np.testing.assert_allclose(up, np.sin(2 * np.pi * 440 * np.stack([high, 2 * high])), atol=1e-4)
    spectrum = np.abs(np.fft.rfft(raised(noise(1, seconds=seconds)[None], to_hz=48_000)[0]))
    assert spectrum[: round(8_000 * seconds)].min() > 1e-3 > spectrum[4_001:].max()


def test_a_short_sound_is_repeated_as_often_as_it_fits_whole() -> None:
    sound = np.array([1, 2, 3], np.float32)
    assert repeated(sound, 8).tolist() == [1, 2, 3, 1, 2, 3, 0, 0]
    assert repeated(sound, 3).tolist() == [1, 2, 3]


@pytest.mark.parametrize("fusing", [False, True])
def test_words_and_sounds_lie_in_the_model_s_own_space(tmp_path: Path, fusing: bool) -> None:
    """Our cosines, times the model's scale, are the logits by which it compares them."""
    import torch
    from transformers import AutoTokenizer, ClapFeatureExtractor, ClapModel

    make_tiny_clap(tmp_path, fusing=fusing)
    encoder = ClapSound(EncoderSpec("clap", 16, {"model": str(tmp_path)}), device="cpu")
    sounds = [noise(1, seconds=HEARS_S), noise(2, seconds=0.5)]
    long = [repeated(sound, HEARS_S * RATE_HZ) for sound in sounds]
    waves = [raised(sound[None], to_hz=48_000)[0] for sound in long]
    model: Any = ClapModel.from_pretrained(tmp_path).eval()
    tokens = AutoTokenizer.from_pretrained(tmp_path)(WORDS, padding=True, return_tensors="pt")
    heard: Any = ClapFeatureExtractor.from_pretrained(tmp_path)
    features = heard(waves, sampling_rate=48_000, return_tensors="pt")["input_features"]
    with torch.inference_mode():
        told = model(
            input_ids=tokens["input_ids"],
            attention_mask=tokens["attention_mask"],
            input_features=features,
            is_longer=torch.zeros(2, 1, dtype=torch.bool),
        )
    ours = encoder.encode(sounds) @ encoder.encode_words(WORDS).T
    scale = float(model.logit_scale_a.detach().exp())
    np.testing.assert_allclose(scale * ours, told.logits_per_audio.numpy(), atol=1e-3)


def test_a_long_sound_is_the_mean_of_its_windows(encoder: ClapSound) -> None:
    sound = noise(3, seconds=5)
    longest = HEARS_S * RATE_HZ
    windows = overlapping(sound, longest=longest, overlap=int(OVERLAP * longest), at_least=1)
    assert len(windows) == 3
    alone = encoder.encode([window.samples for window in windows])
    np.testing.assert_allclose(encoder.encode([sound])[0], unit(alone.mean(axis=0)), atol=1e-5)
    assert not np.allclose(alone[0], alone[1], atol=1e-3)


def test_the_prefix_goes_before_what_is_asked(folder: Path, encoder: ClapSound) -> None:
    settings = {"model": str(folder), "query_prefix": "the sound of "}
    asking = ClapSound(EncoderSpec("clap", 16, settings), device="cpu")
    asked = asking.encode_words(["a bell"])
    np.testing.assert_array_equal(asked, encoder.encode_words(["the sound of a bell"]))
    assert not np.allclose(asked, encoder.encode_words(["a bell"]), atol=1e-3)
    assert asking.version != encoder.version


def test_more_words_than_it_was_trained_with_are_cut(encoder: ClapSound) -> None:
    long, longer = encoder.encode_words(["bell " * 15 + "x" * 90, "bell " * 15 + "x" * 190])
    np.testing.assert_allclose(long, longer, atol=1e-6)
