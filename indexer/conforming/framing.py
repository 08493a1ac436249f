"""Which part of a film's picture a trailer shows: its bars taken off, its crop found. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.conforming import blocks
from indexer.conforming.small import Pictures

SCALES = (1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.5)
"""How much of the film's picture may be left, side by side."""
CROP_MARGIN = 0.03
"""By so much more must a smaller part correlate: it finds likeness more easily by chance."""
LOOKED_FOR_IN = (96, 54)
"""Width and height in which the part is looked for."""
AROUND_SHARE = 1 / 16
"""Of the picture's width: the radius within which contrast is evened."""
LEAST_SPREAD, STRONGEST = 4.0, 2.0
"""Noise that is not to be raised, of 255; and how much of its surroundings' contrast is kept."""
BLACK = 14
"""Brightness, of 255, that rows and columns of bars do not pass."""
MOSTLY = 75
"""Percent of the pictures in which they do not."""
UNEVEN_PIXELS = 2
BAR_SHARE = 0.45
"""No bar is wider than this share of the picture."""
BAR_PIXELS = 2
SPARED_PIXELS = 1
"""A bar's edge lies within a pixel, which belongs to neither side."""


@dataclass(frozen=True)
class Box:
    """A part of a picture, in shares of its width and height."""

    left: float = 0.0
    top: float = 0.0
    width: float = 1.0
    height: float = 1.0

    def within(self, outer: Box) -> Box:
        """Return where this part of another part lies in the whole."""
        return Box(
            outer.left + self.left * outer.width,
            outer.top + self.top * outer.height,
            self.width * outer.width,
            self.height * outer.height,
        )


WHOLE = Box()


def without_bars(pictures: Pictures) -> Box:
    """Return what is left of pictures when bars that are black in most of them are taken off.

    Cards may be without them. Bars come in pairs, equally wide.
    """
    if not len(pictures):
        return WHOLE
    rows = np.percentile(pictures.mean(axis=2), MOSTLY, axis=0) > BLACK
    columns = np.percentile(pictures.mean(axis=1), MOSTLY, axis=0) > BLACK
    down, across = _bars(rows), _bars(columns)
    return Box(across, down, 1 - 2 * across, 1 - 2 * down)


def _bars(is_lit: NDArray[np.bool_]) -> float:
    """Return the share of a side that the bar at either of its ends takes."""
    first, last = int(np.argmax(is_lit)), int(np.argmax(is_lit[::-1]))
    wide = min(first, last)
    uneven = abs(first - last) > UNEVEN_PIXELS
    if not is_lit.any() or uneven or not BAR_PIXELS <= wide <= BAR_SHARE * len(is_lit):
        return 0.0
    return (max(first, last) + SPARED_PIXELS) / len(is_lit)


def cut_out(pictures: Pictures, box: Box, size: tuple[int, int]) -> Pictures:
    """Return a part of each picture in `size` (width, height): (n, height, width) uint8."""
    import cv2

    width, height = size
    own_height, own_width = pictures.shape[1:]
    across, down = box.width * own_width / width, box.height * own_height / height
    matrix = np.array(
        [
            [across, 0.0, box.left * own_width + across / 2 - 0.5],
            [0.0, down, box.top * own_height + down / 2 - 0.5],
        ]
    )
    # Linear interpolation looks at two pixels; what spans more of them is averaged first.
    boxes = [max(1, int(side)) for side in (across, down)]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    made = np.empty((len(pictures), height, width), np.uint8)
    for number, picture in enumerate(pictures):
        smooth = cv2.blur(picture, (boxes[0] | 1, boxes[1] | 1)) if max(boxes) > 1 else picture
        cv2.warpAffine(
            smooth, matrix, size, dst=made[number], flags=flags, borderMode=cv2.BORDER_REPLICATE
        )
    return made


def as_compared(pictures: Pictures, box: Box) -> NDArray[np.uint8]:
    """Return a part of each picture in the size in which blocks are made of it."""
    return cut_out(pictures, box, (blocks.WIDTH, blocks.HEIGHT))


def evened(pictures: Pictures) -> Pictures:
    """Return pictures in which every place has as much contrast as any: titles outshine nothing."""
    import cv2

    made = np.empty_like(pictures)
    around = pictures.shape[2] * AROUND_SHARE
    for number, picture in enumerate(pictures):
        light = picture.astype(np.float32)
        light -= cv2.GaussianBlur(light, (0, 0), around)
        spread = np.sqrt(cv2.GaussianBlur(light * light, (0, 0), around))
        even = np.clip(light / (spread + LEAST_SPREAD), -STRONGEST, STRONGEST)
        made[number] = np.rint(even * (127 / STRONGEST) + 128)
    return made


def largest(clip_aspect: float, film_aspect: float) -> Box:
    """Return the largest part of a film's picture that has the trailer's shape, in its middle."""
    if clip_aspect >= film_aspect:
        height = film_aspect / clip_aspect
        return Box(0.0, (1 - height) / 2, 1.0, height)
    width = clip_aspect / film_aspect
    return Box((1 - width) / 2, 0.0, width, 1.0)


def framing_of(clip: Pictures, film: Pictures, shape: Box) -> tuple[Box, float]:
    """Return the part of the film's pictures that the trailer's show, and how alike they are.

    `clip` and `film` are a few pictures each, bars off, any of the one may show what any of the
    other does; `shape` is the largest part with the trailer's shape. Likeness is -1..1.
    """
    best, best_alike = shape, -1.0
    for scale in SCALES:
        width, height = (
            max(8, round(side * share * scale))
            for side, share in zip(LOOKED_FOR_IN, (shape.width, shape.height), strict=True)
        )
        if width > LOOKED_FOR_IN[0] or height > LOOKED_FOR_IN[1]:
            continue
        found = [_where(picture, film, (width, height)) for picture in clip]
        alike = float(np.mean([each[0] for each in found]))
        if alike > best_alike + (CROP_MARGIN if best_alike > -1 else 0.0):
            _, left, top = max(found)
            best_alike = alike
            best = Box(left, top, width / LOOKED_FOR_IN[0], height / LOOKED_FOR_IN[1])
    return best, best_alike


def alike_within(clip: Pictures, film: Pictures, box: Box) -> float:
    """Return how alike the trailer's pictures and a part of the film's are, -1..1."""
    width, height = LOOKED_FOR_IN
    left, top = round(box.left * width), round(box.top * height)
    size = max(8, round(box.width * width)), max(8, round(box.height * height))
    part = film[:, top : top + size[1], left : left + size[0]]
    size = part.shape[2], part.shape[1]
    return float(np.mean([_where(picture, part, size)[0] for picture in clip]))


def _where(picture: Pictures, film: Pictures, size: tuple[int, int]) -> tuple[float, float, float]:
    """Return how well a picture is found in the best of the film's, and where."""
    import cv2

    sought = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    best = (-1.0, 0.0, 0.0)
    for within in film:
        scores = cv2.matchTemplate(within, sought, cv2.TM_CCOEFF_NORMED)
        _, alike, _, (left, top) = cv2.minMaxLoc(scores)
        if np.isfinite(alike) and alike > best[0]:
            best = (float(alike), left / LOOKED_FOR_IN[0], top / LOOKED_FOR_IN[1])
    return best
