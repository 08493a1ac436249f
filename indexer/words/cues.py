"""A cue: something said or heard, with its time."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

LONGEST_FILM_S = 1_000_000.0
"""Times beyond this (eleven days) are damage, not subtitles."""


@dataclass(frozen=True)
class Cue:
    """What is said in `[start_s, end_s)` on the pictures' clock, by one speaker."""

    start_s: float
    end_s: float
    text: (
        str  # one line: no markup, no speaker's name, no sounds; empty where there are only sounds
    )
    speaker: str | None = None  # as written: NARRATOR, Ann; None where nobody is named
    sounds: tuple[str, ...] = ()  # what is heard: "door slams", "music" (also beside sung words)


def in_order(cues: Iterable[Cue]) -> tuple[Cue, ...]:
    """Return cues by their times, each once; those without length, words and sounds are left out.

    One that begins before the film (cut from a longer one) begins with it.
    """
    whole = (_within_the_film(cue) for cue in cues if _says_something(cue))
    kept = dict.fromkeys(cue for cue in whole if cue.end_s > cue.start_s)
    return tuple(sorted(kept, key=lambda cue: (cue.start_s, cue.end_s)))


def moved(cues: Iterable[Cue], by_s: float) -> tuple[Cue, ...]:
    """Return cues `by_s` seconds later (earlier where negative), in order."""
    return in_order(
        replace(cue, start_s=round(cue.start_s + by_s, 6), end_s=round(cue.end_s + by_s, 6))
        for cue in cues
    )


def _says_something(cue: Cue) -> bool:
    timed = math.isfinite(cue.start_s) and math.isfinite(cue.end_s)
    return bool(cue.text or cue.sounds) and timed and cue.end_s < LONGEST_FILM_S


def _within_the_film(cue: Cue) -> Cue:
    return cue if cue.start_s >= 0 else replace(cue, start_s=0.0)
