"""Pictures that no other leans on are left out where little changes, and no cut is lost by it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.media.decode import Decoding, observed
from indexer.media.probe import probe
from indexer.shots.cascade import CascadeBoundaries
from indexer.shots.watch import watch

RATE = 24
NUM_PICTURES = 192
BUSY = np.random.default_rng(0).integers(16, 236, (2, 15, 32)).repeat(9, 1).repeat(8, 2)

Seen = list[tuple[float, int]]
"""Of each picture: its time, and the sum of its brightness; -1 where it was left out."""


class Noting:
    def __init__(self) -> None:
        self._seen: Seen = []

    def see(self, frame: av.VideoFrame, *, time_s: float) -> None:
        plane = frame.planes[0]
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        self._seen.append((round(time_s, 4), int(rows[:, : frame.width].sum(dtype=np.int64))))

    def pass_over(self, *, time_s: float) -> None:
        self._seen.append((round(time_s, 4), -1))

    def take(self) -> Seen:
        seen, self._seen = self._seen, []
        return seen


def seen(film: Path, *, thrifty: bool, whole_a_second: int = 1) -> Seen:
    asked = whole_a_second if thrifty else None
    makings = observed(probe(film), observer=Noting, report=Decoding(), whole_a_second=asked)
    return [note for making in makings for note in making]


def num_left_out(notes: Seen) -> int:
    return sum(light == -1 for _, light in notes)


def film_of(path: Path, pictures: Iterable[NDArray[np.float64]], **options: str) -> Path:
    """Write grey pictures, (135, 256) each, as H.264."""
    i420 = np.full((216, 256), 128, np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 256, 144, "yuv420p"
        stream.options = options
        for picture in pictures:
            i420[:135] = picture
            frame = av.VideoFrame.from_ndarray(i420, format="yuv420p")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def calm() -> Iterator[NDArray[np.float64]]:
    """Yield one picture that turns into another, slowly."""
    for share in np.linspace(0, 0.3, NUM_PICTURES):
        yield (1 - share) * BUSY[0] + share * BUSY[1]


@pytest.mark.parametrize("options", [{}, {"bf": "8"}, {"x264-params": "open-gop=1:keyint=100"}])
def test_what_is_seen_is_the_same_and_what_is_left_out_has_its_time(
    tmp_path: Path, options: dict[str, str]
) -> None:
    film = film_of(tmp_path / "film.mp4", calm(), **options)
    whole, thrifty = (seen(film, thrifty=wish) for wish in (False, True))
    assert len(whole) == NUM_PICTURES
    assert [time_s for time_s, _ in thrifty] == [time_s for time_s, _ in whole]
    assert all(note in (whole[n], (whole[n][0], -1)) for n, note in enumerate(thrifty))
    assert num_left_out(thrifty) > len(whole) / 5


@pytest.mark.parametrize("whole_a_second", [2, 4, RATE])
def test_the_first_picture_in_each_part_of_a_second_is_decoded(
    tmp_path: Path, whole_a_second: int
) -> None:
    film = film_of(tmp_path / "film.mp4", calm(), bf="8")
    notes = seen(film, thrifty=True, whole_a_second=whole_a_second)
    firsts = notes[:: RATE // whole_a_second]
    assert num_left_out(firsts) == 0
    assert num_left_out(seen(film, thrifty=True)[:: RATE // whole_a_second]) > 0


def test_where_much_changes_every_picture_is_decoded(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    noise = (generator.integers(16, 236, (135, 256)).astype(np.float64) for _ in range(60))
    film = film_of(tmp_path / "film.mp4", noise, bf="3", b_strategy="0")
    assert num_left_out(seen(film, thrifty=True)) == 0


@pytest.mark.parametrize(
    "codec",
    [("-c:v", "libx265", "-x265-params", "log-level=none"), ("-c:v", "mpeg2video", "-bf", "2")],
)
def test_of_other_codecs_every_picture_is_decoded(tmp_path: Path, codec: tuple[str, ...]) -> None:
    film = converted(film_of(tmp_path / "film.mp4", calm()), tmp_path / "film.mkv", *codec)
    assert num_left_out(seen(film, thrifty=True)) == 0


def test_pictures_with_captions_are_all_decoded(tmp_path: Path) -> None:
    film = film_of(tmp_path / "film.mp4", calm())
    captioned = with_captions(film, tmp_path / "captioned.mp4")
    assert num_left_out(seen(film, thrifty=True)) > 0
    assert num_left_out(seen(captioned, thrifty=True)) == 0


@pytest.mark.parametrize("cut", range(60, 68))
def test_a_cut_to_a_plain_picture_stays_at_its_frame(tmp_path: Path, cut: int) -> None:
    """A plain picture costs an encoder next to nothing: it looks as if little had changed."""
    plain = np.full((135, 256), 90.0)
    pictures = [BUSY[0] if number < cut else plain for number in range(2 * cut)]
    path = tmp_path / "film.mp4"
    film = film_of(path, pictures, bf="3", sc_threshold="0", b_strategy="0")
    assert num_left_out(seen(film, thrifty=True)) > 0
    shots = list(watch(probe(film), detector=CascadeBoundaries(), report=Decoding()))
    assert [shot.start_frame for shot in shots] == [0, cut]


def with_captions(film: Path, path: Path) -> Path:
    """Copy a film; put captions that say nothing before each picture (ITU-T T.35, ATSC A/53)."""
    padding = b"\xb5\x00\x31GA94\x03\xc1\xff\xf8\x80\x80\xff"
    unit = bytes([6, 4, len(padding)]) + padding + b"\x80"
    with av.open(str(film)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                copy = av.Packet(len(unit).to_bytes(4, "big") + unit + bytes(packet))
                copy.pts, copy.dts, copy.time_base = packet.pts, packet.dts, packet.time_base
                copy.is_keyframe, copy.stream = packet.is_keyframe, stream
                target.mux(copy)
    return path


def converted(film: Path, path: Path, *options: str) -> Path:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-i", film, *options, path]
    subprocess.run([str(part) for part in command], check=True, timeout=120)
    return path
