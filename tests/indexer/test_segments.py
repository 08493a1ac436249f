"""Segments of sound alone: whole cover, cut where people would cut."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.sound.loudness import LoudnessMeter
from indexer.sound.recording import SAMPLE_RATE_HZ, Recording
from indexer.sound.segments import (
    HOP_SAMPLES,
    HOPS_A_SECOND,
    LENGTH_WEIGHT,
    MAX_SEGMENT_HOPS,
    MIN_SEGMENT_HOPS,
    USUAL_SEGMENT_S,
    _best_cuts,
    segments,
)


def of(*parts: NDArray[np.int16]) -> Recording:
    return Recording(np.concatenate(parts), LoudnessMeter().loudness())


def noise(seconds: float, *, level: float = 3000) -> NDArray[np.int16]:
    rng = np.random.default_rng(0)
    return (rng.standard_normal(round(SAMPLE_RATE_HZ * seconds)) * level).astype(np.int16)


def silence(seconds: float) -> NDArray[np.int16]:
    return np.zeros(round(SAMPLE_RATE_HZ * seconds), np.int16)


def cuts(spans: list[tuple[int, int]]) -> list[int]:
    """The inner edges in milliseconds, once the cover is known to be whole."""
    assert spans[0][0] == 0
    assert all(before[1] == after[0] for before, after in pairwise(spans))
    assert all(start < end for start, end in spans)
    return [start for start, _ in spans[1:]]


def test_segments_end_in_pauses() -> None:
    spans = segments(of(noise(5), silence(0.5), noise(5), silence(0.5), noise(5)))
    assert spans[-1][1] == 16_000
    assert cuts(spans) == [pytest.approx(5250, abs=250), pytest.approx(10_750, abs=250)]


def test_a_pause_between_voices_is_worth_more_than_a_quiet_place() -> None:
    sound = of(noise(8), silence(0.5), noise(3), silence(0.4), noise(8))
    assert cuts(segments(sound)) == [pytest.approx(8250, abs=250)]
    assert cuts(segments(sound, [(0.0, 11.0), (11.4, 19.9)])) == [pytest.approx(11_200, abs=100)]


def test_speech_and_what_is_not_part_at_the_very_edges() -> None:
    """Speech, eight seconds of a jingle as loud as it, speech: no pause anywhere."""
    spans = segments(of(noise(24)), [(0.0, 8.0), (16.0, 24.0)])
    assert spans == [(0, 8000), (8000, 16_000), (16_000, 24_000)]


def test_speech_is_cut_through_last_of_all() -> None:
    """Forty seconds must be parted: not in the speech of the first half, for all its length."""
    (cut,) = cuts(segments(of(noise(40)), [(0.5, 25.0)]))
    assert cut >= 25_000


@pytest.mark.parametrize("seconds", [30.04, 31, 61, 100, 333.3])
def test_without_pauses_segments_last_at_most_thirty_seconds(seconds: float) -> None:
    spans = segments(of(noise(seconds)))
    cuts(spans)
    assert spans[-1][1] == round(seconds * 1000)
    assert all(3000 <= end - start <= 30_050 for start, end in spans)
    assert len(spans) <= seconds / 30 + 2


@pytest.mark.parametrize("seconds", [0.01, 1.0, 2.9, 5.9])
def test_a_short_title_is_one_segment(seconds: float) -> None:
    sound = np.concatenate([noise(seconds / 3), silence(seconds / 3), noise(seconds / 3)])
    assert segments(of(sound)) == [(0, round(len(sound) / 16))]


def test_no_sound_is_one_empty_segment() -> None:
    assert segments(of(silence(0))) == [(0, 0)]


def test_silence_is_parted_too() -> None:
    spans = segments(of(silence(100)))
    cuts(spans)
    assert all(3000 <= end - start <= 30_000 for start, end in spans)


def test_speech_past_the_end_does_no_harm() -> None:
    assert segments(of(noise(20)), [(1.0, 4.0), (19.0, 20.1)])[-1][1] == 20_000


def test_no_division_is_worth_more() -> None:
    """Against every division there is, over worths drawn at random."""
    worths = np.random.default_rng(2).uniform(-1, 1, 15 * HOPS_A_SECOND)
    coarse = np.full(len(worths), -np.inf)
    coarse[::HOPS_A_SECOND] = worths[::HOPS_A_SECOND]  # cuts at whole seconds only
    seconds = range(15)

    def worth(chosen: list[int]) -> float:
        edges = [0, *chosen, len(coarse)]
        lengths = np.diff(edges)
        if lengths.min() < MIN_SEGMENT_HOPS or lengths.max() > MAX_SEGMENT_HOPS:
            return -np.inf
        prices = LENGTH_WEIGHT * np.log(lengths / HOPS_A_SECOND / USUAL_SEGMENT_S) ** 2
        return float(coarse[chosen].sum() - prices.sum()) if chosen else float(-prices.sum())

    every = [[s * HOPS_A_SECOND for s in seconds if bits >> s & 1] for bits in range(0, 1 << 15, 2)]
    best = max(every, key=worth)
    found = _best_cuts(coarse)
    assert found == best
    assert HOP_SAMPLES * HOPS_A_SECOND == SAMPLE_RATE_HZ
