"""Strips: made in one go or in several, they are the same."""

from __future__ import annotations

import numpy as np

from indexer.shots.boundaries import hard_cut
from indexer.shots.strip import StripMaker, joined


def test_a_strip_measures_light_and_change() -> None:
    black, white = np.full((216, 256), 128, np.uint8), np.full((216, 256), 128, np.uint8)
    black[:144], white[:144] = 16, 235
    maker = StripMaker()
    for number, image in enumerate((black, white, white)):
        maker.see(image, time_s=number / 24)
    strip = maker.take()
    assert strip.luma.tolist() == [0, 1, 1]
    assert strip.change.tolist() == [0, 1, 0]
    assert strip.small[:, 0, 0].tolist() == [[0, 0, 0], [255, 255, 255], [255, 255, 255]]


def test_the_seam_between_two_makers_is_mended() -> None:
    images = np.random.default_rng(0).integers(16, 236, (9, 216, 256)).astype(np.uint8)
    one = StripMaker(keep_images=True)
    for number, image in enumerate(images):
        one.see(image, time_s=number / 24)
    whole = one.take()
    strip, changes = None, []
    for first, end in ((0, 4), (4, 9)):
        maker = StripMaker()
        for number in range(first, end):
            maker.see(images[number], time_s=number / 24)
        strip = joined(strip, maker.take())
        assert (strip.first_frame, strip.end_frame) == (first, end)
        changes.append(strip.change)
    assert np.array_equal(np.concatenate(changes), whole.change)
    assert whole.images is not None
    assert np.array_equal(whole.images, images)


def test_a_cut_takes_no_frames() -> None:
    cut = hard_cut(12, confidence=0.9)
    assert (cut.start_frame, cut.frame, cut.end_frame) == (12, 12, 12)
