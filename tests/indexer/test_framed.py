"""A clip's in and out as boundaries among those that a detector finds."""

import numpy as np
import pytest

from indexer.shots.boundaries import Boundary, hard_cut
from indexer.shots.framed import FramedBoundaries
from indexer.shots.strip import SMALL_HEIGHT, SMALL_WIDTH, Strip

NUM_FRAMES = 100
RATE = 25
LAG = 10


class Told:
    """Names the boundaries it was given, each so many frames after it was seen."""

    wants_images = False
    bears_gaps = True
    missing: str | None = None

    def __init__(self, *boundaries: Boundary) -> None:
        self._coming, self._num_seen = list(boundaries), 0

    @property
    def settled_frame(self) -> int:
        return max(0, self._num_seen - LAG)

    def see(self, strip: Strip) -> list[Boundary]:
        self._num_seen += len(strip)
        return self._told(self.settled_frame)

    def finish(self) -> list[Boundary]:
        return self._told(NUM_FRAMES)

    def _told(self, before: int) -> list[Boundary]:
        told = [boundary for boundary in self._coming if boundary.frame < before]
        self._coming = self._coming[len(told) :]
        return told


def strip(first: int, num_frames: int) -> Strip:
    level = np.zeros(num_frames, np.float32)
    small = np.zeros((num_frames, SMALL_HEIGHT, SMALL_WIDTH, 3), np.uint8)
    return Strip(first, np.arange(first, first + num_frames) / RATE, small, level, level)


def found(framed: FramedBoundaries, *, at_a_time: int) -> list[Boundary]:
    told = []
    for first in range(0, NUM_FRAMES, at_a_time):
        for boundary in framed.see(strip(first, min(at_a_time, NUM_FRAMES - first))):
            assert boundary.frame < framed.settled_frame
            told.append(boundary)
    return told + framed.finish()


@pytest.mark.parametrize("at_a_time", [1, 3, 7, 40, 100])
@pytest.mark.parametrize(
    ("cuts", "span_s", "expected"),
    [
        ([50], (1.0, 3.0), [25, 50, 75]),
        ([], (0.0, 2.0), [50]),  # the film's first frame is no boundary
        ([30], (0.0, 99.0), [30]),  # nor is what it does not have
        ([24, 50, 77], (1.0, 3.0), [25, 50, 75]),  # meant by in and out
        ([22, 78], (1.0, 3.0), [22, 25, 75, 78]),
        ([], (1.01, 1.02), [26]),  # no frame between them
        ([49, 51], (2.0, 2.04), [50, 51]),  # one frame
    ],
)
def test_bounds_are_boundaries(
    cuts: list[int], span_s: tuple[float, float], expected: list[int], at_a_time: int
) -> None:
    known = [hard_cut(frame, confidence=0.7) for frame in cuts]
    framed = FramedBoundaries(Told(*known), start_s=span_s[0], end_s=span_s[1])
    assert [boundary.frame for boundary in found(framed, at_a_time=at_a_time)] == expected


def test_the_bounds_are_frames_of_the_film() -> None:
    framed = FramedBoundaries(Told(), start_s=1.0, end_s=9.0)
    assert (framed.start_frame, framed.end_frame) == (None, None)
    found(framed, at_a_time=9)
    assert (framed.start_frame, framed.end_frame) == (25, None)


def test_a_dissolve_that_an_in_cuts_through_keeps_its_span() -> None:
    dissolve = Boundary(51, "dissolve", 45, 58, 0.8)
    framed = FramedBoundaries(Told(dissolve), start_s=2.0, end_s=3.0)
    assert found(framed, at_a_time=20)[0] == Boundary(50, "dissolve", 45, 58, 0.8)
