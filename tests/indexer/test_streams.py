"""Files with several pictures and sounds: which are the main ones, and how others are named."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import pytest
from odd_media import AAC, X264, ffmpeg, moving, tone

from indexer.media.probe import Media, probe
from qdrant.errors import UsageError

FRAMES = 10
SIZES = ("64x48", "128x96")


def film(path: Path, *options: str, sounds: int = 2, pictures: tuple[str, ...] = SIZES) -> Path:
    """Write a film with pictures of these sizes and tones, the options those of its streams."""
    sources = [word for size in pictures for word in moving(size=size, frames=FRAMES)]
    sources += [word for _ in range(sounds) for word in tone(0.4)]
    maps = [word for n in range(len(pictures) + sounds) for word in ("-map", str(n))]
    ffmpeg(*sources, *maps, *X264, *AAC, *options, path)
    return path


def main_streams(media: Media) -> tuple[int, int]:
    assert media.picture and media.sound
    return media.picture.index, media.sound.index


@pytest.fixture(scope="module")
def two_of_each(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """v:0 64x48, v:1 128x96, a:0 one channel, a:1 six, and nothing that says more."""
    path = tmp_path_factory.mktemp("streams") / "film.mkv"
    return film(path, "-disposition", "0", "-ac:a:0", "1", "-ac:a:1", "6",
                "-metadata:s:a:0", "language=nor", "-metadata:s:a:1", "language=eng")  # fmt: skip


def test_the_largest_picture_and_the_most_channels_are_the_main_ones(two_of_each: Path) -> None:
    media = probe(two_of_each)
    assert main_streams(media) == (1, 3)
    assert media.picture and media.sound
    assert (media.picture.width, media.sound.channels, media.sound.language) == (128, 6, "eng")


@pytest.mark.parametrize(
    ("asked", "chosen"),
    [
        ("v:0", (0, 3)),
        ("a:0", (1, 2)),
        ("v:0,a:0", (0, 2)),
        (" a:1 , v:00 ", (0, 3)),
        ("v:1,a:1", (1, 3)),
    ],
)
def test_streams_asked_for_overrule(two_of_each: Path, asked: str, chosen: tuple[int, int]) -> None:
    assert main_streams(probe(two_of_each, stream=asked)) == chosen


@pytest.mark.parametrize(
    "asked", ["v:2", "a:7", "s:0", "x", "", "v", "v:-1", "0", "a:0,a:1", "v:0,", "V:0", "v:99999"]
)
def test_a_stream_that_is_not_there_is_told_with_those_that_are(
    two_of_each: Path, asked: str
) -> None:
    with pytest.raises(UsageError, match="name at most one picture and one sound") as refusal:
        probe(two_of_each, stream=asked)
    assert "v:0 (h264, 64x48), v:1 (h264, 128x96)" in str(refusal.value)
    assert "a:0 (aac, 1 channel, nor), a:1 (aac, 6 channels, eng)." in str(refusal.value)


def test_all_streams_are_listed_with_what_they_say_of_themselves(tmp_path: Path) -> None:
    path = film(tmp_path / "film.mkv", "-disposition:a:1", "visual_impaired+comment",
                "-metadata:s:a:1", "title=For the blind", pictures=("64x48",))  # fmt: skip
    streams = probe(path).streams
    assert [(s.name, s.index, s.kind, s.codec, s.detail) for s in streams] == [
        ("v:0", 0, "video", "h264", "64x48"),
        ("a:0", 1, "audio", "aac", "1 channel"),
        ("a:1", 2, "audio", "aac", "1 channel"),
    ]
    assert set(streams[2].dispositions) == {"visual_impaired", "comment"}
    assert streams[2].title == "For the blind"
    assert "1 channel, For the blind, comment, visual_impaired" in str(streams[2])
    assert [round(s.duration_s, 1) for s in streams] == [0.4, 0.4, 0.4]


DESCRIPTION = ("-disposition:a:0", "visual_impaired+default")


@pytest.mark.parametrize(
    "first",
    [
        DESCRIPTION,
        ("-disposition:a:0", "default", "-metadata:s:a:0", "title=Audio description"),
        ("-disposition:a:0", "default", "-metadata:s:a:0", "title=English (AD)"),
    ],
    ids=["flag", "title", "letters"],
)
def test_an_audio_description_is_never_the_main_sound(
    tmp_path: Path, first: tuple[str, ...]
) -> None:
    path = film(tmp_path / "film.mkv", *first, "-disposition:a:1", "comment", "-ac:a:0", "6")
    assert main_streams(probe(path)) == (1, 3)  # even commentary goes before it
    assert main_streams(probe(path, stream="a:0")) == (1, 2)


def test_an_audio_description_alone_is_the_sound(tmp_path: Path) -> None:
    path = film(tmp_path / "film.mkv", *DESCRIPTION, sounds=1)
    assert main_streams(probe(path)) == (1, 2)


def test_a_title_that_only_contains_the_letters_is_no_description(tmp_path: Path) -> None:
    path = film(tmp_path / "film.mkv", "-disposition", "0",
                "-metadata:s:a:0", "title=Madrid adagio")  # fmt: skip
    assert main_streams(probe(path)) == (1, 2)


def test_the_default_flag_goes_before_channels(tmp_path: Path) -> None:
    path = film(tmp_path / "film.mkv", "-disposition", "0", "-disposition:a:0", "default",
                "-ac:a:1", "6")  # fmt: skip
    assert main_streams(probe(path)) == (1, 2)


@pytest.mark.parametrize(
    "mark",
    [("-disposition:a:1", "comment"), ("-metadata:s:a:1", "title=Director's Commentary")],
    ids=["flag", "title"],
)
def test_commentary_comes_last_whatever_its_channels(tmp_path: Path, mark: tuple[str, ...]) -> None:
    path = film(tmp_path / "film.mkv", "-disposition", "0", *mark, "-ac:a:1", "6")
    assert main_streams(probe(path)) == (1, 2)


def test_sounds_alike_are_the_first(tmp_path: Path) -> None:
    path = film(tmp_path / "film.mkv", "-disposition", "0", sounds=3)
    assert main_streams(probe(path)) == (1, 2)


def test_of_pictures_of_one_size_the_default_then_the_first(tmp_path: Path) -> None:
    alike = ("64x48", "64x48")
    path = film(tmp_path / "default.mkv", "-disposition", "0", "-disposition:v:1", "default",
                pictures=alike)  # fmt: skip
    assert main_streams(probe(path))[0] == 1
    path = film(tmp_path / "first.mkv", "-disposition", "0", pictures=alike)
    assert main_streams(probe(path))[0] == 0


def test_size_goes_before_the_default_flag_of_pictures(tmp_path: Path) -> None:
    path = film(tmp_path / "film.mkv", "-disposition", "0", "-disposition:v:0", "default")
    assert main_streams(probe(path))[0] == 1


def test_cover_art_is_no_picture_unless_asked_for(tmp_path: Path) -> None:
    path = film(tmp_path / "film.mp4", "-disposition:v:1", "attached_pic", "-c:v:1", "mjpeg",
                "-pix_fmt:v:1", "yuvj420p", "-frames:v:1", "1")  # fmt: skip
    media = probe(path)
    named = {info.name: info for info in media.streams}
    assert "attached_pic" in named["v:1"].dispositions
    assert main_streams(media)[0] == named["v:0"].index
    assert main_streams(probe(path, stream="v:1"))[0] == named["v:1"].index


def test_a_film_without_sound_has_none_to_choose(tmp_path: Path) -> None:
    path = film(tmp_path / "film.mkv", sounds=0)
    assert probe(path, stream="v:0").sound is None
    with pytest.raises(UsageError, match=r"no stream 'a:0' .* has v:0 \(.*\), v:1 \([^a]*\)\.$"):
        probe(path, stream="a:0")


def test_a_recording_without_pictures_has_its_sounds_to_choose(tmp_path: Path) -> None:
    path = film(tmp_path / "talk.mka", "-disposition", "0", "-ac:a:0", "2", pictures=())
    media = probe(path, stream="a:1")
    assert media.picture is None
    assert media.sound and media.sound.index == 1
    with pytest.raises(UsageError, match=r"no stream 'v:0' .* has a:0 .*a:1"):
        probe(path, stream="v:0")


@pytest.mark.media
def test_a_real_film_with_two_of_each() -> None:
    path = Path(os.environ.get("TRIMBIN_MEDIA", "not set")) / "nasa_13013.mp4"
    if not path.is_file():
        pytest.skip("set TRIMBIN_MEDIA to a folder with nasa_13013.mp4")
    media = probe(path)
    names = [(info.name, info.detail) for info in media.streams if info.kind != "subtitle"]
    assert names == [("v:0", "320x180"), ("a:0", "2 channels"),
                     ("v:1", "480x270"), ("a:1", "2 channels")]  # fmt: skip
    assert main_streams(media) == (3, 1)
    assert media.picture
    assert (media.rate, media.picture.pace) == (Fraction(30000, 1001), "even")
    assert media.expected_frames == 390
    small = probe(path, stream="v:0,a:1")
    assert main_streams(small) == (0, 4)
    with pytest.raises(UsageError, match=r"'v:7' .*v:0 .*320x180.*v:1 .*480x270.*a:1"):
        probe(path, stream="v:7")
