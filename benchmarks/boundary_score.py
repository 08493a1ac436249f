"""How well named boundaries fit the true ones: one rule for every detector.

A hard cut is found by a boundary within the tolerance of its frame; a gradual transition by one
within its span, widened by the tolerance at both ends. A boundary finds one transition at most, and
a transition is found once. A boundary that finds nothing is a false alarm: of the gradual kind
within a gradual transition's widened span (the second cut in one dissolve); anywhere else it
counts against both kinds, for a detector need not say which it means.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.edited_reel import Transition


@dataclass
class Tally:
    """Counts of one kind of transition."""

    found: int = 0
    missed: int = 0
    false: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.found + other.found, self.missed + other.missed, self.false + other.false)

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall; 1 where there was nothing to find."""
        whole = 2 * self.found + self.missed + self.false
        return 2 * self.found / whole if whole else 1.0


@dataclass(frozen=True)
class Score:
    """How hard and gradual transitions were found."""

    hard: Tally
    gradual: Tally

    def __add__(self, other: Score) -> Score:
        return Score(self.hard + other.hard, self.gradual + other.gradual)


def score(named: Iterable[int], truth: Sequence[Transition], *, tolerance: int) -> Score:
    """Return the counts for boundaries named by their frames, with a tolerance in frames."""
    left = sorted(named)
    hard, gradual = Tally(), Tally()
    # Taking the earliest end first, with the earliest boundary in reach, matches the most.
    for transition in sorted(truth, key=lambda t: t.end):
        tally = hard if transition.kind == "cut" else gradual
        hit = next((f for f in left if _finds(f, transition, tolerance)), None)
        if hit is None:
            tally.missed += 1
        else:
            tally.found += 1
            left.remove(hit)
    slow = [t for t in truth if t.kind != "cut"]
    for frame in left:
        gradual.false += 1
        if not any(_finds(frame, t, tolerance) for t in slow):
            hard.false += 1
    return Score(hard, gradual)


def _finds(frame: int, transition: Transition, tolerance: int) -> bool:
    return transition.start - tolerance <= frame <= transition.end + tolerance
