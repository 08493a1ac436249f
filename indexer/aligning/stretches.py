"""Steps of a path that follow one another, as one span of the title. Pure.

Shots are compared whole, so a span's ends are those of its shots, but where lengths tell more: the
cut between two shots that follow one another in the title too is taken for the title's own, and
from there the clip's length leads to where it begins and ends inside the outer shots. A shot alone
tells nothing: of 1.2 s out of one of 6 s, the span is the 6 s.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.aligning.paths import Block, Places
from indexer.aligning.shots import ShotRow

TOLERANCE_S = 0.1
"""Two frames and a little: lengths that differ by less are the same."""

Span = tuple[float, float]


@dataclass(frozen=True)
class Stretch:
    """Consecutive shots of a clip that are consecutive in a title. All spans are half-open."""

    clip_shots: Block
    title_shots: Block
    clip_s: Span
    title_s: Span
    title_frames: Block | None  # None: the title's frames are not known
    told: tuple[bool, bool]  # whether lengths tell its start and its end; else they are the shots'
    confidence: float  # 0..1, of its shots, weighed by their length

    @property
    def seconds(self) -> float:
        """How much of the clip it is."""
        return self.clip_s[1] - self.clip_s[0]


def stretches_of(
    clip: ShotRow, title: ShotRow, places: Places, sure: NDArray[np.float64]
) -> Iterator[Stretch]:
    """Yield the stretches of a path, in the clip's order. `sure` (num_clip_shots,) is per shot."""
    first = 0
    while first < len(places):
        end = first + 1
        while end < len(places) and _follows(places[end - 1], places[end]):
            end += 1
        blocks = [block for block in places[first:end] if block is not None]
        if blocks:
            yield _stretch(clip, title, first, blocks, sure)
        first = end


def _follows(block: Block | None, following: Block | None) -> bool:
    """Whether one place goes on where the other ended, or in its last shot."""
    if block is None or following is None:
        return False
    return following[0] in (block[1], block[1] - 1)


def _stretch(
    clip: ShotRow, title: ShotRow, first: int, blocks: list[Block], sure: NDArray[np.float64]
) -> Stretch:
    end = first + len(blocks)
    shots = blocks[0][0], blocks[-1][1]
    start_s = _told_start(clip.seconds[first:end], title, blocks)
    end_s = _told_end(clip.seconds[first:end], title, blocks)
    shot_s = float(title.start_s[shots[0]]), float(title.end_s[shots[1] - 1])
    told = start_s is not None, end_s is not None
    return Stretch(
        clip_shots=(first, end),
        title_shots=shots,
        clip_s=(float(clip.start_s[first]), float(clip.end_s[end - 1])),
        title_s=(
            shot_s[0] if start_s is None else start_s,
            shot_s[1] if end_s is None else end_s,
        ),
        title_frames=_frames(title, shots, start_s, end_s),
        told=told,
        confidence=float(np.average(sure[first:end], weights=clip.seconds[first:end])),
    )


def _told_start(seconds: NDArray[np.float64], title: ShotRow, blocks: list[Block]) -> float | None:
    """Return where the first shot begins, counted back from the first cut that both have."""
    cut = next((i for i in range(1, len(blocks)) if blocks[i][0] == blocks[i - 1][1]), None)
    first = blocks[0][0]
    if cut is None:  # one shot, or several of one: they tell where they make up all of it
        whole_s = float(title.end_s[blocks[-1][1] - 1] - title.start_s[first])
        return float(title.start_s[first]) if _same(float(seconds.sum()), whole_s) else None
    cut_s = float(title.end_s[blocks[cut - 1][1] - 1])
    start_s = cut_s - float(seconds[:cut].sum())
    earliest_s, latest_s = float(title.start_s[first]), float(title.end_s[first])
    if not earliest_s - TOLERANCE_S <= start_s < latest_s:
        return None
    return earliest_s if _same(start_s, earliest_s) else start_s


def _told_end(seconds: NDArray[np.float64], title: ShotRow, blocks: list[Block]) -> float | None:
    """Return where the last shot ends, counted on from the last cut that both have: mirrored."""
    mirrored = ShotRow(-title.end_s[::-1], -title.start_s[::-1], {})
    last = len(title)
    backwards = [(last - end, last - first) for first, end in reversed(blocks)]
    end_s = _told_start(seconds[::-1], mirrored, backwards)
    return None if end_s is None else -end_s


def _same(one_s: float, other_s: float) -> bool:
    return abs(one_s - other_s) <= TOLERANCE_S


def _frames(
    title: ShotRow, shots: Block, start_s: float | None, end_s: float | None
) -> Block | None:
    """Return the span in frames; inside a shot counted from its own first frame."""
    if title.frames is None or title.rate is None:
        return None
    first, last = shots[0], shots[1] - 1
    start_frame, end_frame = int(title.frames[first, 0]), int(title.frames[last, 1])
    if start_s is not None:
        start_frame += round((start_s - float(title.start_s[first])) * title.rate)
    if end_s is not None:
        end_frame -= round((float(title.end_s[last]) - end_s) * title.rate)
    return start_frame, max(end_frame, start_frame + 1)
