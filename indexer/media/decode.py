"""A film's pictures, each decoded once."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from indexer.media.probe import Media, opened

if TYPE_CHECKING:
    import av

logger = logging.getLogger(__name__)

Image = NDArray[np.uint8]
Size = tuple[int, int]
"""An image's height and width in pixels."""

DETECTION_WIDTH = 256
"""Pixels across a detection image, as PySceneDetect's own downscaling aims at."""

PLANAR_420 = frozenset({"yuv420p", "yuvj420p"})


@dataclass(frozen=True)
class Picture:
    """One decoded frame."""

    number: int  # 0 for the first
    time_s: float  # since the first frame
    frame: av.VideoFrame

    def for_detection(self, *, size: Size | None = None) -> Image:
        """Return the frame about 256 pixels wide, or in `size`: (height, width, 3) uint8 BGR.

        `size` must be even; it is for streams whose pictures change size on the way.
        """
        import cv2

        frame = self.frame
        factor = max(1, frame.width // DETECTION_WIDTH)
        height, width = size or (_even(frame.height / factor), _even(frame.width / factor))
        if frame.format.name not in PLANAR_420:
            return _as_bytes(frame.to_ndarray(width=width, height=height, format="bgr24"))
        # Resizing the three planes and converting the small result costs a seventh of
        # converting the whole frame first, and gives the same cuts.
        halves = ((1, 1), (2, 2), (2, 2))
        planes = [
            cv2.resize(
                np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
                [: -(-frame.height // down), : -(-frame.width // across)],
                (width // across, height // down),
                interpolation=cv2.INTER_LINEAR,
            ).ravel()
            for plane, (across, down) in zip(frame.planes, halves, strict=True)
        ]  # fmt: skip
        i420 = np.concatenate(planes).reshape(height * 3 // 2, width)
        return np.asarray(cv2.cvtColor(i420, cv2.COLOR_YUV2BGR_I420), dtype=np.uint8)

    def for_people(
        self, *, short_side: int, pixel_aspect: Fraction, size: Size | None = None
    ) -> Image:
        """Return the frame as seen: square pixels, upright, (height, width, 3) uint8 RGB.

        Its short side is at most `short_side`; `size`, where given, is the image's whatever the
        frame's own.
        """
        import cv2

        frame = self.frame
        seen_width = frame.width * float(pixel_aspect)
        scale = min(1.0, short_side / min(seen_width, frame.height))
        image = frame.to_ndarray(
            width=_even(seen_width * scale),
            height=_even(frame.height * scale),
            format="rgb24",
            interpolation="AREA",
        )
        upright = np.ascontiguousarray(np.rot90(_as_bytes(image), k=round(frame.rotation / 90)))
        if size and upright.shape[:2] != size:
            upright = _as_bytes(cv2.resize(upright, size[::-1], interpolation=cv2.INTER_AREA))
        return upright


@dataclass
class Decoding:
    """How a decoding went: filled in while it runs."""

    num_frames: int = 0
    damaged_packets: int = 0
    ended_early: str | None = None  # why, where the file broke off


def pictures(media: Media, *, report: Decoding) -> Iterator[Picture]:
    """Decode every frame of the main video stream, in order of presentation.

    Damaged packets are passed over and counted; where the file breaks off, what came before
    stands and `report` says so.
    """
    import av

    assert media.picture is not None
    with opened(media.path) as container:
        stream = container.streams[media.picture.index]
        assert isinstance(stream, av.VideoStream)
        stream.thread_type = "AUTO"
        first_s: float | None = None
        for frame in _frames(container, stream, report):
            time_s = float(frame.time or 0.0) if frame.pts is not None else None
            if time_s is None:
                time_s = (first_s or 0.0) + report.num_frames / float(media.rate)
            first_s = time_s if first_s is None else first_s
            yield Picture(report.num_frames, time_s - first_s, frame)
            report.num_frames += 1


def _frames(
    container: av.container.InputContainer, stream: av.VideoStream, report: Decoding
) -> Iterator[av.VideoFrame]:
    import av

    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except av.error.FFmpegError as error:
            report.ended_early = str(error.strerror or error)
            return
        if packet is None:
            return
        try:
            yield from packet.decode()
        except av.error.FFmpegError as error:
            report.damaged_packets += 1
            logger.debug("damaged packet at %s: %s", packet.pts, error)


def _as_bytes(image: NDArray[Any]) -> Image:
    return image.astype(np.uint8, copy=False)


def _even(pixels: float) -> int:
    return max(2, round(pixels / 2) * 2)
