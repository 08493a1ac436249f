"""Which second of one film is most like a second of another: frames small, grey, levelled."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from indexer.media.again import decoded_again
from indexer.media.planes import small_i420
from indexer.media.probe import probe
from indexer.shots.look import detection_size
from indexer.shots.strip import StripMaker, grey

WINDOW_FRAMES = 25
"""A second: one picture may be like many, and the way it moves is like few."""
DARKEST_SPREAD = 2.0
"""Of 255. A picture whose brightness varies less is black, and like nothing."""


@dataclass(frozen=True)
class Frames:
    """Frames in a row, made comparable whatever their fade or tint."""

    time_s: NDArray[np.float64]  # (n,) since the file's first frame
    levelled: NDArray[np.float32]  # (n, 27 * 48) mean 0, unit length; zeros for black


@dataclass(frozen=True)
class Alignment:
    """Two seconds that are alike: one of the clip's file, one of the film."""

    here_s: float
    there_s: float
    likeness: float  # mean normalised correlation, -1..1


def footage(path: Path, start_s: float, end_s: float) -> Frames:
    """Return the frames of `[start_s, end_s)` of a file."""
    cv2.setNumThreads(1)
    media, maker = probe(path), StripMaker()
    assert media.picture is not None
    size, zero_s = detection_size(media.picture), media.start_s
    last_s = end_s - 1 / float(media.rate)
    for frame, time_s in decoded_again(media, from_s=start_s + zero_s, to_s=last_s + zero_s):
        maker.see(small_i420(frame, size=size), time_s=time_s - zero_s)
    strip = maker.take()
    pictures = grey(strip.small).reshape(len(strip), -1)
    pictures = pictures - pictures.mean(axis=1, keepdims=True)
    spread = pictures.std(axis=1, keepdims=True)
    length = np.linalg.norm(pictures, axis=1, keepdims=True)
    levelled = np.where(spread > DARKEST_SPREAD, pictures / np.maximum(length, 1e-6), 0)
    return Frames(strip.time_s, levelled.astype(np.float32))


def most_alike(here: Frames, there: Frames) -> Alignment:
    """Return where a window of frames of one is most like one of the other, frame by frame."""
    likeness = here.levelled @ there.levelled.T
    window = min(WINDOW_FRAMES, *likeness.shape)
    rows, columns = (n - window + 1 for n in likeness.shape)
    runs = sum(likeness[k : k + rows, k : k + columns] for k in range(window)) / window
    row, column = np.unravel_index(int(np.argmax(runs)), runs.shape)
    middle = window // 2
    return Alignment(
        float(here.time_s[row + middle]),
        float(there.time_s[column + middle]),
        float(runs[row, column]),
    )
