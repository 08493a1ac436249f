"""What can be measured of a shot without a model: light, colour, sharpness, likeness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.media.planes import Image, Still

THUMBNAIL_WIDTH_PX = 320
THUMBNAIL_QUALITY = 82
SHEET_FRAMES = 8
SHEET_FRAME_WIDTH_PX = 160
SHEET_QUALITY = 70
"""A sheet's frames are looked at small and in passing: about 15 kB a shot."""
MEASURING_WIDTH_PX = 256
SHADES = 4
"""Levels a channel for finding a shot's main colour."""
DARK, BRIGHT = 24, 232
"""Mean brightness, 0..255, below or above which a picture shows little."""
MAX_CANDIDATES_COMPARED = 24


@dataclass(frozen=True)
class Look:
    """What a shot looks like, and the picture that stands for it."""

    thumbnail: bytes  # JPEG
    sheet: bytes  # JPEG: up to `SHEET_FRAMES` frames of the shot side by side, in order
    sharpness: float  # 0..1: how much fine detail the thumbnail's picture has
    colour: str  # the commonest colour, "#rrggbb"
    saturation: float  # 0..1
    fingerprint: str  # 16 hexadecimal digits: near-duplicates differ in few of the 64 bits


def look_of(stills: Sequence[Still]) -> Look:
    """Measure a shot by its stills, of which there is at least one, in order."""
    sheet = sheet_of(stills)
    stills = _thinned(stills)
    sharpness = [_sharpness(still) for still in stills]
    best = _most_telling(stills, sharpness)
    image = stills[best].rgb()
    return Look(
        thumbnail=_jpeg(image),
        sheet=sheet,
        sharpness=sharpness[best],
        colour=_main_colour(image),
        saturation=_saturation(image),
        fingerprint=_fingerprint(stills[best]),
    )


def sheet_of(stills: Sequence[Still]) -> bytes:
    """Return frames at even places among the stills side by side, as JPEG.

    Each is `SHEET_FRAME_WIDTH_PX` wide, so that a sheet's own width tells how many there are.
    """
    count = min(SHEET_FRAMES, len(stills))
    places = [int((i + 0.5) * len(stills) / count) for i in range(count)]
    frames = [stills[place].rgb(width_px=SHEET_FRAME_WIDTH_PX) for place in places]
    return _encoded(np.hstack(frames), quality=SHEET_QUALITY)


def num_bits_apart(one: str, other: str) -> int:
    """Return in how many of 64 bits two fingerprints differ; under 10, they show the same."""
    return (int(one, 16) ^ int(other, 16)).bit_count()


def _thinned(stills: Sequence[Still]) -> list[Still]:
    step = -(-len(stills) // MAX_CANDIDATES_COMPARED)
    return list(stills[step // 2 :: step])


def _most_telling(stills: Sequence[Still], sharpness: Sequence[float]) -> int:
    """Return which still is sharp, neither dark nor blown out, and like the rest of the shot."""
    import cv2

    tiny = [cv2.resize(s.luma, (16, 9), interpolation=cv2.INTER_AREA) for s in stills]
    pictures = np.stack(tiny).astype(np.float32)
    median = np.median(pictures, axis=0)
    strangeness = np.abs(pictures - median).mean(axis=(1, 2)) / 255
    light = pictures.mean(axis=(1, 2))
    contrast = pictures.std(axis=(1, 2)) / 128
    hidden = np.maximum(DARK - light, 0) / DARK + np.maximum(light - BRIGHT, 0) / (255 - BRIGHT)
    return int(np.argmax(np.sqrt(sharpness) + contrast - 2 * strangeness - hidden))


def _sharpness(still: Still) -> float:
    """Return the share of strong second differences, 0..1, on a picture of a fixed width."""
    import cv2

    height = max(2, round(still.luma.shape[0] * MEASURING_WIDTH_PX / still.luma.shape[1]))
    luma = cv2.resize(still.luma, (MEASURING_WIDTH_PX, height), interpolation=cv2.INTER_AREA)
    deviation = float(cv2.Laplacian(luma, cv2.CV_16S).std())
    return min(1.0, deviation / 64)


def _main_colour(image: Image) -> str:
    """Return the mean of the fullest of 64 boxes of colours."""
    pixels = image[::4, ::4].reshape(-1, 3).astype(np.int64)
    boxes = pixels * SHADES // 256 @ np.array([SHADES * SHADES, SHADES, 1])
    fullest = np.bincount(boxes, minlength=SHADES**3).argmax()
    red, green, blue = pixels[boxes == fullest].mean(axis=0).round().astype(int)
    return f"#{red:02x}{green:02x}{blue:02x}"


def _saturation(image: Image) -> float:
    pixels = image[::4, ::4].astype(np.float32)
    top, bottom = pixels.max(axis=2), pixels.min(axis=2)
    return float(np.mean((top - bottom) / np.maximum(top, 1)))


def _fingerprint(still: Still) -> str:
    """Return a perceptual hash: the signs of the 64 lowest frequencies, less the mean.

    Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010.
    """
    import cv2

    small: NDArray[np.float32] = cv2.resize(
        still.luma, (32, 32), interpolation=cv2.INTER_AREA
    ).astype(np.float32)
    waves = cv2.dct(small)[:8, :8].ravel()
    signs = waves > np.median(waves[1:])
    return f"{int(''.join('1' if sign else '0' for sign in signs), 2):016x}"


def _jpeg(image: Image) -> bytes:
    import cv2

    height, width = image.shape[:2]
    size = (THUMBNAIL_WIDTH_PX, max(2, round(height * THUMBNAIL_WIDTH_PX / width)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return _encoded(small, quality=THUMBNAIL_QUALITY)


def _encoded(image: Any, *, quality: int) -> bytes:
    import cv2

    options = [cv2.IMWRITE_JPEG_QUALITY, quality]
    _, jpeg = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)
    return bytes(jpeg)
