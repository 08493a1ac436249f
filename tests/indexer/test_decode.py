"""Many decoders give what one gives: every picture, once, in order, at its time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import numpy as np
import pytest
from shelf import make_film

from indexer.media.decode import Decoding, observed
from indexer.media.packets import is_random_access
from indexer.media.probe import opened, probe

SECONDS = 16
X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-an")

Seen = list[tuple[float, int]]
"""Of each picture: its time, and the sum of its brightness."""


class Noting:
    """Notes what it sees; as good as a hash for telling that two pictures are the same."""

    def __init__(self) -> None:
        self._seen: Seen = []

    def see(self, frame: av.VideoFrame, *, time_s: float) -> None:
        self._seen.append(_note(frame, time_s))

    def take(self) -> Seen:
        seen, self._seen = self._seen, []
        return seen


def _note(frame: av.VideoFrame, time_s: float) -> tuple[float, int]:
    plane = frame.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return round(time_s, 4), int(rows[:, : frame.width].sum(dtype=np.int64))


def in_one_go(path: Path) -> Seen:
    """Return what PyAV decodes from front to back; the reference."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.options = {"skip_loop_filter": "noref"}
        return [
            _note(f, math.nan if f.pts is None else f.pts * float(stream.time_base))
            for f in container.decode(stream)
        ]


def by_decoders(path: Path, num: int) -> Seen:
    report = Decoding()
    making = observed(probe(path), observer=Noting, report=report, num_decoders=num)
    found = [note for seen in making for note in seen]
    assert report.damaged_packets == 0
    return found


def num_access_points(path: Path) -> int:
    with opened(path) as container:
        return sum(is_random_access(packet) for packet in container.demux(video=0) if packet.size)


@pytest.mark.parametrize(
    ("name", "options", "starts"),
    [
        pytest.param("closed.mp4", (*X264, "-g", "30"), 13, id="h264, closed"),
        pytest.param(
            "open.mp4", (*X264, "-x264-params", "open-gop=1:bframes=3:keyint=30:scenecut=0"), 13,
            id="h264, open: recovery points that are right at once",
        ),
        pytest.param(
            "open.ts", (*X264, "-x264-params", "open-gop=1:bframes=3:keyint=30:scenecut=0"), 13,
            id="h264, open, with start codes",
        ),
        pytest.param(
            "refresh.mp4", (*X264, "-intra-refresh", "1", "-g", "30"), 1,
            id="h264 that recovers by and by: one piece",
        ),
        pytest.param("open_mpeg2.ts", ("-c:v", "mpeg2video", "-bf", "2", "-g", "15", "-an"), 26,
                     id="mpeg-2, open"),
        pytest.param(
            "open_hevc.mp4",
            ("-c:v", "libx265", "-preset", "ultrafast", "-an", "-x265-params",
             "open-gop=1:keyint=30:bframes=4:scenecut=0:log-level=none"), 13,
            id="hevc, open",
        ),
        pytest.param("hidden.webm", ("-c:v", "libvpx", "-deadline", "realtime", "-an",
                     "-g", "30", "-auto-alt-ref", "1", "-lag-in-frames", "16"), None,
                     id="vp8 with pictures that are never shown"),
        pytest.param("stamps.avi", ("-c:v", "mpeg4", "-bf", "2", "-g", "30", "-an"), None,
                     id="avi, without presentation times"),
        pytest.param("intra.mov", ("-c:v", "mjpeg", "-q:v", "9", "-an"), 384, id="all keyframes"),
    ],
)  # fmt: skip
def test_each_picture_comes_once_as_one_decoder_gives_it(
    tmp_path: Path, name: str, options: tuple[str, ...], starts: int | None
) -> None:
    film = make_film(tmp_path / name, *options, seconds=SECONDS, size="160x90")
    expected = in_one_go(film)
    assert len(expected) == SECONDS * 24
    assert by_decoders(film, 1) == expected
    assert by_decoders(film, 3) == expected
    assert starts is None or num_access_points(film) == starts


def test_damage_costs_what_it_hit_and_is_counted(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", *X264, "-g", "24", seconds=SECONDS, size="160x90")
    content = bytearray(film.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 6000] = bytes(range(256)) * 23 + bytes(112)
    film.write_bytes(bytes(content))
    report = Decoding()
    seen = [n for s in observed(probe(film), observer=Noting, report=report) for n in s]
    assert SECONDS * 24 - 24 <= len(seen) < SECONDS * 24
    assert report.damaged_packets > 0


def test_a_watcher_who_leaves_stops_the_decoders(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", *X264, "-g", "24", seconds=SECONDS, size="160x90")
    report, opens = Decoding(), []

    @contextmanager
    def counted() -> Iterator[av.container.InputContainer]:
        with opened(film) as container:
            opens.append(container)
            try:
                yield container
            finally:
                opens.remove(container)

    makings = observed(probe(film), observer=Noting, report=report, source=counted)
    assert next(iter(makings))
    makings.close()
    assert opens == [], "reader and decoders have closed the film, and so have ended"


def test_an_observer_that_fails_is_heard(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", *X264, seconds=2, size="160x90")

    class Failing(Noting):
        def see(self, frame: av.VideoFrame, *, time_s: float) -> None:
            raise ValueError(f"at {time_s}")

    with pytest.raises(ValueError, match=r"at 0\.0"):
        list(observed(probe(film), observer=Failing, report=Decoding()))
