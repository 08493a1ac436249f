"""A detector that also cuts where somebody says: at the in and out of a clip."""

from __future__ import annotations

import bisect
import math
from dataclasses import replace

from indexer.shots.boundaries import Boundary, BoundaryDetector, hard_cut
from indexer.shots.strip import Strip

NEAR_FRAMES = 2
"""A boundary so near to an in or out is meant by it: no shot of a frame or two is left between."""
ROUNDING_S = 0.0005
"""Times that people write have three decimals; a frame that begins so much earlier still counts."""


class FramedBoundaries:
    """Finds what another detector finds, and the bounds of a span of seconds `[start_s, end_s)`.

    Every picture is decoded, so that the bounds fall on the very frames. A transition in whose
    midst a bound lies is still known as one, and its pictures are passed over where others are.
    """

    bears_gaps = False

    def __init__(self, detector: BoundaryDetector, *, start_s: float, end_s: float) -> None:
        self._detector = detector
        self.wants_images = detector.wants_images
        self.missing = detector.missing
        self._bounds_s = (start_s, end_s)
        self._bounds: list[int | None] = [None, None]
        self._found: list[Boundary] = []
        self._framed: list[int] = []  # bounds still to be told

    @property
    def settled_frame(self) -> int:
        """No boundary will be reported any more before this frame."""
        return max(0, self._detector.settled_frame - NEAR_FRAMES)

    @property
    def start_frame(self) -> int | None:
        """The first frame of the span; None: it has not been seen."""
        return self._bounds[0]

    @property
    def end_frame(self) -> int | None:
        """The frame after the last of the span; None: it has not been seen."""
        return self._bounds[1]

    def see(self, strip: Strip) -> list[Boundary]:
        """Take the next frames; return the boundaries that are settled, in order."""
        self._place_bounds(strip)
        self._found += self._detector.see(strip)
        return self._told(before=self.settled_frame)

    def finish(self) -> list[Boundary]:
        """Return the rest: no more frames will come."""
        self._found += self._detector.finish()
        return self._told(before=math.inf)

    def _place_bounds(self, strip: Strip) -> None:
        times_s = strip.time_s.tolist()
        for which, bound_s in enumerate(self._bounds_s):
            index = bisect.bisect_left(times_s, bound_s - ROUNDING_S)
            if self._bounds[which] is None and index < len(strip):
                frame = strip.first_frame + index
                self._bounds[which] = frame
                if frame > 0 and frame not in self._framed:
                    self._framed.append(frame)

    def _told(self, *, before: float) -> list[Boundary]:
        """Return what lies before a frame, once what is near to it is known too."""
        bounds = {frame: hard_cut(frame, confidence=1.0) for frame in self._framed}
        kept, told = [], []
        for boundary in self._found:
            near = [f for f in bounds if abs(f - boundary.frame) <= NEAR_FRAMES]
            frame = min(near, key=lambda f: abs(f - boundary.frame), default=boundary.frame)
            if near:
                bounds[frame] = _moved(boundary, frame)
            elif frame < before:
                told.append(boundary)
            if frame >= before:
                kept.append(boundary)
        told += [boundary for frame, boundary in bounds.items() if frame < before]
        self._framed = [frame for frame in self._framed if frame >= before]
        self._found = kept
        return sorted(told, key=lambda boundary: boundary.frame)


def _moved(boundary: Boundary, frame: int) -> Boundary:
    """Return a boundary at another frame; its transition reaches there."""
    start, end = min(boundary.start_frame, frame), max(boundary.end_frame, frame)
    if boundary.kind == "cut":
        return hard_cut(frame, confidence=boundary.confidence)
    return replace(boundary, frame=frame, start_frame=start, end_frame=end)
