"""What a decoder's thread makes of the pictures it decodes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from indexer.media.planes import Size, Still, small_i420
from indexer.media.probe import Media
from indexer.media.tracks import PictureTrack
from indexer.shots.strip import Strip, StripMaker

if TYPE_CHECKING:
    import av

DETECTION_WIDTH_PX = 256
"""As PySceneDetect's own downscaling aims at."""
SHORT_SIDE_PX = 288
"""Stills are kept a little larger than any encoder's input (224 or 256)."""
READING_SIDE_PX = 480
"""And larger where text is to be read in them: of 312 words of credits 289 came out, 203 at 288."""
STILLS_A_SECOND = 4
ASK_FOR_CAPTIONS_EVERY = 48
CAPTIONS_LAST_FRAMES = 240
FULL_RANGE = 2
"""libav's AVCOL_RANGE_JPEG: 0 to 255, not 16 to 235."""


@dataclass(frozen=True)
class Candidate:
    """A picture that may stand for its shot."""

    index: int  # among the frames it came with
    tick: int  # quarters of a second on the stream's clock
    still: Still


@dataclass(frozen=True)
class Stretch:
    """Consecutive frames of a film, as they are looked at."""

    strip: Strip
    candidates: tuple[Candidate, ...]
    captions: tuple[tuple[int, bytes], ...]  # index of the frame, its closed captions (A53 data)


def detection_size(picture: PictureTrack) -> Size:
    """Return the size at which cuts are looked for."""
    factor = max(1, picture.width // DETECTION_WIDTH_PX)
    return Size.near(picture.height / factor, picture.width / factor)


class Looker:
    """Looks at the pictures of one run: measures all, keeps some. One a run, in any thread."""

    def __init__(
        self, media: Media, *, keep_images: bool, short_side_px: int = SHORT_SIDE_PX
    ) -> None:
        picture = media.picture
        assert picture is not None
        self._frame_s = float(1 / media.rate)
        self._pixel_aspect: Fraction = picture.pixel_aspect
        self._detection = detection_size(picture)
        seen_width = picture.width * float(picture.pixel_aspect)
        scale = min(1.0, short_side_px / min(seen_width, picture.height))
        self._still = Size.near(picture.height * scale, picture.width * scale)
        self._keep_images = keep_images
        self._strip: StripMaker | None = None
        self._clock_s = 0.0
        self._seen_s: float | None = None  # when the last picture seen was shown
        self._num_frames = 0  # since the last stretch
        self._num_seen = 0
        self._captioned_at = -math.inf
        self._candidates: list[Candidate] = []
        self._captions: list[tuple[int, bytes]] = []

    def see(self, frame: av.VideoFrame, *, time_s: float) -> None:
        """Take the next picture, shown at `time_s` of the stream's clock (NaN: nobody knows)."""
        clock_s = self._clock_s + self._frame_s if math.isnan(time_s) else time_s
        if self._strip is None:
            self._strip = StripMaker(
                keep_images=self._keep_images, full_range=frame.color_range == FULL_RANGE
            )
        self._strip.see(small_i420(frame, size=self._detection), time_s=clock_s)
        tick = math.floor(clock_s * STILLS_A_SECOND)
        before_s = clock_s - self._frame_s if self._seen_s is None else self._seen_s
        if tick != math.floor(before_s * STILLS_A_SECOND):
            still = Still.of(frame, size=self._still, pixel_aspect=self._pixel_aspect)
            self._candidates.append(Candidate(self._num_frames, tick, still))
        self._listen_for_captions(frame)
        self._clock_s = self._seen_s = clock_s
        self._num_frames += 1

    def pass_over(self, *, time_s: float) -> None:
        """Note a picture that was left out, shown at this time between two that are seen."""
        if self._strip is None:  # what it is between could not be decoded
            return
        self._strip.pass_over(time_s=time_s)
        self._clock_s = time_s
        self._num_frames += 1

    def _listen_for_captions(self, frame: av.VideoFrame) -> None:
        """Keep a frame's captions. Frames asked for their side data live until garbage collection.

        So one is asked now and then, and all of them once one has captions: with captions, every
        frame carries them, if only as padding.
        """
        since = self._num_seen - self._captioned_at
        self._num_seen += 1
        if since > CAPTIONS_LAST_FRAMES and self._num_seen % ASK_FOR_CAPTIONS_EVERY != 1:
            return
        captions: Any = frame.side_data.get("A53_CC")
        if captions is not None:
            self._captions.append((self._num_frames, bytes(memoryview(captions))))
            self._captioned_at = self._num_seen

    def take(self) -> Stretch:
        """Return what was seen since the last time, which is something."""
        assert self._strip is not None
        stretch = Stretch(self._strip.take(), tuple(self._candidates), tuple(self._captions))
        self._candidates, self._captions, self._num_frames = [], [], 0
        return stretch
