"""Segments of a title that is sound alone: from pause to pause, 3 to 30 seconds each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from indexer.media.sound import FULL_SCALE, SAMPLE_RATE_HZ, Recording

HOP_SAMPLES = SAMPLE_RATE_HZ // 20
HOPS_A_SECOND = SAMPLE_RATE_HZ // HOP_SAMPLES
MIN_SEGMENT_HOPS = 3 * HOPS_A_SECOND
MAX_SEGMENT_HOPS = 30 * HOPS_A_SECOND
PAUSE_HOPS = 8  # 0.4 s
PAUSE_LEVEL = 0.25
"""A pause is quieter than this share of the title's median level."""


def segments(sound: Recording) -> list[tuple[int, int]]:
    """Return half-open spans in milliseconds that cover the recording without gap or overlap."""
    levels = _levels(sound.samples)
    quiet = levels < PAUSE_LEVEL * float(np.median(levels)) if len(levels) else levels > 0
    edges, start = [0], 0
    while len(levels) - start > 2 * MIN_SEGMENT_HOPS:
        edge = _next_edge(levels, quiet, start)
        if edge is None:
            break
        edges.append(edge * 1000 // HOPS_A_SECOND)
        start = edge
    duration_ms = round(sound.duration_s * 1000)
    return list(zip(edges, [*edges[1:], duration_ms], strict=True))


def _next_edge(levels: NDArray[np.float64], quiet: NDArray[np.bool_], start: int) -> int | None:
    """Return the hop at which the segment begun at `start` ends; None: it runs to the end.

    That is the middle of the first pause after three seconds; without one, the quietest place
    before thirty.
    """
    first = start + MIN_SEGMENT_HOPS
    last = min(start + MAX_SEGMENT_HOPS, len(levels) - MIN_SEGMENT_HOPS)
    run = 0
    for hop in range(first, last):
        run = run + 1 if quiet[hop] else 0
        if run and (run == 2 * PAUSE_HOPS or (run >= PAUSE_HOPS and not quiet[hop + 1])):
            return hop - run // 2
    if len(levels) - start <= MAX_SEGMENT_HOPS:
        return None
    smooth = np.convolve(levels[first:last], np.ones(PAUSE_HOPS) / PAUSE_HOPS, mode="same")
    return first + int(smooth.argmin())


def _levels(samples: NDArray[np.int16]) -> NDArray[np.float64]:
    """Return the root-mean-square level of each hop of 50 ms, a minute at a time."""
    minute = HOP_SAMPLES * HOPS_A_SECOND * 60
    blocks = [samples[i : i + minute] for i in range(0, len(samples), minute)]
    whole = (b[: len(b) // HOP_SAMPLES * HOP_SAMPLES].reshape(-1, HOP_SAMPLES) for b in blocks)
    powers = [np.mean(np.square(b / FULL_SCALE), axis=1) for b in whole if len(b)]
    return np.sqrt(np.concatenate(powers)) if powers else np.zeros(0)
