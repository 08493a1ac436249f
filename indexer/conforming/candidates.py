"""Where in a film a trailer's shot may be from: by vectors, and by the pictures kept of each shot.

Vectors know what a shot is about, and miss what is graded, slowed or written over; the few small
pictures that the library keeps of each shot know what it looks like. Both only say where to look.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

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
    alike_within,
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
SURE, AGREED = 0.55, 0.03
"""Correlation of a shot that has a say in what is shown of the film, and how near two must come."""
PREFERRED = 0.1
"""By so much less may what all agree on correlate: a pan lets time stand for a part of its own."""
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

    `clip` are all the trailer's pictures, its bars taken off. Most trailers are cropped throughout:
    the part that several shots agree on is then looked for in all of them.
    """
    if not len(known.pictures):
        return []
    keys = [evened(clip[_keys(clip, span)]) for span in clip_shots]
    likely = _coarsely(keys, known, _parts(known.shape))
    found = [
        {shot: _looked_for(key, known, number, shot)
         for shot in [*shots, *_vouched(alignment, number)]} if len(key) else {}
        for number, (key, shots) in enumerate(zip(keys, likely, strict=True))
    ]  # fmt: skip
    usual = _usual(found)
    if usual is not None:
        for number, shots in enumerate(_coarsely(keys, known, [usual])):
            for shot in [*shots, *found[number]] if len(keys[number]) else ():
                film = known.pictures[known.shot == shot]
                fixed = Candidate(number, shot, usual, alike_within(keys[number], film, usual))
                free = found[number].get(shot)
                if free is None or fixed.alike > free.alike - PREFERRED:
                    found[number][shot] = fixed
    best = [
        one
        for number, looked in enumerate(found)
        for one in _best(looked.values(), vouched=_vouched(alignment, number))
    ]
    # Where a shot has a part of its own, what all agree on is tried as well: all frames will tell.
    also = [replace(one, framing=usual) for one in best if usual not in (None, one.framing)]
    return [replace(one, framing=one.framing.within(known.active)) for one in best + also]


def _looked_for(clip: Pictures, known: Known, clip_shot: int, film_shot: int) -> Candidate:
    film = known.pictures[known.shot == film_shot]
    return Candidate(clip_shot, film_shot, *framing_of(clip, film, known.shape))


def _usual(found: Sequence[dict[int, Candidate]]) -> Box | None:
    """Return the part of the film's picture that the most shots agree on; None: no two do."""
    best = [max(looked.values(), key=lambda one: one.alike) for looked in found if looked]
    sure = [one for one in best if one.alike >= SURE]
    agreed = [[other for other in sure if _is_near(one.framing, other.framing)] for one in sure]
    most = max(agreed, key=lambda group: sum(one.alike for one in group), default=[])
    return max(most, key=lambda one: one.alike).framing if len(most) > 1 else None


def _is_near(one: Box, other: Box) -> bool:
    apart = (one.left - other.left, one.top - other.top, one.width - other.width)
    return max(map(abs, apart)) <= AGREED


def _best(looked: Iterable[Candidate], *, vouched: Sequence[int]) -> list[Candidate]:
    order = sorted(looked, key=lambda one: -one.alike)
    return [
        one
        for one in order[:KEPT]
        if one.alike >= (VOUCHED_FOR if one.film_shot in vouched else LEAST_ALIKE)
        and one.alike > order[0].alike - FAR_BEHIND
    ]


def _keys(clip: Pictures, span: Span) -> NDArray[np.int64]:
    """Return a few frames of a shot that show something."""
    frames = np.arange(*span)
    frames = frames[shows_something(clip[span[0] : span[1]])]
    if len(frames) <= KEYS:
        return frames
    return np.asarray(frames[((np.arange(KEYS) + 0.5) * len(frames) / KEYS).astype(np.int64)])


def _coarsely(keys: Sequence[Pictures], known: Known, parts: Sequence[Box]) -> list[list[int]]:
    """Return the film's shots most like each of the trailer's, by whole pictures and some parts."""
    if not any(map(len, keys)):
        return [[] for _ in keys]
    asked = _flat(as_compared(np.concatenate(list(keys)), WHOLE))
    best = np.full((len(asked), len(known.pictures)), -1.0, np.float32)
    for part in parts:
        np.maximum(best, asked @ _flat(_part_of(known, part)).T, out=best)
    likely, first = [], 0
    for pictures in keys:
        alike = best[first : first + len(pictures)]
        first += len(pictures)
        order = np.argsort(-alike.max(axis=0)) if len(pictures) else np.zeros(0, np.int64)
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
