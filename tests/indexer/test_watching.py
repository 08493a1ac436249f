"""What stands for a shot, whatever cuts it: stills, times, measures; however many decode."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from reel import Reel, make_reel

from indexer.media.decode import Decoding
from indexer.media.planes import Image, Size, Still
from indexer.media.probe import probe
from indexer.shots.boundaries import LOOK_BACK_FRAMES, Boundary, hard_cut
from indexer.shots.footage import MAX_STILLS, Footage
from indexer.shots.look import Candidate, Stretch
from indexer.shots.measures import look_of
from indexer.shots.strip import Strip, StripMaker
from indexer.shots.watch import WatchedShot, watch

RATE = 24


class GivenBoundaries:
    """A detector that knows where the cuts are, and says so late."""

    wants_images = False
    bears_gaps = False
    missing: str | None = None

    def __init__(self, boundaries: Sequence[Boundary], *, late: int = 60) -> None:
        self._left, self._late = list(boundaries), late
        self.settled_frame = 0

    def see(self, strip: Strip) -> list[Boundary]:
        self.settled_frame = max(0, strip.end_frame - self._late)
        sure = [b for b in self._left if b.frame < self.settled_frame]
        self._left = [b for b in self._left if b.frame >= self.settled_frame]
        return sure

    def finish(self) -> list[Boundary]:
        return self._left


@pytest.fixture(scope="module")
def reel(tmp_path_factory: pytest.TempPathFactory) -> Reel:
    return make_reel(tmp_path_factory.mktemp("watching"), subtitles=False, sound=False)


def watched(path: Path, *boundaries: Boundary, num_decoders: int = 2) -> list[WatchedShot]:
    detector = GivenBoundaries(boundaries)
    report = Decoding()
    return list(watch(probe(path), detector=detector, report=report, num_decoders=num_decoders))


def test_shots_are_those_the_detector_names_whatever_their_length(reel: Reel) -> None:
    cuts = [1, 2, 9, 48, 97, 98, 287]
    shots = watched(reel.path, *(hard_cut(frame, confidence=0.5) for frame in cuts))
    spans = [(shot.start_frame, shot.end_frame) for shot in shots]
    assert spans == list(zip([0, *cuts], [*cuts, 288], strict=True))
    assert [shot.start_s for shot in shots] == pytest.approx([f / RATE for f in [0, *cuts]])
    assert shots[-1].end_s == pytest.approx(12.0)
    assert shots[0].opening is None
    assert [shot.opening for shot in shots[1:]] == [hard_cut(f, confidence=0.5) for f in cuts]


def test_even_one_frame_has_a_picture_of_its_own(reel: Reel) -> None:
    """Frame 48 is the first of the coffee: alone between two cuts it is no cat."""
    shots = watched(reel.path, *(hard_cut(frame, confidence=1) for frame in (48, 49, 96)))
    alone, rest = (shot.samples.mean(axis=(0, 1, 2)) for shot in shots[1:3])
    cat = shots[0].samples.mean(axis=(0, 1, 2))
    assert np.abs(alone - rest).max() < 12 < np.abs(alone - cat).max()


def test_the_number_of_decoders_changes_nothing(reel: Reel) -> None:
    cuts = [hard_cut(frame, confidence=1) for frame in reel.cuts]
    alone = watched(reel.path, *cuts, num_decoders=1)
    for one, other in zip(alone, watched(reel.path, *cuts, num_decoders=3), strict=True):
        assert np.array_equal(one.samples, other.samples)
        assert one.look == other.look
        assert (one.brightness, one.motion) == (other.brightness, other.motion)


def test_stills_inside_a_dissolve_stand_for_no_shot(reel: Reel) -> None:
    """The reel's camera dissolves into the stars over its last twelve frames."""
    span = Boundary(234, "dissolve", 228, 240, 0.9)
    camera, stars = watched(reel.path, hard_cut(192, confidence=1), span)[1:]
    clear = watched(reel.path, *(hard_cut(frame, confidence=1) for frame in (192, 228, 240)))
    assert camera.end_frame == stars.start_frame == 234
    assert camera.look.thumbnail == clear[1].look.thumbnail
    assert stars.look.thumbnail == clear[3].look.thumbnail


def a_still(level: int) -> Still:
    image = np.full((36, 64, 3), level, np.uint8)
    return Still.of_rgb(image, size=Size(36, 64))


