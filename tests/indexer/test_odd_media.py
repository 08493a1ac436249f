"""Files as they come from recorders, phones and half-done copies: all are read to their end."""

from __future__ import annotations

import os
import subprocess
from fractions import Fraction
from pathlib import Path

import av
import cv2
import imageio_ffmpeg
import numpy as np
import pytest
from shelf import make_film

from indexer.library import SETTINGS_FILE
from indexer.media.decode import Decoding
from indexer.media.planes import Size, Still, small_i420
from indexer.media.probe import (
    LIBRARY_MARK,
    Media,
    content_hash,
    media_files,
    opened,
    printable,
    probe,
)
from indexer.shots.adaptive import AdaptiveBoundaries
from indexer.shots.footage import MAX_STILLS
from indexer.shots.watch import WatchedShot, watch
from indexer.sound.recording import SAMPLE_RATE_HZ, recording
from qdrant.errors import InputError

X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")


def ffmpeg(*options: str | Path) -> None:
    program = imageio_ffmpeg.get_ffmpeg_exe()
    command = [program, "-hide_banner", "-loglevel", "error", "-y", *map(str, options)]
    subprocess.run(command, check=True, timeout=120)


def make_tone(path: Path, *options: str, seconds: float = 2, rate: int = 48_000) -> Path:
    source = f"sine=frequency=440:sample_rate={rate}:duration={seconds}"
    ffmpeg("-f", "lavfi", "-i", source, *options, path)
    return path


def joined(path: Path, *parts: Path) -> Path:
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


def watched(path: Path) -> tuple[list[WatchedShot], Decoding]:
    report = Decoding()
    return list(watch(probe(path), detector=AdaptiveBoundaries(), report=report)), report


@pytest.mark.parametrize("sizes", [("320x180", "160x120"), ("160x120", "320x180")])
def test_pictures_may_change_size_on_the_way(tmp_path: Path, sizes: tuple[str, str]) -> None:
    parts = [
        make_film(tmp_path / f"{i}.ts", *X264, "-an", seconds=3, size=size)
        for i, size in enumerate(sizes)
    ]
    shots, report = watched(joined(tmp_path / "both.ts", *parts))
    assert shots[-1].end_frame == report.num_frames == 6 * 24
    assert len({sample.shape for shot in shots for sample in shot.samples}) == 1


def test_one_shot_may_hold_pictures_of_two_sizes(tmp_path: Path) -> None:
    grey = ["-f", "lavfi", "-i", "color=c=gray:size={}:rate=24:duration=3"]
    for name, size in (("a.ts", "320x180"), ("b.ts", "640x360")):
        ffmpeg(*(part.format(size) for part in grey), *X264, tmp_path / name)
    shots, _ = watched(joined(tmp_path / "both.ts", tmp_path / "a.ts", tmp_path / "b.ts"))
    assert [(shot.end_frame, shot.samples.shape[1:]) for shot in shots] == [(144, (180, 320, 3))]


def test_a_short_shot_after_a_very_long_one_has_its_own_picture(tmp_path: Path) -> None:
    """The long one has long been thinned when the next begins."""
    seconds, colours = (1815 / 30, 15 / 30, 60 / 30), ("black", "white", "black")
    assert MAX_STILLS < 4 * 1815 // 30
    inputs = [
        part
        for colour, length in zip(colours, seconds, strict=True)
        for part in ("-f", "lavfi", "-i", f"color=c={colour}:size=64x64:rate=30:duration={length}")
    ]
    path = tmp_path / "slow.mp4"
    ffmpeg(*inputs, "-filter_complex", "concat=n=3", *X264, path)
    shots, _ = watched(path)
    assert [shot.start_frame for shot in shots] == [0, 1815, 1830]
    assert shots[1].samples.mean() > 200 > 50 > shots[2].samples.mean()


