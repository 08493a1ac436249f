"""The network in its two forms, and over every frame."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.shots import network
from indexer.shots.network import Network
from indexer.shots.strip import Strip, StripMaker
from indexer.shots.textures import moving_textures
from indexer.shots.transnet import TransNetBoundaries, boundaries_in

pytestmark = pytest.mark.skipif(
    network.absent() is not None, reason=f"TransNetV2 is not installed: {network.absent()}"
)


def plain_cuts() -> list[NDArray[np.uint8]]:
    """Three shots of still blocks: cuts at 40 and 75, 110 frames in all."""
    frames = []
    for seed, length in ((1, 40), (2, 35), (3, 35)):
        luma = np.random.default_rng(seed).integers(30, 220, (9, 16)).astype(np.uint8)
        image = np.full((216, 256), 128, np.uint8)
        image[:144] = luma.repeat(16, axis=0).repeat(16, axis=1)
        frames += [image] * length
    return frames


def strip_of(frames: list[NDArray[np.uint8]], *, first: int) -> Strip:
    maker = StripMaker()
    for number, frame in enumerate(frames):
        maker.see(frame, time_s=(first + number) / 24)
    return maker.take(first_frame=first)


def test_eight_bits_judge_as_the_published_network_does() -> None:
    published, int8 = Network("published"), Network("int8")
    for small in list(moving_textures())[:1]:
        apart = np.abs(published.ends_of_shots(small) - int8.ends_of_shots(small))
        assert apart.mean() < 0.02


def test_cuts_are_found_whatever_the_strips() -> None:
    frames = plain_cuts()
    whole, parted = TransNetBoundaries(form="int8"), TransNetBoundaries(form="int8")
    at_once = [*whole.see(strip_of(frames, first=0)), *whole.finish()]
    assert [b.frame for b in at_once] == [40, 75]
    in_parts = []
    for first in range(0, len(frames), 13):
        in_parts += parted.see(strip_of(frames[first : first + 13], first=first))
    assert [*in_parts, *parted.finish()] == at_once


def test_a_run_of_frames_is_one_boundary_with_its_span() -> None:
    ends = np.array([[0.1, 0.6], [0.4, 0.8], [0.9, 0.9], [0.3, 0.7]], np.float32)
    (boundary,) = boundaries_in(ends, np.full(4, 0.5), start=100)
    assert (boundary.kind, boundary.frame) == ("dissolve", 103)
    assert (boundary.start_frame, boundary.end_frame) == (100, 104)
