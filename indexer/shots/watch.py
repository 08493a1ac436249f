"""One pass over a film's pictures: shots, with the frames and measures that stand for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from indexer.media.decode import Decoding, Image, Picture, Size, pictures
from indexer.media.probe import Media
from indexer.shots.detect import AdaptiveDetector, BoundaryDetector
from qdrant.errors import InputError

CANDIDATES_A_SECOND = 2.0
MAX_STEP_FRAMES = 15
"""The detector's shortest shot: a step no larger gives nearly every shot a candidate."""
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
    `InputError` for a film of which no frame can be decoded. Where the size of the pictures changes
    on the way, all are brought to the first one's.
    """
    view = _View(media)
    detector: BoundaryDetector = AdaptiveDetector(media.rate)
    step = _Step(max(1, min(MAX_STEP_FRAMES, round(media.rate / CANDIDATES_A_SECOND))))
    ring: list[Picture] = []  # frames the detector may still begin a shot at
    shot: _OpenShot | None = None
    number, last, before = 0, None, None
    for picture in pictures(media, report=report):
        shot = shot or _OpenShot(picture)
        image = view.for_detection(picture)
        luma = image[..., 1].astype(np.int16)
        change = 0.0 if before is None else float(np.abs(luma - before).mean()) / 255
        shot.lumas.append((picture.number, float(luma.mean()) / 255, change))
        if step.takes(picture.number):
            shot.candidates.append((picture.number, view.for_people(picture)))
            step.thin(shot.candidates)
        ring = [*ring[-MAX_STEP_FRAMES:], picture]
        for cut in detector.see(image, number=picture.number):
            start = next(p for p in ring if p.number == cut)
            done, shot = _split(shot, start)
            yield _closed(done, number, end=start, view=view)
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
    yield _closed(shot, number, end=end, view=view)


class _View:
    """A film's pictures as images of one size each, whatever the stream does on the way."""

    def __init__(self, media: Media) -> None:
        assert media.picture is not None
        self._pixel_aspect = media.picture.pixel_aspect
        self._detection: Size | None = None
        self._people: Size | None = None

    def for_detection(self, picture: Picture) -> Image:
        image = picture.for_detection(size=self._detection)
        self._detection = self._detection or (image.shape[0], image.shape[1])
        return image

    def for_people(self, picture: Picture) -> Image:
        image = picture.for_people(
            short_side=SHORT_SIDE_PX, pixel_aspect=self._pixel_aspect, size=self._people
        )
        self._people = self._people or (image.shape[0], image.shape[1])
        return image


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


def _closed(shot: _OpenShot, number: int, *, end: Picture, view: _View) -> WatchedShot:
    start = shot.start
    # None was taken in a short shot after a very long one, whose step was still in force, nor in
    # one that ends the film before the step comes round.
    candidates = shot.candidates or [(start.number, view.for_people(start))]
    samples = _uniform(candidates, start=start, end=end)
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
