"""Segments of a title that is sound alone: its turns, 3 to 30 seconds each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from indexer.sound.recording import FULL_SCALE, SAMPLE_RATE_HZ, Recording
from indexer.sound.spans import Span

HOP_MS = 50
HOPS_A_SECOND = 1000 // HOP_MS
HOP_SAMPLES = SAMPLE_RATE_HZ // HOPS_A_SECOND
HOPS_A_MINUTE = 60 * HOPS_A_SECOND
MIN_SEGMENT_HOPS = 3 * HOPS_A_SECOND
MAX_SEGMENT_HOPS = 30 * HOPS_A_SECOND
MIN_PAUSE_HOPS = HOPS_A_SECOND // 5
PAUSE_LEVEL = 0.25
"""A pause is quieter than this share of the title's median level."""

# What a cut is worth. A pause of a second is worth one, a longer one no more; where it is known
# when people speak, a place that is merely quiet is worth half as much.
MAX_WORTH = 1.0
QUIET_WORTH = 0.5
IN_SOUND_WORTH = -1.0
IN_SPEECH_WORTH = -2.0
USUAL_SEGMENT_S = 10.0
LENGTH_WEIGHT = 0.5
"""The price of a segment that is e times as long as is usual, or as short."""


def segments(sound: Recording, speech_spans: Sequence[Span] = ()) -> list[tuple[int, int]]:
    """Return half-open spans in milliseconds that cover the recording without gap or overlap.

    They part where people pause, where speech gives way to something else for three seconds or
    more, and in quiet places; of all such divisions it is the one worth most. Only where thirty
    seconds have none of these is a sound cut through. Less than six seconds are one segment.
    `speech_spans` are in order and apart; without them levels alone count. The samples are read
    a minute at a time.
    """
    levels = _levels(sound.samples)
    edges = _best_cuts(_worths(levels, speech_spans)) if len(levels) else []
    duration_ms = round(sound.duration_s * 1000)
    starts = [0, *(hop * HOP_MS for hop in edges)]
    return list(zip(starts, [*starts[1:], duration_ms], strict=True))


def _best_cuts(worths: NDArray[np.float64]) -> list[int]:
    """Return the hops at which to cut: the sum of worths, less the prices of lengths, is highest.

    By dynamic programming from the front: the best division up to a hop extends the best one up
    to where its last segment begins.
    """
    num_hops = len(worths)
    lengths_s = np.arange(1, MAX_SEGMENT_HOPS + 1) / HOPS_A_SECOND
    prices = LENGTH_WEIGHT * np.log(lengths_s / USUAL_SEGMENT_S) ** 2
    backwards = prices[: MIN_SEGMENT_HOPS - 2 : -1]  # of the longest segment first
    best = np.full(num_hops + 1, -np.inf)
    best[0] = 0.0
    came_from = np.zeros(num_hops + 1, np.int64)
    for hop in range(MIN_SEGMENT_HOPS, num_hops + 1):
        first = max(0, hop - MAX_SEGMENT_HOPS)
        totals = best[first : hop - MIN_SEGMENT_HOPS + 1]
        totals = totals - backwards[len(backwards) - len(totals) :]
        chosen = int(totals.argmax())
        came_from[hop] = first + chosen
        best[hop] = totals[chosen] + (worths[hop] if hop < num_hops else 0.0)
    cuts, hop = [], int(came_from[num_hops])
    while hop > 0:
        cuts.append(hop)
        hop = int(came_from[hop])
    return cuts[::-1]


def _worths(levels: NDArray[np.float32], speech_spans: Sequence[Span]) -> NDArray[np.float64]:
    """Return what a cut at the beginning of each hop is worth: (num_hops,), -2..1."""
    worths = np.full(len(levels), IN_SOUND_WORTH)
    speech = [(round(a * HOPS_A_SECOND), round(b * HOPS_A_SECOND)) for a, b in speech_spans]
    for first, last in speech:
        worths[first + 1 : last] = IN_SPEECH_WORTH
    for hop, worth in _in_pauses(_quiet_runs(levels)):
        worths[hop] = max(worths[hop], worth * (QUIET_WORTH if speech else MAX_WORTH))
    bounds = [0, *(hop for span in speech for hop in span), len(levels)]
    gaps = zip(bounds[::2], bounds[1::2], strict=True) if speech else ()
    for hop, worth in _in_pauses(gaps):
        worths[min(hop, len(levels) - 1)] = worth
    return worths


def _in_pauses(pauses: Iterator[tuple[int, int]] | tuple[()]) -> Iterator[tuple[int, float]]:
    """Yield where to cut in each: in its midst, or at both ends of one that can be a segment."""
    for first, last in pauses:
        worth = min(MAX_WORTH, (last - first) / HOPS_A_SECOND)
        if last - first >= MIN_SEGMENT_HOPS:
            yield first, worth
            yield last, worth
        elif last > first:
            yield (first + last) // 2, worth


def _quiet_runs(levels: NDArray[np.float32]) -> Iterator[tuple[int, int]]:
    """Yield half-open spans of hops in which all is quiet."""
    quiet = levels < PAUSE_LEVEL * np.median(levels)
    edges = np.flatnonzero(np.diff(quiet.astype(np.int8), prepend=0, append=0))
    for first, last in edges.reshape(-1, 2).tolist():
        if last - first >= MIN_PAUSE_HOPS:
            yield first, min(last, len(levels) - 1)


def _levels(samples: NDArray[np.int16]) -> NDArray[np.float32]:
    """Return the root-mean-square level of each whole hop, 0..1, a minute at a time."""
    num_hops = len(samples) // HOP_SAMPLES
    levels = np.zeros(num_hops, np.float32)
    for first in range(0, num_hops, HOPS_A_MINUTE):
        last = min(first + HOPS_A_MINUTE, num_hops)
        block = samples[first * HOP_SAMPLES : last * HOP_SAMPLES].reshape(-1, HOP_SAMPLES)
        levels[first:last] = np.sqrt(np.mean(np.square(block / np.float32(FULL_SCALE)), axis=1))
    return levels
