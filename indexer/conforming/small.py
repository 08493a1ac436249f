"""Pictures small and grey, as trailers and their films are compared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from indexer.library import Library
from indexer.manifest import Manifest
from indexer.media.again import decoded_again
from indexer.media.planes import Size, small_i420
from indexer.media.probe import Media
from indexer.progress import Progress, silent
from indexer.shots.measures import SHEET_FRAME_WIDTH_PX
from qdrant.errors import InputError

if TYPE_CHECKING:
    import av

Pictures = NDArray[np.uint8]
"""(n, HEIGHT, WIDTH) brightness, 0 black to 255 white, stretched to this size from any shape."""

HEIGHT, WIDTH = 90, 160
FULL_RANGE = 2
"""libav's AVCOL_RANGE_JPEG: 0 to 255, not 16 to 235."""
STUDIO_BLACK, STUDIO_SPAN = 16, 219


@dataclass(frozen=True)
class Reel:
    """Consecutive pictures of a file, from its first on."""

    pictures: Pictures
    time_s: NDArray[np.float64]  # (n,) since the file's first picture
    aspect: float  # width over height, as seen
    rate: float  # frames a second

    def __len__(self) -> int:
        return len(self.pictures)


def reel_of(media: Media, *, progress: Progress = silent) -> Reel:
    """Return all pictures of a file. Raises `InputError` where none can be decoded."""
    shown = list(_decoded(media, 0.0, media.duration_s + 1.0, progress))
    if not shown:
        raise InputError(f"{media.path} has no picture that can be decoded. Re-export it.")
    pictures, times = zip(*shown, strict=True)
    return Reel(np.stack(pictures), np.array(times), aspect_of(media), float(media.rate))


def pictures_between(media: Media, start_s: float, end_s: float) -> tuple[Pictures, Any]:
    """Return the pictures shown in `[start_s, end_s)` of a file, and when, (n,) seconds."""
    shown = list(_decoded(media, max(0.0, start_s), end_s - 1 / float(media.rate), silent))
    if not shown:
        return np.zeros((0, HEIGHT, WIDTH), np.uint8), np.zeros(0)
    pictures, times = zip(*shown, strict=True)
    return np.stack(pictures), np.array(times)


def aspect_of(media: Media) -> float:
    """Return how much wider than high a file's picture is seen, as it is stored."""
    assert media.picture is not None
    picture = media.picture
    return picture.width * float(picture.pixel_aspect) / picture.height


def aspect_of_title(manifest: Manifest) -> float:
    """Return how much wider than high a title's thumbnails are: as the film is seen."""
    return manifest.width / manifest.height


def _decoded(
    media: Media, start_s: float, end_s: float, progress: Progress
) -> Iterator[tuple[Pictures, float]]:
    import av

    spans = decoded_again(media, from_s=media.start_s + start_s, to_s=media.start_s + end_s)
    try:
        for number, (frame, time_s) in enumerate(spans):
            yield _small(frame), time_s - media.start_s
            progress("Looking again", number + 1, media.expected_frames)
    except av.error.FFmpegError:  # what came before stands
        return


def _small(frame: av.VideoFrame) -> Pictures:
    i420 = small_i420(frame, size=Size(HEIGHT, WIDTH), smooth=True)
    luma = i420[:HEIGHT]
    if frame.color_range == FULL_RANGE:
        return luma.copy()
    spread = (luma.astype(np.float32) - STUDIO_BLACK) * (255 / STUDIO_SPAN)
    return np.asarray(np.clip(np.rint(spread), 0, 255), np.uint8)


def sheet_pictures(library: Library, manifest: Manifest) -> tuple[Pictures, NDArray[np.int64]]:
    """Return the few pictures that the library keeps of each shot, and which shot each is of.

    None of a title that was indexed before there were sheets. No film is needed.
    """
    import cv2

    found, shots = [], []
    for shot in range(manifest.num_shots):
        sheet = _grey(library.sheet(manifest.title_id, shot))
        if sheet is None:
            continue
        for left in range(0, sheet.shape[1] - SHEET_FRAME_WIDTH_PX + 1, SHEET_FRAME_WIDTH_PX):
            picture = sheet[:, left : left + SHEET_FRAME_WIDTH_PX]
            found.append(cv2.resize(picture, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA))
            shots.append(shot)
    empty = np.zeros((0, HEIGHT, WIDTH), np.uint8)
    return np.stack(found) if found else empty, np.array(shots, np.int64)


def _grey(path: Path) -> Any:
    import cv2

    try:
        stored = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError:
        return None
    return cv2.imdecode(stored, cv2.IMREAD_GRAYSCALE) if len(stored) else None
