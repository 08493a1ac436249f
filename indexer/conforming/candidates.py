"""Where in a film a trailer's shot may be from: by vectors, and by the pictures kept of each shot.

Vectors know what a shot is about, and miss what is graded, slowed or written over; the few small
pictures that the library keeps of each shot know what it looks like. Both only say where to look.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.aligning.align import Alignment
from indexer.conforming.blocks import HEIGHT as COMPARED_HEIGHT
from indexer.conforming.blocks import WIDTH as COMPARED_WIDTH
from indexer.conforming.blocks import shows_something
from indexer.conforming.framing import (
    LOOKED_FOR_IN,
    WHOLE,
    Box,
    as_compared,
    cut_out,
    evened,
    framing_of,
    largest,
    without_bars,
)
from indexer.conforming.small import Pictures

KEYS = 3
"""So many pictures of a trailer's shot are looked for."""
COARSE_SIZE = (24, 14)
COARSE_SCALES = (1.0, 0.85, 0.7)
COARSE_PLACES = (0.0, 0.5, 1.0)
"""Where a smaller part may lie, of the room that there is."""
LOOKED_AT = 8
"""So many of a film's shots are looked at closely for each of the trailer's."""
KEPT = 3
FAR_BEHIND = 0.2
"""What correlates by so much less than the best is not it."""
LEAST_ALIKE = 0.3
"""Correlation of two pictures below which it is not worth decoding the film there."""
VOUCHED_FOR = 0.2
"""What it must be where vectors say so too."""

Span = tuple[int, int]


@dataclass(frozen=True)
class Candidate:
    """A film's shot that a trailer's shot may be from."""

    clip_shot: int
    film_shot: int
    framing: Box  # the part of the film's whole picture that is shown
    alike: float  # -1..1


@dataclass(frozen=True)
class Known:
    """The pictures that the library keeps of a film's shots, made comparable."""

    shot: NDArray[np.int64]  # (n,) whose each is
    active: Box  # what is left without bars
    shape: Box  # the largest part with the trailer's shape, of what is left
    pictures: Pictures  # (n, 54, 96) without bars, evened

    @classmethod
    def of(
        cls, pictures: Pictures, shot: NDArray[np.int64], *, aspect: float, clip_aspect: float
    ) -> Known:
        """Return them for a trailer of some shape."""
        active = without_bars(pictures)
        shape = largest(clip_aspect, aspect * active.width / active.height)
        return cls(shot, active, shape, evened(cut_out(pictures, active, LOOKED_FOR_IN)))


def candidates_of(
    clip: Pictures, clip_shots: Sequence[Span], known: Known, alignment: Alignment | None
) -> list[Candidate]:
    """Return the shots of a film that each shot of a trailer may be from, most alike first.

    `clip` are all the trailer's pictures, its bars taken off.
    """
    if not len(known.pictures):
        return []
    keys = [_keys(clip, span) for span in clip_shots]
    likely = _coarsely(clip, keys, known)
    found: list[Candidate] = []
    for number, places in enumerate(keys):
        vouched = _vouched(alignment, number)
        shots = list(dict.fromkeys([*likely[number], *vouched]))
        if not len(places):
            continue
        looked = []
        for shot in shots:
            framing, alike = framing_of(
                evened(clip[places]), known.pictures[known.shot == shot], known.shape
            )
            if alike >= (VOUCHED_FOR if shot in vouched else LEAST_ALIKE):
                box = framing.within(known.active)
                looked.append(Candidate(number, int(shot), box, alike))
        looked.sort(key=lambda one: -one.alike)
        found += [one for one in looked[:KEPT] if one.alike > looked[0].alike - FAR_BEHIND]
    return found


def _keys(clip: Pictures, span: Span) -> NDArray[np.int64]:
    """Return a few frames of a shot that show something."""
    frames = np.arange(*span)
    frames = frames[shows_something(clip[span[0] : span[1]])]
    if len(frames) <= KEYS:
        return frames
    return np.asarray(frames[((np.arange(KEYS) + 0.5) * len(frames) / KEYS).astype(np.int64)])


def _coarsely(clip: Pictures, keys: Sequence[NDArray[np.int64]], known: Known) -> list[list[int]]:
    """Return the shots most like each of the trailer's, by whole pictures and some parts."""
    places = np.concatenate([*keys, np.zeros(0, np.int64)])
    if not len(places):
        return [[] for _ in keys]
    asked = _flat(as_compared(evened(clip[places]), WHOLE))
    best = np.full((len(places), len(known.pictures)), -1.0, np.float32)
    for part in _parts(known.shape):
        np.maximum(best, asked @ _flat(_part_of(known, part)).T, out=best)
    likely, first = [], 0
    for frames in keys:
        alike = best[first : first + len(frames)]
        first += len(frames)
        order = np.argsort(-alike.max(axis=0)) if len(frames) else np.zeros(0, np.int64)
        shots = dict.fromkeys(int(shot) for shot in known.shot[order])
        likely.append(list(shots)[:LOOKED_AT])
    return likely


def _parts(shape: Box) -> list[Box]:
    parts = [shape]
    for scale in COARSE_SCALES:
        width, height = shape.width * scale, shape.height * scale
        for across in COARSE_PLACES:
            for down in COARSE_PLACES:
                part = Box((1 - width) * across, (1 - height) * down, width, height)
                if part not in parts:
                    parts.append(part)
    return parts


def _part_of(known: Known, part: Box) -> NDArray[np.uint8]:
    import cv2

    width, height = LOOKED_FOR_IN
    left, top = round(part.left * width), round(part.top * height)
    right = max(left + 8, round((part.left + part.width) * width))
    bottom = max(top + 8, round((part.top + part.height) * height))
    cut = known.pictures[:, top:bottom, left:right]
    resized = [
        cv2.resize(one, (COMPARED_WIDTH, COMPARED_HEIGHT), interpolation=cv2.INTER_AREA)
        for one in cut
    ]
    return np.stack(resized)


def _flat(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return pictures so that a product is their correlation, blurred: crops are only tried."""
    import cv2

    small = np.stack([cv2.resize(one, COARSE_SIZE, interpolation=cv2.INTER_AREA)
                      for one in pictures]).reshape(len(pictures), -1)  # fmt: skip
    flat = small.astype(np.float32)
    flat -= flat.mean(axis=1, keepdims=True)
    return np.asarray(flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6))


def _vouched(alignment: Alignment | None, clip_shot: int) -> list[int]:
    """Return the film's shots that vectors say this one is from."""
    block = alignment.matches[clip_shot].title_shots if alignment else None
    return list(range(*block)) if block else []
