"""Shot boundaries from detection images, frame by frame."""

from __future__ import annotations

from fractions import Fraction
from typing import Protocol

from indexer.media.decode import Image


class BoundaryDetector(Protocol):
    """Sees every frame once, in order, and names the frames at which new shots begin."""

    def see(self, image: Image, *, number: int) -> list[int]:
        """Take the next frame; return the first frames of shots it has become sure of."""
        ...


class AdaptiveDetector:
    """PySceneDetect's adaptive detector, driven by our own decoding.

    Gives the cuts of `scenedetect detect-adaptive` with its defaults: a frame whose change in hue,
    saturation and brightness is at least 3 times the mean of the two frames on either side.
    https://www.scenedetect.com/docs/latest/api/detectors.html
    """

    def __init__(self, rate: Fraction) -> None:
        from scenedetect import AdaptiveDetector as SceneDetectAdaptive

        self._rate = rate
        self._detector = SceneDetectAdaptive()

    def see(self, image: Image, *, number: int) -> list[int]:
        """Take the next frame; return the first frames of shots it has become sure of."""
        from scenedetect import FrameTimecode

        now = FrameTimecode(number, fps=self._rate)
        return [cut.frame_num for cut in self._detector.process_frame(now, image)]
