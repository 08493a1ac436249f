"""The picture of a segment that has none: its waveform."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from indexer.sound.recording import FULL_SCALE

WIDTH_PX = 320
HEIGHT_PX = 180
MARGIN_PX = 12
JPEG_QUALITY = 90

# RGB. The picture brings its own ground, so that it reads on dark pages and on light ones.
GROUND = (24, 28, 36)
AXIS = (70, 80, 96)
WAVE = (122, 204, 190)
CORE = (205, 242, 234)
"""The root-mean-square level, inside the peaks."""

FULL_HEIGHT_FROM = 0.1
"""A segment whose peak is this share of full scale fills the height; a quieter one stays low."""


def waveform_jpeg(samples: NDArray[np.int16]) -> bytes:
    """Return a 320x180 JPEG of (num_samples,) int16: lowest and highest, and level, a column.

    No samples give the bare axis. The same samples give the same bytes.
    """
    import cv2

    picture = _drawn(samples)
    bgr = np.ascontiguousarray(picture[:, :, ::-1])
    done, jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    assert done
    return bytes(jpeg.tobytes())


def _drawn(samples: NDArray[np.int16]) -> NDArray[np.uint8]:
    """Return (HEIGHT_PX, WIDTH_PX, 3) uint8 RGB."""
    picture = np.full((HEIGHT_PX, WIDTH_PX, 3), GROUND, np.uint8)
    middle = HEIGHT_PX // 2
    picture[middle] = AXIS
    if not len(samples):
        return picture
    lows, highs, levels = _columns(samples)
    peak = max(-float(lows.min()), float(highs.max()))
    scale = (middle - MARGIN_PX) / max(peak, FULL_HEIGHT_FROM)
    rows = np.arange(HEIGHT_PX)[:, None]
    for tops, bottoms, colour in ((highs, lows, WAVE), (levels, -levels, CORE)):
        first, last = middle - np.rint(tops * scale), middle - np.rint(bottoms * scale)
        picture[(rows >= first) & (rows <= last) & (last > first)] = colour
    return picture


def _columns(samples: NDArray[np.int16]) -> tuple[NDArray[np.float64], ...]:
    """Return the lowest, the highest and the root-mean-square of each column's samples, -1..1.

    Fewer samples than columns are drawn as steps.
    """
    edges = np.linspace(0, len(samples), WIDTH_PX + 1).astype(np.int64)
    starts = np.minimum(edges[:-1], len(samples) - 1)
    lows, highs = (f.reduceat(samples, starts) / FULL_SCALE for f in (np.minimum, np.maximum))
    powers = np.add.reduceat(np.square(samples / np.float32(FULL_SCALE), dtype=np.float64), starts)
    counts = np.maximum(1, np.diff(np.append(starts, len(samples))))
    return lows, highs, np.sqrt(powers / counts)
