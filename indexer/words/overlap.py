"""Cues laid over shots."""

from __future__ import annotations

from collections.abc import Sequence

from indexer.words.cues import Cue

MIN_OVERLAP_S = 0.25
"""A cue belongs to a shot it overlaps by this much, or by half of the cue's or shot's length."""
ROUNDING_S = 1e-6
"""Halves of times that are no exact binary fractions may miss one another by less than this."""


def cues_by_shot(
    shots: Sequence[tuple[float, float]], cues: Sequence[Cue]
) -> list[tuple[Cue, ...]]:
    """Return the cues of each shot `[start_s, end_s)` by their times; one across a cut is in both.

    Shots and cues may come in any order and overlap. Every cue within the shots' span is in one
    shot at least. The work grows with shots, cues and what overlaps, not with their product.
    """
    coming = sorted(cues, key=lambda cue: (cue.start_s, cue.end_s), reverse=True)
    on: list[Cue] = []  # begun, and not known to have ended
    found: list[tuple[Cue, ...]] = [()] * len(shots)
    for number in sorted(range(len(shots)), key=lambda i: shots[i]):
        start_s, end_s = shots[number]
        on = [cue for cue in on if cue.end_s > start_s]
        while coming and coming[-1].start_s < end_s:
            on.append(coming.pop())
        found[number] = tuple(cue for cue in on if _belongs(cue, start_s, end_s))
    return found


def _belongs(cue: Cue, start_s: float, end_s: float) -> bool:
    overlap_s = min(end_s, cue.end_s) - max(start_s, cue.start_s)
    shorter_s = min(end_s - start_s, cue.end_s - cue.start_s)
    return overlap_s > 0 and overlap_s + ROUNDING_S >= min(MIN_OVERLAP_S, shorter_s / 2)
