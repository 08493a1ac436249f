"""Boundaries of reels made by hand, and independence of how the frames are handed over."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.shots.boundaries import LOOK_BACK_FRAMES, Boundary, BoundaryDetector
from indexer.shots.cascade import CascadeBoundaries
from indexer.shots.strip import StripMaker, joined
from indexer.shots.textures import HEIGHT, WIDTH

Frames = list[NDArray[np.float64]]


def scene(seed: int, length: int) -> Frames:
    """A picture of coloured blocks that drifts slowly."""
    blocks = np.random.default_rng(seed).integers(20, 236, (9, 24, 3)).astype(np.float64)
    wide = blocks.repeat(16, axis=0).repeat(16, axis=1)
    return [wide[:, i // 16 : i // 16 + 256] for i in range(length)]


def dissolve(a: Frames, b: Frames) -> Frames:
    shares = np.arange(1, len(a) + 1) / (len(a) + 1)
    return [(1 - s) * x + s * y for x, y, s in zip(a, b, shares, strict=True)]


def found(frames: Frames, *, sizes: tuple[int, ...] = (10_000,)) -> list[Boundary]:
    import cv2

    detector: BoundaryDetector = CascadeBoundaries()
    boundaries: list[Boundary] = []
    maker, strip, number = StripMaker(), None, 0
    turn = 0
    while number < len(frames):
        for frame in frames[number : number + sizes[turn % len(sizes)]]:
            i420 = cv2.cvtColor(frame.astype(np.uint8), cv2.COLOR_RGB2YUV_I420)
            maker.see(np.asarray(i420, np.uint8), time_s=number / 24)
            number += 1
        turn += 1
        strip = joined(strip, maker.take())
        maker = StripMaker()  # another thread's: the seam has to be mended
        boundaries += detector.see(strip)
        assert detector.settled_frame >= number - LOOK_BACK_FRAMES
    return boundaries + detector.finish()


def test_a_cut_is_named_by_the_first_frame_of_the_new_shot() -> None:
    (cut,) = found(scene(1, 60) + scene(2, 60))
    assert (cut.frame, cut.kind, cut.start_frame, cut.end_frame) == (60, "cut", 60, 60)


def test_a_dissolve_is_one_boundary_within_its_span() -> None:
    frames = scene(1, 80)[:60] + dissolve(scene(1, 80)[60:], scene(2, 20)) + scene(2, 80)[20:]
    (boundary,) = found(frames)
    assert boundary.kind == "dissolve"
    assert abs(boundary.frame - 70) <= 3


@pytest.mark.parametrize(("black_frames", "expected"), [(6, 1), (30, 2)])
def test_black_of_a_second_is_a_shot(black_frames: int, expected: int) -> None:
    black = np.full((144, 256, 3), 0.0)
    out = dissolve(scene(1, 60)[48:], [black] * 12)
    back = dissolve([black] * 12, scene(2, 12))
    frames = scene(1, 60)[:48] + out + [black] * black_frames + back + scene(2, 60)[12:]
    boundaries = found(frames)
    assert [b.kind for b in boundaries] == ["fade"] * expected
    if expected == 1:
        assert abs(boundaries[0].frame - (60 + black_frames // 2)) <= 2


def test_a_flash_is_no_boundary() -> None:
    frames = scene(1, 100)
    frames[50:52] = [np.full((144, 256, 3), 255.0)] * 2
    assert found(frames) == []


def test_how_the_frames_are_handed_over_changes_nothing() -> None:
    frames = scene(1, 130) + scene(2, 70) + dissolve(scene(2, 86)[70:], scene(4, 16))
    frames += scene(4, 200)[16:] + scene(5, 90)
    whole = found(frames)
    assert len(whole) == 3
    assert found(frames, sizes=(1, 7, 50, 133)) == whole


def test_small_images_have_the_networks_size() -> None:
    maker = StripMaker()
    maker.see(np.full((216, 256), 128, np.uint8), time_s=0.0)
    assert maker.take().small.shape == (1, HEIGHT, WIDTH, 3)