@pytest.mark.parametrize("degrees", [90, -90, 180])
def test_a_phone_film_is_seen_upright(tmp_path: Path, degrees: int) -> None:
    """ffmpeg turns such a film upright by itself: what people see must be its picture."""
    flat = make_film(tmp_path / "flat.mp4", *X264, "-an", seconds=0.5)
    turned = tmp_path / "turned.mp4"
    ffmpeg("-display_rotation", str(degrees), "-i", flat, "-c", "copy", turned)
    ffmpeg("-i", turned, "-frames:v", "1", tmp_path / "upright.png")
    expected = cv2.imread(str(tmp_path / "upright.png"), cv2.IMREAD_COLOR_RGB)
    frame = first_picture(turned)
    size = Size(frame.height, frame.width)
    seen = Still.of(frame, size=size, pixel_aspect=pixel_aspect_of(turned)).rgb()
    assert expected is not None
    assert seen.shape == expected.shape
    assert np.abs(seen.astype(int) - expected).mean() < 4


def first_picture(path: Path) -> av.VideoFrame:
    with opened(path) as container:
        return next(container.decode(video=0))


@pytest.mark.parametrize("pixels", ["yuv420p", "yuv422p", "yuv444p10le", "gray", "rgb24", "nv12"])
def test_a_small_picture_is_that_of_a_full_conversion(tmp_path: Path, pixels: str) -> None:
    """ffmpeg's own scaler, by areas, is the reference; ours takes planes as they lie."""
    film = make_film(tmp_path / "film.mkv", "-c:v", "ffv1", "-pix_fmt", pixels, "-an", seconds=0.2,
                     size="640x360")  # fmt: skip
    frame = first_picture(film)
    ours = small_i420(frame, size=Size(90, 160), smooth=True)
    reference = frame.reformat(width=160, height=90, format="yuv420p", interpolation="AREA")
    expected = reference.to_ndarray()
    assert ours.shape == expected.shape == (135, 160)
    assert np.abs(ours.astype(int) - expected).mean() < 2.5


def pixel_aspect_of(path: Path) -> Fraction:
    track = probe(path).picture
    assert track is not None
    return track.pixel_aspect


def test_sound_may_change_its_rate_and_its_channels_on_the_way(tmp_path: Path) -> None:
    first = make_tone(tmp_path / "a.aac", "-ac", "1")
    second = make_tone(tmp_path / "b.aac", "-ac", "2", rate=44_100)
    with recording(probe(joined(tmp_path / "both.aac", first, second))) as sound:
        assert sound.duration_s == pytest.approx(4.0, abs=0.2)
        assert not sound.is_silent(0.5, 1.5)
        assert not sound.is_silent(2.5, 3.5)


