"""PySceneDetect's adaptive detector, driven by our own decoding."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.shots.boundaries import Boundary, hard_cut
from indexer.shots.strip import Strip

NOMINAL_RATE = 24.0
"""The detector counts in frames with its defaults; only its type asks for a rate."""
CONFIDENCE = 1.0
"""It says yes or no."""


class AdaptiveBoundaries:
    """Gives the cuts of `scenedetect detect-adaptive` with its defaults, and nothing gradual.

    A cut is a frame whose change in hue, saturation and brightness is at least 3 times the mean of
    the two frames on either side.
    https://www.scenedetect.com/docs/latest/api/detectors.html
    """

    wants_images = True
    bears_gaps = False
    missing: str | None = None

    def __init__(self) -> None:
        from scenedetect import AdaptiveDetector

        self._detector: Any = AdaptiveDetector()
        self._look_ahead = int(self._detector.event_buffer_length)
        self._num_seen = 0

    @property
    def settled_frame(self) -> int:
        """No boundary will be reported any more before this frame."""
        return max(0, self._num_seen - self._look_ahead)

    def see(self, strip: Strip) -> list[Boundary]:
        """Take the next frames, with their images; return the cuts it has become sure of."""
        assert strip.images is not None or not len(strip)
        found: list[Boundary] = []
        for image in strip.images if strip.images is not None else ():
            found += self._cuts(image)
        return found

    def finish(self) -> list[Boundary]:
        """Return nothing: what lacks two frames after it is not judged."""
        return []

    def _cuts(self, i420: NDArray[np.uint8]) -> list[Boundary]:
        import cv2
        from scenedetect import FrameTimecode

        now = FrameTimecode(self._num_seen, fps=NOMINAL_RATE)
        self._num_seen += 1
        image = cv2.cvtColor(i420, cv2.COLOR_YUV2BGR_I420)
        cuts = self._detector.process_frame(now, image)
        return [hard_cut(cut.frame_num, confidence=CONFIDENCE) for cut in cuts]
