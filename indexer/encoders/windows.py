"""A shot's sound in windows of equal length, which overlap so that no moment is heard at an edge.

A model knows little of what lies at the edge of its window. So where two windows overlap, the
first counts up to the middle of the overlap and the second from there on: every moment counts
once, and away from the edges that the cutting made.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.encoders.protocol import Sound


@dataclass(frozen=True)
class Window:
    """A stretch of a shot's sound. What is heard in `[counts_from, counts_to)` of it counts."""

    samples: Sound
    counts_from: float  # shares of the window, 0..1
    counts_to: float

    def counting(self, num_steps: int) -> NDArray[np.bool_]:
        """Return which of a model's steps over this window count, (num_steps,): one at least."""
        middles = (np.arange(num_steps) + 0.5) / num_steps
        inside = (middles >= self.counts_from) & (middles < self.counts_to)
        return inside if inside.any() else np.ones(num_steps, np.bool_)


def overlapping(samples: Sound, *, longest: int, overlap: int, at_least: int) -> list[Window]:
    """Return a shot's windows, all of one length: `longest` samples at most.

    Neighbours share `overlap` samples or a little more. Less sound than `at_least` is padded with
    silence. Without samples there are no windows.
    """
    num_samples = len(samples)
    if not num_samples:
        return []
    count = max(1, -(-(num_samples - overlap) // (longest - overlap)))
    length = -(-(num_samples + (count - 1) * overlap) // count)
    starts = np.linspace(0, num_samples - length, count).round().astype(int)
    seams = (starts[1:] + starts[:-1] + length) / 2
    firsts, lasts = [0.0, *seams], [*seams, float(num_samples)]
    windows = []
    for start, first, last in zip(starts, firsts, lasts, strict=True):
        heard = np.asarray(samples[start : start + length], np.float32)
        padded = np.pad(heard, (0, max(0, at_least - length)))
        share = (float((first - start) / length), float((last - start) / length))
        windows.append(Window(padded, *share))
    return windows


def back_to_back(samples: Sound, *, longest: int, at_least: int) -> list[Sound]:
    """Return the samples in windows of equal length without overlap, short ones padded.

    Equal to a sample, so that a mean over windows is a mean over time.
    """
    parts = np.array_split(np.asarray(samples, np.float32), -(-len(samples) // longest))
    return [np.pad(part, (0, max(0, at_least - len(part)))) for part in parts]
