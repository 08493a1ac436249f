"""The exact frame of a cut that lies among pictures that were not decoded at first."""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import replace

import av
import numpy as np

from indexer.media.again import decoded_again
from indexer.media.planes import small_i420
from indexer.media.probe import Media
from indexer.shots.boundaries import LOOK_BACK_FRAMES, Boundary
from indexer.shots.look import detection_size
from indexer.shots.strip import Strip, StripMaker

logger = logging.getLogger(__name__)


class Placing:
    """Remembers which of the last frames were filled in, and looks again where a cut is there."""

    def __init__(self, media: Media) -> None:
        self._media = media
        self._num_frames = 0
        self._frames: deque[tuple[float, bool]] = deque(maxlen=2 * LOOK_BACK_FRAMES)
        """Of each frame: its time on the stream's clock, and whether it was filled in."""

    def add(self, strip: Strip) -> None:
        """Take the next frames, their times as the stream has them."""
        filled = np.zeros(len(strip), bool) if strip.filled is None else strip.filled
        self._frames.extend(zip(strip.time_s.tolist(), filled.tolist(), strict=True))
        self._num_frames += len(strip)

    def placed(self, boundary: Boundary) -> Boundary:
        """Return a boundary where it is: a cut is looked for among the pictures left out there.

        Where they cannot be decoded again the boundary stays.
        """
        first, last = self._seen_around(boundary.frame)
        if boundary.kind != "cut" or last - first <= 1:
            return boundary
        try:
            frame = self._largest_change(first, last)
        except (OSError, av.error.FFmpegError) as error:
            logger.info("frames %d to %d could not be looked at again: %s", first, last, error)
            return boundary
        return replace(boundary, frame=frame, start_frame=frame, end_frame=frame)

    def _seen_around(self, frame: int) -> tuple[int, int]:
        """Return the nearest frames that were decoded: before this one, and from it on."""
        first, last = frame - 1, frame
        while self._is_filled(first):
            first -= 1
        while self._is_filled(last):
            last += 1
        return first, last

    def _is_filled(self, frame: int) -> bool:
        place = frame - self._num_frames + len(self._frames)
        return 0 <= place < len(self._frames) and self._frames[place][1]

    def _time_s(self, frame: int) -> float:
        return self._frames[frame - self._num_frames + len(self._frames)][0]

    def _largest_change(self, first: int, last: int) -> int:
        """Return which frame after `first`, up to `last`, differs most from the one before."""
        assert self._media.picture is not None
        maker, size = StripMaker(), detection_size(self._media.picture)
        times_s = self._time_s(first), self._time_s(last)
        for frame, time_s in decoded_again(self._media, from_s=times_s[0], to_s=times_s[1]):
            maker.see(small_i420(frame, size=size), time_s=time_s)
        strip = maker.take()
        if len(strip) != last - first + 1:
            logger.info("frames %d to %d came out as %d", first, last, len(strip))
            return last
        return first + int(strip.change.argmax())
