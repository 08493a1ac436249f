"""One pass over a film's pictures: shots, with the frames and measures that stand for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from indexer.media.decode import Decoding, Image, Picture, pictures
from indexer.media.probe import Media
from indexer.shots.detect import AdaptiveDetector, BoundaryDetector
from qdrant.errors import InputError

CANDIDATES_A_SECOND = 2.0
MAX_STEP_FRAMES = 15
"""The detector's shortest shot: with no larger step every shot but the last has a candidate."""
MAX_CANDIDATES = 96
"""A shot that goes on and on keeps every second candidate from here, so that memory stays flat."""
SECONDS_A_SAMPLE = 1.2
MAX_SAMPLES = 8
SHORT_SIDE_PX = 288
"""Samples are kept a little larger than any encoder's input (224 or 256)."""
THUMBNAIL_WIDTH_PX = 320
THUMBNAIL_QUALITY = 82


@dataclass(frozen=True)
class WatchedShot:
    """A shot as seen: half-open frames `[start_frame, end_frame)`."""

    number: int
    start_frame: int
    end_frame: int
    start_s: float
    end_s: float
    samples: NDArray[np.uint8]  # (num_samples, height, width, 3) RGB, at uniform intervals
    thumbnail: bytes  # JPEG
    brightness: float  # mean luma, 0..1
    motion: float  # mean change of luma from frame to frame, 0..1


@dataclass
class _OpenShot:
    """The shot that the pass is in: what it has gathered, in order of frames."""

    start: Picture
    candidates: list[tuple[int, Image]] = field(default_factory=list)
    lumas: list[tuple[int, float, float]] = field(default_factory=list)  # frame, luma, change


def watch(
    media: Media, *, report: Decoding, progress: Callable[[int], None] = lambda frame: None
) -> Iterator[WatchedShot]:
    """Decode a film once and return its shots, each as soon as its end is known.

    The shots cover the film from its first frame to its last, without gap or overlap. Raises
    `InputError` for a film of which no frame can be decoded.
    """
    assert media.picture is not None
    detector: BoundaryDetector = AdaptiveDetector(media.rate)
    step = _Step(max(1, min(MAX_STEP_FRAMES, round(media.rate / CANDIDATES_A_SECOND))))
    ring: list[Picture] = []  # frames the detector may still begin a shot at
    shot: _OpenShot | None = None
    number, last, before = 0, None, None
    for picture in pictures(media, report=report):
        shot = shot or _OpenShot(picture)
        image = picture.for_detection()
        luma = image[..., 1].astype(np.int16)
        change = 0.0 if before is None else float(np.abs(luma - before).mean()) / 255
        shot.lumas.append((picture.number, float(luma.mean()) / 255, change))
        if step.takes(picture.number):
            shot.candidates.append((picture.number, _as_seen(picture, media)))
            step.thin(shot.candidates)
        ring = [*ring[-MAX_STEP_FRAMES:], picture]
        for cut in detector.see(image, number=picture.number):
            start = next(p for p in ring if p.number == cut)
            done, shot = _split(shot, start)
            yield _closed(done, number, end=start, media=media)
            number += 1
            step.reset()
        last, before = picture, luma
        progress(picture.number)
    if shot is None or last is None:
        raise InputError(
            f"No picture of {media.path} can be decoded"
            f"{f' ({report.ended_early})' if report.ended_early else ''}. Re-export it."
        )
    end = Picture(last.number + 1, last.time_s + float(1 / media.rate), last.frame)
    if not shot.candidates:
        shot.candidates.append((last.number, _as_seen(last, media)))
    yield _closed(shot, number, end=end, media=media)


class _Step:
    """Which frames become candidates: every n-th, fewer in a shot that goes on and on."""

    def __init__(self, frames: int) -> None:
        self._base = self._frames = frames

    def takes(self, number: int) -> bool:
        return number % self._frames == 0

    def thin(self, candidates: list[tuple[int, Image]]) -> None:
        if len(candidates) > MAX_CANDIDATES:
            self._frames *= 2
            candidates[:] = [c for c in candidates if c[0] % self._frames == 0]

    def reset(self) -> None:
        self._frames = self._base


def _split(shot: _OpenShot, start: Picture) -> tuple[_OpenShot, _OpenShot]:
    """Close a shot before `start`; what was gathered from there on begins the next."""
    after = _OpenShot(
        start,
        [c for c in shot.candidates if c[0] >= start.number],
        [m for m in shot.lumas if m[0] >= start.number],
    )
    shot.candidates = [c for c in shot.candidates if c[0] < start.number]
    shot.lumas = [m for m in shot.lumas if m[0] < start.number]
    return shot, after


def _closed(shot: _OpenShot, number: int, *, end: Picture, media: Media) -> WatchedShot:
    start = shot.start
    samples = _uniform(shot.candidates, start=start, end=end)
    inside = [change for _, _, change in shot.lumas[1:]]  # the first change is the cut itself
    return WatchedShot(
        number=number,
        start_frame=start.number,
        end_frame=end.number,
        start_s=start.time_s,
        end_s=end.time_s,
        samples=np.stack(samples),
        thumbnail=_thumbnail(samples),
        brightness=float(np.mean([luma for _, luma, _ in shot.lumas])),
        motion=float(np.mean(inside)) if inside else 0.0,
    )


def _uniform(candidates: list[tuple[int, Image]], *, start: Picture, end: Picture) -> list[Image]:
    """Return the candidates nearest to uniform places in the shot, each once."""
    wanted = int(np.clip(round((end.time_s - start.time_s) / SECONDS_A_SAMPLE), 1, MAX_SAMPLES))
    length = end.number - start.number
    places = [start.number + (i + 0.5) * length / wanted for i in range(wanted)]
    numbers = np.array([number for number, _ in candidates])
    chosen = sorted({int(np.abs(numbers - place).argmin()) for place in places})
    return [candidates[i][1] for i in chosen]


def _as_seen(picture: Picture, media: Media) -> Image:
    assert media.picture is not None
    return picture.for_people(short_side=SHORT_SIDE_PX, pixel_aspect=media.picture.pixel_aspect)


def _thumbnail(samples: list[Image]) -> bytes:
    """Return the sample that shows most, as JPEG: contrast tells a picture from a black frame."""
    import cv2

    best = max(samples, key=lambda image: float(image[::4, ::4].std()))
    height, width = best.shape[:2]
    size = (THUMBNAIL_WIDTH_PX, max(2, round(height * THUMBNAIL_WIDTH_PX / width)))
    small = cv2.resize(best, size, interpolation=cv2.INTER_AREA)
    options = [cv2.IMWRITE_JPEG_QUALITY, THUMBNAIL_QUALITY]
    _, jpeg = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), options)
    return bytes(jpeg)