def a_stretch(times: Sequence[float], *, still_at: Sequence[int] = ()) -> Stretch:
    maker = StripMaker()
    for time_s in times:
        maker.see(a_still(100).i420, time_s=time_s)
    candidates = [Candidate(i, round(times[i] * 4), a_still(i % 200)) for i in still_at]
    return Stretch(maker.take(), tuple(candidates), ())


def test_memory_stays_flat_in_a_shot_without_end() -> None:
    footage = Footage(frame_s=1 / RATE)
    for second in range(0, 1200, 5):
        times = [second + i / RATE for i in range(5 * RATE)]
        footage.add(a_stretch(times, still_at=range(0, 5 * RATE, 6)))
        assert len(footage._stills) <= MAX_STILLS + LOOK_BACK_FRAMES // 6 + 20
    take = footage.cut(opening=None, closing=None)
    frames = sorted(take.stills)
    assert frames[0] < 60 * RATE and frames[-1] > 1180 * RATE, "from its beginning to its end"


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([5.0, 5.5, 6.0, 6.5], [0.0, 0.5, 1.0, 1.5]),
        ([5.0, 5.5, 2.0, 2.5], [0.0, 0.5, 1.0, 1.5]),  # the clock was set back
        ([5.0, 5.0, 5.0, 5.5], [0.0, 0.5, 1.0, 1.5]),  # it stood still
        ([5.0, 6.5, 7.0, 9.0], [0.0, 1.5, 2.0, 4.0]),  # frames are missing
    ],
)
def test_time_goes_on_from_the_first_frame(times: list[float], expected: list[float]) -> None:
    footage = Footage(frame_s=0.5)
    first = footage.add(a_stretch(times[:2]))
    rest = footage.add(a_stretch(times[2:]))
    assert [*first.time_s, *rest.time_s] == pytest.approx(expected)


def photograph(name: str) -> Image:
    from skimage import data

    image = np.asarray(getattr(data, name)())
    return np.ascontiguousarray(image[: image.shape[0] // 2 * 2, : image.shape[1] // 2 * 2])


def test_the_thumbnail_is_no_black_frame_no_flash_and_no_blur() -> None:
    cat = photograph("chelsea")
    size = Size(*cat.shape[:2])
    sharp = Still.of_rgb(cat, size=size)
    pictures = {
        "black": np.zeros_like(cat),
        "white": np.full_like(cat, 255),
        "blurred": cv2.GaussianBlur(cat, (0, 0), 9),
        "faded in": (cat * 0.12).astype(np.uint8),
    }
    stills = [Still.of_rgb(np.asarray(picture), size=size) for picture in pictures.values()]
    shown = look_of([*stills, sharp, stills[2]])
    assert shown.thumbnail == look_of([sharp]).thumbnail


def test_a_sheet_runs_through_the_shot_in_order() -> None:
    """Twelve stills, each lighter than the one before; eight frames of 160 pixels are kept."""
    size = Size(90, 160)
    grey = [Still.of_rgb(np.full((90, 160, 3), 20 * n, np.uint8), size=size) for n in range(12)]
    sheet = cv2.imdecode(np.frombuffer(look_of(grey).sheet, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert sheet is not None and sheet.shape == (90, 8 * 160)
    seen = [float(sheet[:, 160 * n : 160 * (n + 1)].mean()) for n in range(8)]
    places = [0, 2, 3, 5, 6, 8, 9, 11]  # the middles of eight equal parts of twelve
    assert seen == pytest.approx([20 * place for place in places], abs=3)


def test_a_short_shot_has_a_short_sheet() -> None:
    still = Still.of_rgb(photograph("chelsea"), size=Size(90, 160))
    sheet = cv2.imdecode(np.frombuffer(look_of([still]).sheet, np.uint8), cv2.IMREAD_COLOR)
    assert sheet is not None and sheet.shape == (90, 160, 3)


def test_an_upright_film_has_an_upright_sheet() -> None:
    still = Still(np.full((90 * 3 // 2, 160), 128, np.uint8), 2, 1, 1, Fraction(1))
    assert still.rgb(width_px=90).shape == (160, 90, 3)


def test_square_pixels_are_seen() -> None:
    """A PAL picture of 16:9 is stored 720 wide and seen 1024 wide."""
    still = Still(np.full((576 * 3 // 2, 720), 128, np.uint8), 2, 1, 0, Fraction(64, 45))
    assert still.rgb().shape == (576, 1024, 3)
