"""What a clip laid along its film found, against what is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from indexer.aligning.align import Alignment
from indexer.aligning.shots import ShotRow
from indexer.aligning.stretches import Stretch
from indexer.aligning.worth import worth_of
from qdrant.calibration import Calibration

JUST_INSIDE_S = 0.02
"""Half a frame: what is asked of the truth at a cut is the frame after it."""

Bands = Mapping[str, Calibration]
Truth = Callable[[float], float | None]
"""The second of film that is seen at one of the clip; None: it is not from the film."""


@dataclass(frozen=True)
class Judged:
    """What one clip found in its film."""

    right: tuple[bool, ...]  # a shot
    alone: tuple[bool, ...]  # the same, each shot asked alone
    foreign: tuple[bool, ...]  # whether it is not from the film
    places: tuple[bool, ...]  # whether it was given one
    confidence: tuple[float, ...]
    off_told_s: tuple[float, ...]  # of right shots of the film
    off_untold_s: tuple[float, ...]


def judge(clip: ShotRow, film: ShotRow, found: Alignment, truth: Truth, bands: Bands) -> Judged:
    """Compare what was found with what is known."""
    middles = [truth(float(middle)) for middle in (clip.start_s + clip.end_s) / 2]
    best = worth_of(clip, film, bands)[0].argmax(axis=1).tolist()
    alone = [_shows(film, (shot, shot + 1), at) for shot, at in zip(best, middles, strict=True)]
    right = [
        match.title_shots is None if at is None else _shows(film, match.title_shots, at)
        for match, at in zip(found.matches, middles, strict=True)
    ]
    off: dict[bool, list[float]] = {True: [], False: []}
    for shot, (stretch, given_s) in given(found, clip, film).items():
        true_s = truth(float(clip.start_s[shot]) + JUST_INSIDE_S)
        if right[shot] and true_s is not None:
            off[any(stretch.told)].append(abs(given_s - true_s + JUST_INSIDE_S))
    return Judged(
        right=tuple(right),
        alone=tuple(alone),
        foreign=tuple(at is None for at in middles),
        places=tuple(match.title_shots is not None for match in found.matches),
        confidence=tuple(match.confidence for match in found.matches),
        off_told_s=tuple(off[True]),
        off_untold_s=tuple(off[False]),
    )


def given(found: Alignment, clip: ShotRow, film: ShotRow) -> dict[int, tuple[Stretch, float]]:
    """Return the film's second that each shot with a place is said to begin with."""
    seconds = {}
    for stretch in found.stretches:
        for shot in range(*stretch.clip_shots):
            block = found.matches[shot].title_shots
            assert block is not None
            start_s = float(film.start_s[block[0]])
            if shot == stretch.clip_shots[0]:
                start_s = stretch.title_s[0]
            elif (
                stretch.told[0] and found.matches[shot - 1].title_shots == block
            ):  # a cut of its own
                start_s = seconds[shot - 1][1] + float(clip.seconds[shot - 1])
            seconds[shot] = stretch, start_s
    return seconds


def _shows(film: ShotRow, block: tuple[int, int] | None, at_s: float | None) -> bool:
    if block is None or at_s is None:
        return False
    return bool(film.start_s[block[0]] <= at_s < film.end_s[block[1] - 1])
