"""Spans of time in a title's sound: where people speak, where music plays."""

from __future__ import annotations

from collections.abc import Sequence

Span = tuple[float, float]
"""Half-open, in seconds of the recording."""


def share(spans: Sequence[Span], start_s: float, end_s: float) -> float:
    """Return how much of `[start_s, end_s)` spans that are apart cover: 0..1, 0 if it is empty."""
    covered_s = sum(max(0.0, min(last, end_s) - max(first, start_s)) for first, last in spans)
    return min(1.0, covered_s / (end_s - start_s)) if end_s > start_s else 0.0
