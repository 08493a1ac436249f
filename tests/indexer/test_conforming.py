"""A trailer laid along its film frame by frame: what each step does, and the whole of it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from shelf import SHOT_FRAMES, make_library
from trailers import (
    HEIGHT,
    RATE,
    WIDTH,
    Image,
    add_film,
    card,
    clip_of,
    film_frames,
    graded,
    titled,
    unmatched,
    write_video,
)

from indexer.aligning.titles import Origin
from indexer.conforming.best_way import NONE, labelled
from indexer.conforming.blocks import blocks_of, likeness, shows_something
from indexer.conforming.edges import black_spans, edge_near
from indexer.conforming.framing import Box, framing_of, largest, without_bars
from indexer.conforming.pieces import trace
from indexer.conforming.segment import Segment, segments_of, with_whole_shots
from indexer.conforming.small import reel_of
from indexer.library import Library
from indexer.media.probe import probe
from indexer.progress import silent

FRAMES = film_frames()


def small(image: Image) -> Image:
    return np.asarray(cv2.resize(image, (48, 27), interpolation=cv2.INTER_AREA))


def test_light_does_not_change_likeness_and_a_title_costs_its_blocks_alone() -> None:
    image, other = small(FRAMES[0]), small(FRAMES[SHOT_FRAMES])
    darker = (image * 0.4 + 20).astype(np.uint8)
    covered = image.copy()
    covered[18:] = 255  # the lowest of three rows of blocks
    film = blocks_of(image[None])
    [same], [dark], [title], [foreign] = likeness(
        blocks_of(np.stack([image, darker, covered, other])), film
    )
    assert same == pytest.approx(18 / 19.5, abs=0.01)  # a block and a half count as unlike
    assert dark > same - 0.03
    assert title == pytest.approx(12 / 19.5, abs=0.03)
    assert foreign < 0.25
    assert shows_something(np.stack([image, np.full_like(image, 9)])).tolist() == [True, False]


def test_bars_are_taken_off_though_a_card_has_none() -> None:
    pictures = np.full((8, 90, 160), 90, np.uint8)
    pictures[:7, :10] = pictures[:7, 80:] = 0
    box = without_bars(pictures)
    assert (box.left, box.width) == (0, 1)
    assert box.top == pytest.approx(11 / 90)
    assert box.height == pytest.approx(68 / 90)
    pictures[:7, 60:] = 0  # not the same above and below: part of the picture
    assert without_bars(pictures) == Box()


def test_what_is_left_of_a_cropped_picture_is_found() -> None:
    film = cv2.resize(FRAMES[5], (96, 54), interpolation=cv2.INTER_AREA)
    part = FRAMES[5][18 : 18 + 135, 60 : 60 + 240]  # three quarters
    clip = cv2.resize(part, (160, 90), interpolation=cv2.INTER_AREA)
    box, alike = framing_of(clip[None], film[None], largest(16 / 9, 16 / 9))
    assert alike > 0.95
    found = (box.left, box.top, box.width, box.height)
    assert found == pytest.approx((60 / 320, 18 / 180, 0.75, 0.75), abs=0.02)


def test_a_vertical_promo_shows_a_strip_of_the_film() -> None:
    strip = largest(9 / 16, 16 / 9)
    assert strip.height == 1
    assert strip.width == pytest.approx((9 / 16) ** 2)


def test_each_frame_goes_to_the_line_that_earns_most_and_a_slip_is_no_change() -> None:
    alike = np.full((2, 20), 0.05, np.float32)
    alike[0, :5] = alike[1, 5:9] = 0.9
    alike[0, 2], alike[1, 2] = 0.3, 0.9  # one frame that is better elsewhere
    seen = np.ones(20, bool)
    assert labelled(alike, seen).tolist() == [0] * 5 + [1] * 4 + [NONE] * 11
    seen[9:] = False  # in the dark the last stays
    assert labelled(alike, seen).tolist() == [0] * 5 + [1] * 15


def test_pieces_meet_in_the_dark_by_how_the_light_goes() -> None:
    fading, rising = [60, 50, 40, 30, 20, 10], [10, 20, 30, 40, 50, 60]
    lit, dark = [60] * 6, [0, 0, 0]
    for before, after, cut in ((fading, lit, 9), (lit, rising, 6), (fading, rising, 7)):
        level = np.array([*before, *dark, *after], float)
        assert edge_near(7, level, level > 5) == cut
    level = np.array([60.0] * 20)
    assert edge_near(7, level, level > 5) == 7
    level[4:18] = 0
    assert black_spans(level, level > 5) == [(4, 18)]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> tuple[Library, Origin]:
    folder = tmp_path_factory.mktemp("film")
    library = make_library(folder / "library")
    return library, add_film(library, folder / "film.mp4", FRAMES, title="Film")


def conformed(film: tuple[Library, Origin], path: Path, *cuts: int) -> list[Segment]:
    library, origin = film
    clip = clip_of(*cuts)
    pieces = trace(clip, reel_of(probe(path)), [unmatched(origin, clip)], library, progress=silent)
    return segments_of(pieces, library, rate=RATE)


def spans(segments: list[Segment]) -> list[tuple[int, int, int, int, float]]:
    return [(s.clip_start_frame, s.clip_end_frame, s.start_frame, s.end_frame, s.speed)
            for s in segments]  # fmt: skip


def test_a_trailer_comes_back_to_the_frame(film: tuple[Library, Origin], tmp_path: Path) -> None:
    shown = [graded(image) for image in FRAMES[100:130]]  # shot 2
    shown += [graded(titled(FRAMES[10 + i // 2])) for i in range(40)]  # shot 0, half speed
    shown += [graded(image) for image in FRAMES[152:188:2]]  # shot 3, twice as fast
    shown += [card()] * 24
    path = write_video(tmp_path / "trailer.mp4", shown)
    found = conformed(film, path, 0, 30, 70, 88, 112)
    assert spans(found) == [
        (0, 30, 100, 130, 1.0),
        (30, 70, 10, 30, 0.5),
        (70, 88, 152, 188, 2.0),
        (88, 112, 0, 0, 1.0),
    ]
    assert [segment.title_id is None for segment in found] == [False, False, False, True]


def test_a_jump_within_a_shot_is_found_though_the_trailers_shots_miss_it(
    film: tuple[Library, Origin], tmp_path: Path
) -> None:
    path = write_video(tmp_path / "jump.mp4", FRAMES[50:70] + FRAMES[78:96])
    assert spans(conformed(film, path, 0, 38)) == [(0, 20, 50, 70, 1.0), (20, 38, 78, 96, 1.0)]


def test_a_crossfade_belongs_to_both_of_its_pieces(
    film: tuple[Library, Origin], tmp_path: Path
) -> None:
    shown = FRAMES[0:24]
    for i in range(12):
        share = (i + 1) / 13
        shown.append(cv2.addWeighted(FRAMES[24 + i], 1 - share, FRAMES[144 + i], share, 0))
    path = write_video(tmp_path / "fade.mp4", shown + FRAMES[156:180])
    going, coming = conformed(film, path, 0, 30, 60)
    assert (going.start_frame, coming.end_frame) == (0, 180)
    assert going.clip_end_frame == pytest.approx(36, abs=2)
    assert coming.clip_start_frame == pytest.approx(24, abs=2)
    assert coming.crossfade_frames == going.clip_end_frame - coming.clip_start_frame


def test_another_film_and_black_are_from_nowhere(
    film: tuple[Library, Origin], tmp_path: Path
) -> None:
    other = film_frames(seed=9)
    black = [np.zeros((HEIGHT, WIDTH), np.uint8)] * 24
    path = write_video(tmp_path / "other.mp4", other[:30] + black)
    assert not any(one.is_found for one in conformed(film, path, 0, 30, 54))


def test_a_film_that_is_off_line_gives_whole_shots_only_where_nothing_is_known() -> None:
    from indexer.aligning.align import Alignment
    from indexer.aligning.stretches import Stretch
    from indexer.manifest import Manifest

    stretch = Stretch((0, 2), (4, 6), (0.0, 2.0), (8.0, 12.0), (192, 288), (False, False), 0.8)
    manifest = object.__new__(Manifest)
    object.__setattr__(manifest, "title_id", "gone")
    object.__setattr__(manifest, "title", "Gone")
    gone = Origin(manifest, Alignment((), (stretch,), 0.8, 2.0, 3.0))
    known = [Segment(0, 20, "here", "Here", 5, 25, is_exact=True), Segment(20, 72)]
    made = with_whole_shots(known, [gone], [(0, 24), (24, 48), (48, 72)])
    assert [(one.clip_start_frame, one.clip_end_frame, one.title_id) for one in made] == [
        (0, 20, "here"), (20, 48, "gone"), (48, 72, None)]  # fmt: skip
    assert (made[1].start_frame, made[1].end_frame, made[1].is_exact) == (192, 288, False)