@pytest.mark.parametrize("name", ["tone.aac", "tone.ts", "tone.mp3"])
def test_damaged_sound_is_read_to_its_end(tmp_path: Path, name: str) -> None:
    codec = ("-c:a", "ac3") if name == "tone.ts" else ()
    whole = make_tone(tmp_path / name, *codec, seconds=6)
    content = bytearray(whole.read_bytes())
    rng = np.random.default_rng(0)
    for place in rng.integers(len(content) // 4, len(content), size=40):
        content[place : place + 16] = rng.bytes(16)
    whole.write_bytes(content[: len(content) * 9 // 10])
    with recording(probe(whole)) as sound:
        assert 1.0 < sound.duration_s < 8.0


def test_sound_alone_starts_at_its_own_beginning(tmp_path: Path) -> None:
    """A radio recording whose clock says ten hours is two seconds long."""
    radio = make_tone(tmp_path / "radio.ts", "-c:a", "aac", "-output_ts_offset", "36000")
    with opened(radio) as container:
        assert (container.start_time or 0) > 35_000 * 1_000_000
    with recording(probe(radio)) as sound:
        assert sound.duration_s == pytest.approx(2.0, abs=0.2)
        assert not sound.is_silent(0.5, 1.5)


def test_sound_that_starts_after_the_pictures_is_late(tmp_path: Path) -> None:
    pictures = make_film(tmp_path / "p.mp4", *X264, "-an", seconds=4)
    tone = make_tone(tmp_path / "t.wav")
    film = tmp_path / "late.mkv"
    ffmpeg("-i", pictures, "-itsoffset", "1.5", "-i", tone, "-c:v", "copy", "-c:a", "aac", film)
    with recording(probe(film)) as sound:
        assert np.abs(sound.samples[:SAMPLE_RATE_HZ]).max() == 0
        assert sound.duration_s == pytest.approx(3.5, abs=0.2)


@pytest.mark.parametrize(
    ("name", "tag", "found"),
    [
        ("film.flv", "hello", None),
        ("film.mkv", "hello", None),
        ("film.mkv", "01:00:00:24", None),  # no such frame at 24 a second
        ("film.mkv", "01:00:00:10", "01:00:00:10"),
        ("film.mov", "10:00:00:00", "10:00:00:00"),
    ],
)
def test_a_start_timecode_is_one_or_is_none(
    tmp_path: Path, name: str, tag: str, found: str | None
) -> None:
    film = make_film(tmp_path / name, *X264, "-metadata", f"timecode={tag}", seconds=0.5)
    assert probe(film).start_timecode == found


def test_the_frames_to_expect_are_those_of_the_picture(tmp_path: Path) -> None:
    pictures = make_film(tmp_path / "p.mp4", *X264, "-an", seconds=2)
    tone = make_tone(tmp_path / "t.wav", seconds=5)
    film, late = tmp_path / "film.mkv", tmp_path / "late.mkv"
    ffmpeg("-i", pictures, "-i", tone, "-c:v", "copy", "-c:a", "aac", film)
    ffmpeg("-itsoffset", "2", "-i", pictures, "-i", tone, "-c:v", "copy", "-c:a", "aac", late)
    assert [media.expected_frames for media in map(probe, (pictures, film, late))] == [48, 48, 48]
    assert probe(film).duration_s == pytest.approx(5, abs=0.2)
    assert stream_seconds(probe(film)) == pytest.approx(2, abs=0.05)
    assert probe(tone).expected_frames == 0


def stream_seconds(media: Media) -> float:
    assert media.picture is not None
    return media.picture.duration_s


def test_half_a_film_should_have_had_the_other_half(tmp_path: Path) -> None:
    whole = make_film(tmp_path / "whole.mkv", seconds=4)
    half = tmp_path / "half.mkv"
    half.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    shots, report = watched(half)
    assert probe(half).expected_frames == 96 > 80 > report.num_frames == shots[-1].end_frame


def test_a_stream_without_a_stated_length_promises_nothing(tmp_path: Path) -> None:
    """The length of a bare stream is a guess from its bit rate."""
    bare = make_film(tmp_path / "bare.mpg", "-c:v", "mpeg2video", "-an", "-f", "mpeg2video",
                     seconds=2)  # fmt: skip
    assert probe(bare).expected_frames == 0


def test_a_name_that_is_no_utf8_is_told_in_a_sentence(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/bad\xff.mkv"))
    try:
        path.write_bytes(make_film(tmp_path / "good.mkv", seconds=0.5).read_bytes())
    except OSError:
        pytest.skip("this file system has UTF-8 names only")
    assert path in list(media_files([tmp_path]))
    for use in (probe, content_hash):
        with pytest.raises(InputError, match="not valid UTF-8; rename it") as error:
            use(path)
        assert r"bad\xff.mkv" in str(error.value).encode().decode()
    assert printable(tmp_path) == str(tmp_path)


def test_folders_are_gone_through_but_for_hidden_ones_and_libraries(tmp_path: Path) -> None:
    assert LIBRARY_MARK == SETTINGS_FILE
    for name in ("b/z.mp4", "b.mp4", "a.mkv", ".trash/c.mov", "lib/cache/proxy.mp4", "b/.x/d.ts"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "lib" / LIBRARY_MARK).touch()
    expected = [tmp_path / name for name in ("a.mkv", "b/z.mp4", "b.mp4")]
    assert list(media_files([tmp_path / "b" / ".."])) == expected
    assert list(media_files([tmp_path / "b" / ".." / "b.mp4"])) == [tmp_path / "b.mp4"]
    hidden = tmp_path / ".trash"
    assert list(media_files([hidden])) == [hidden / "c.mov"]  # named outright
