"""The picture of a segment of sound."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.sound.waveform import GROUND, HEIGHT_PX, MARGIN_PX, WIDTH_PX, waveform_jpeg


def drawn(samples: NDArray[np.int16]) -> NDArray[np.uint8]:
    """The picture as a viewer sees it, RGB."""
    picture = cv2.imdecode(np.frombuffer(waveform_jpeg(samples), np.uint8), cv2.IMREAD_COLOR_RGB)
    assert picture is not None
    return np.asarray(picture, np.uint8)


def heights(picture: NDArray[np.uint8]) -> NDArray[np.int64]:
    """How many rows of each column are bright."""
    return np.asarray((picture.max(axis=2) > 120).sum(axis=0), np.int64)


def tone(seconds: float, *, peak: float) -> NDArray[np.int16]:
    t = np.arange(round(seconds * 16_000)) / 16_000
    return (peak * 32_767 * np.sin(2 * np.pi * 200 * t)).astype(np.int16)


def test_loud_and_soft_and_silence_are_told_apart() -> None:
    sound = [tone(2, peak=0.8), np.zeros(32_000, np.int16), tone(2, peak=0.2)]
    picture = drawn(np.concatenate(sound))
    assert picture.shape == (HEIGHT_PX, WIDTH_PX, 3)
    loud, silent, soft = (heights(picture)[first : first + 80] for first in (10, 115, 230))
    full = HEIGHT_PX - 2 * MARGIN_PX
    assert np.abs(loud - full).max() <= 6
    assert silent.max() <= 1
    assert np.abs(soft - full / 4).max() <= 6


def test_a_faint_segment_stays_low() -> None:
    assert heights(drawn(tone(3, peak=0.02)))[20:-20].max() < HEIGHT_PX / 3


def test_it_brings_its_own_dark_ground() -> None:
    corner = drawn(tone(3, peak=0.5))[:8, :8].astype(int)
    assert np.abs(corner - GROUND).max() <= 6


@pytest.mark.parametrize("num_samples", [0, 1, 2, 319, 321])
def test_hardly_any_samples_still_give_a_picture(num_samples: int) -> None:
    sound = np.full(num_samples, 20_000, np.int16)
    assert (heights(drawn(sound)).max() > 10) == (num_samples > 0)


def test_an_off_centre_click_is_not_lost() -> None:
    sound = np.zeros(480_000, np.int16)
    sound[240_000] = -32_768
    picture = drawn(sound)
    assert heights(picture)[160] > 60
    assert picture[HEIGHT_PX // 2 + 40, 160].max() > 120 > picture[HEIGHT_PX // 2 - 40, 160].max()


def test_the_same_samples_give_the_same_bytes() -> None:
    assert waveform_jpeg(tone(3, peak=0.5)) == waveform_jpeg(tone(3, peak=0.5))
