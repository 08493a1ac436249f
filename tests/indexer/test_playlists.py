"""HLS playlists: their segments come through as one film, and they lead nowhere else."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import av
import pytest
from odd_media import AAC, X264, ffmpeg, moving, tone

from indexer.media.joined import BAD_LOOKS, Joined
from indexer.media.opening import OPEN_OPTIONS
from indexer.media.playlist import DEFAULT_TARGET_S, MAX_PLAYLIST_BYTES, hls_segments
from qdrant.errors import InputError

FRAMES = 40  # four segments of ten
KINDS = ("ts", "fmp4")
HEAD = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n"
END = "#EXT-X-ENDLIST\n"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder each of MPEG-TS and fragmented MP4: `film.m3u8` and four segments."""
    root = tmp_path_factory.mktemp("hls")
    for kind, suffix in zip(KINDS, ("ts", "m4s"), strict=True):
        folder = root / kind
        folder.mkdir()
        split = ("-f", "hls", "-hls_time", "0.4", "-hls_list_size", "0", "-hls_segment_type",
                 "mpegts" if kind == "ts" else "fmp4", "-hls_fmp4_init_filename", "init.mp4",
                 "-hls_segment_filename", str(folder / f"film%d.{suffix}"))  # fmt: skip
        ffmpeg(*moving(size="64x48", frames=FRAMES), *tone(FRAMES / 25), *X264, "-bf", "2",
               "-g", "10", "-sc_threshold", "0", *AAC, *split, folder / "film.m3u8")  # fmt: skip
    return root


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two segments that are not media, and a file outside it."""
    (tmp_path / "outside.ts").write_bytes(b"secret")
    (tmp_path / "film").mkdir()
    for name in ("0.ts", "1.ts"):
        (tmp_path / "film" / name).write_bytes(f"segment {name};".encode())
    return tmp_path / "film"


def playlist(folder: Path, *names: str, first: int = 0, end: bool = True) -> Path:
    """Write a playlist of these segments."""
    path = folder / "list.m3u8"
    lines = "".join(f"#EXTINF:1,\n{name}\n" for name in names)
    path.write_text(f"{HEAD}#EXT-X-MEDIA-SEQUENCE:{first}\n{lines}{END if end else ''}")
    return path


def playlist_with(folder: Path, body: str) -> Path:
    path = folder / "list.m3u8"
    path.write_text(HEAD + body + END)
    return path


def frame_times(stream: Joined) -> list[int]:
    """Return the pictures' times, in tenths of a frame's time, from the first one's."""
    with av.open(stream, "r", options=OPEN_OPTIONS) as container:
        times = [frame.time for frame in container.decode(video=0)]
    return [round((time - times[0]) * 250) for time in times]


ALL_TIMES = [10 * number for number in range(FRAMES)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_frame_of_a_playlist_comes_through(written: Path, kind: str) -> None:
    path = written / kind / "film.m3u8"
    found = hls_segments(path)
    assert [segment.stem for segment in found.segments] == ["film0", "film1", "film2", "film3"]
    assert (found.init is not None, found.is_finished) == (kind == "fmp4", True)
    with Joined(path) as stream:
        assert frame_times(stream) == ALL_TIMES
        assert stream.missed == 0


@pytest.mark.parametrize("kind", KINDS)
def test_one_can_seek_in_what_is_there(written: Path, kind: str) -> None:
    path = written / kind / "film.m3u8"
    found = hls_segments(path)
    parts = [part.read_bytes() for part in (found.init, *found.segments) if part]
    whole = b"".join(parts)
    with Joined(path) as stream:
        assert stream.read() == whole
        second = len(parts[0]) - 3
        assert stream.seek(second) == stream.tell() == second
        assert stream.read(3) + stream.read(5) == whole[second : second + 8]
        assert stream.seek(-5, os.SEEK_END) == len(whole) - 5
        assert stream.read() == whole[-5:]


@pytest.mark.parametrize("kind", KINDS)
def test_a_playlist_is_followed_while_it_grows(written: Path, kind: str, tmp_path: Path) -> None:
    path = tmp_path / "film.m3u8"
    lines = (written / kind / "film.m3u8").read_text().splitlines(keepends=True)
    ends = [number + 1 for number, line in enumerate(lines) if not line.startswith("#")]
    if kind == "fmp4":
        shutil.copy(written / kind / "init.mp4", tmp_path)
    steps = iter([*ends, len(lines)])

    def write_next() -> bool:
        end = next(steps)
        for name in (line.strip() for line in lines[:end] if not line.startswith("#")):
            shutil.copy(written / kind / name, tmp_path)
        path.write_text("".join(lines[:end]))
        return True

    write_next()
    with Joined(path, wait=write_next) as stream:
        assert (len(stream.playlist.segments), stream.seekable()) == (1, False)
        assert frame_times(stream) == ALL_TIMES
        assert (stream.missed, stream.playlist.is_finished) == (0, True)


def test_following_ends_when_there_is_no_more_waiting(folder: Path) -> None:
    waits = iter([True, True, False])
    path = playlist(folder, "0.ts", end=False)
    with Joined(path, wait=lambda: next(waits)) as stream:
        assert stream.read() == b"segment 0.ts;"
    assert next(waits, None) is None


def test_segments_gone_before_they_were_read_are_counted(folder: Path) -> None:
    path = playlist(folder, "0.ts", end=False)
    with Joined(path, wait=lambda: False) as stream:
        playlist(folder, "1.ts", first=3)  # 1 and 2 were named and let go in between
        assert (stream.grow(), stream.missed) == (1, 2)
        assert stream.read() == b"segment 0.ts;segment 1.ts;"


def test_a_segment_that_is_missing_or_vanishes_is_passed_over(folder: Path) -> None:
    path = playlist(folder, "0.ts", "lost.ts", "1.ts")
    with Joined(path) as stream:
        (folder / "0.ts").unlink()
        assert stream.read() == b"segment 1.ts;"
        assert stream.missed == 2


def test_a_line_that_is_still_being_written_waits(folder: Path) -> None:
    path = playlist(folder, "0.ts", end=False)
    with Joined(path, wait=lambda: False) as stream:
        path.write_text(path.read_text() + "#EXTINF:1,\n1.t")
        assert stream.grow() == 0
        path.write_text(path.read_text() + "s\n")
        assert stream.grow() == 1


def test_a_playlist_that_is_being_rewritten_is_borne_with_for_a_while(folder: Path) -> None:
    path = playlist(folder, "0.ts", end=False)
    with Joined(path, wait=lambda: False) as stream:
        path.write_text("")
        assert [stream.grow() for _ in range(BAD_LOOKS - 1)] == [0] * (BAD_LOOKS - 1)
        with pytest.raises(InputError, match="no HLS playlist"):
            stream.grow()
        playlist(folder, "0.ts", "1.ts")
        assert stream.grow() == 1


def test_a_playlist_that_comes_to_lead_outside_is_refused_then(folder: Path) -> None:
    path = playlist(folder, "0.ts", end=False)
    with Joined(path, wait=lambda: True) as stream:
        playlist(folder, "0.ts", "../outside.ts", end=False)
        with pytest.raises(InputError, match="not in its own folder"):
            stream.read()


def test_a_refusal_on_the_way_comes_through_the_demuxer(written: Path, tmp_path: Path) -> None:
    shutil.copy(written / "ts" / "film0.ts", tmp_path)
    path = playlist(tmp_path, "film0.ts", end=False)

    def lead_outside() -> bool:
        playlist(tmp_path, "film0.ts", "/etc/hostname", end=False)
        return True

    with Joined(path, wait=lead_outside) as stream, pytest.raises(InputError, match="own folder"):
        frame_times(stream)


@pytest.mark.parametrize(
    "swap", [lambda path: path.symlink_to("../../outside.ts"), os.mkfifo], ids=["link", "pipe"]
)
def test_what_is_put_in_a_segments_place_is_not_read(
    folder: Path, swap: Callable[[Path], object]
) -> None:
    (folder / "sub").mkdir()
    segment = (folder / "0.ts").rename(folder / "sub" / "0.ts")
    found: list[bytes] = []
    with Joined(playlist(folder, "sub/0.ts", "1.ts")) as stream:
        segment.unlink()
        swap(segment)
        reader = threading.Thread(target=lambda: found.append(stream.read()), daemon=True)
        reader.start()
        reader.join(timeout=5)
        assert (found, stream.missed) == ([b"segment 1.ts;"], 1)


def test_a_segment_that_is_itself_a_playlist_opens_nothing(written: Path, folder: Path) -> None:
    content = (written / "ts" / "film0.ts").read_bytes()
    (folder.parent / "outside.ts").write_bytes(content)
    (folder / "0.ts").write_text(f"{HEAD}#EXTINF:1,\n{folder.parent / 'outside.ts'}\n{END}")
    path = playlist(folder, "0.ts")
    with Joined(path) as stream, pytest.raises(av.error.FFmpegError):
        av.open(stream, options=OPEN_OPTIONS)
    (folder / "0.ts").write_bytes(content)
    with Joined(path) as stream:
        assert len(frame_times(stream)) == FRAMES // 4


NAMES_OUTSIDE = (
    "../outside.ts",
    "sub/../../outside.ts",
    "..",
    "..\\outside.ts",
    "/etc/hostname",
    "\\\\host\\share.ts",
    "~/film.ts",
    "C:\\film.ts",
    "http://127.0.0.1/0.ts",
    "HTTPS://127.0.0.1/0.ts",
    "file:///etc/hostname",
    "file:0.ts",
    "concat:0.ts|1.ts",
    "data:video/mp2t;base64,AAAA",
    "//127.0.0.1/0.ts",
    "%2e%2e/outside.ts",
    "%2E%2E%2Foutside.ts",
    "%2Fetc/hostname",
    "%66ile:///etc/hostname",
    "0.ts%00",
    "link.ts",
    "linked/outside.ts",
)


@pytest.mark.parametrize("name", NAMES_OUTSIDE)
@pytest.mark.parametrize(
    "body",
    [
        "#EXTINF:1,\n{}\n",
        '#EXT-X-MAP:URI="{}"\n#EXTINF:1,\n1.ts\n',
        "#EXT-X-STREAM-INF:BANDWIDTH=9\n{}\n",
    ],
    ids=["segment", "map", "variant"],
)
def test_nothing_outside_the_folder_is_named(folder: Path, name: str, body: str) -> None:
    (folder / "link.ts").symlink_to(folder.parent / "outside.ts")
    (folder / "linked").symlink_to(folder.parent)
    path = playlist_with(folder, body.format(name))
    with pytest.raises(InputError, match=r"list\.m3u8 names .* not in its own folder"):
        hls_segments(path)
    with pytest.raises(InputError, match="not in its own folder"):
        Joined(path)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("#EXTINF:1,\n#EXT-X-BYTERANGE:10@0\n0.ts\n", "EXT-X-BYTERANGE"),
        ('#EXT-X-MAP:URI="0.ts",BYTERANGE="10@0"\n#EXTINF:1,\n1.ts\n', "EXT-X-BYTERANGE"),
        ('#EXT-X-KEY:METHOD=AES-128,URI="http://127.0.0.1/k"\n#EXTINF:1,\n0.ts\n', "EXT-X-KEY"),
        ('#EXT-X-MAP:URI="0.ts"\n#EXTINF:1,\n1.ts\n#EXT-X-MAP:URI="1.ts"\n', "changes its header"),
        ("#EXT-X-STREAM-INF:BANDWIDTH=9\nlist.m3u8\n", "names itself"),
        ("#EXT-X-STREAM-INF:BANDWIDTH=9\nmore.m3u8\n", "variants within another"),
        ("#EXTINF:1,\n0.ts\n#EXTINF:1,\nlist.m3u8\n", "names itself"),
        ("#EXTINF:1,\nsame.ts\n", "names itself"),
        ("#EXTINF:1,\npipe.ts\n", "is a pipe"),
        ("#EXTINF:1,\nsub\n", "is a folder"),
    ],
)
def test_what_is_no_plain_list_of_files_is_refused(folder: Path, body: str, why: str) -> None:
    os.mkfifo(folder / "pipe.ts")
    (folder / "sub").mkdir()
    (folder / "same.ts").symlink_to("list.m3u8")
    (folder / "more.m3u8").write_text(f"{HEAD}#EXT-X-STREAM-INF:BANDWIDTH=9\nlist.m3u8\n")
    with pytest.raises(InputError, match=why):
        hls_segments(playlist_with(folder, body))


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda path: path.write_bytes(b""), "no HLS playlist"),
        (lambda path: path.write_bytes(b"0.ts\n"), "does not begin with #EXTM3U"),
        (lambda path: path.write_bytes(b"#EXTM3U\n\xff\xfe\n"), "not UTF-8"),
        (lambda path: path.write_bytes(b"#EXTM3U\n" + b"#" * MAX_PLAYLIST_BYTES), "too long"),
        (Path.mkdir, "is a folder"),
        (os.mkfifo, "is a pipe"),
        (lambda path: None, "No such file"),
    ],
    ids=["empty", "unmarked", "bytes", "endless", "folder", "pipe", "none"],
)
def test_what_is_no_playlist_is_refused(
    tmp_path: Path, make: Callable[[Path], object], why: str
) -> None:
    path = tmp_path / "list.m3u8"
    make(path)
    with pytest.raises(InputError, match=f"list.m3u8 .*{why}"):
        hls_segments(path)


def test_names_may_be_escaped_or_lie_in_folders_within(folder: Path) -> None:
    (folder / "a b").mkdir()
    for name in ("a b/2 é.ts", "50%25.ts", "..3.ts"):
        (folder / name).write_bytes(b"")
    names = ("a%20b/2%20%C3%A9.ts", "50%25.ts", "..3.ts", "./0.ts")
    found = hls_segments(playlist(folder, *names))
    assert [segment.name for segment in found.segments] == ["2 é.ts", "50%25.ts", "..3.ts", "0.ts"]


def test_of_variants_the_one_with_the_highest_bandwidth_here_is_read(folder: Path) -> None:
    for name, segment in (("low.m3u8", "0.ts"), ("high.m3u8", "1.ts")):
        playlist(folder, segment).rename(folder / name)
    path = playlist_with(
        folder,
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="x, y",URI="sound.m3u8"\n'
        '#EXT-X-STREAM-INF:CODECS="a,BANDWIDTH=99",BANDWIDTH=5\nlow.m3u8\n'
        "#EXT-X-STREAM-INF:BANDWIDTH=70\nhigh.m3u8\n"
        "#EXT-X-STREAM-INF:BANDWIDTH=900\nhttp://127.0.0.1/best.m3u8\n",
    )
    found = hls_segments(path)
    assert [segment.name for segment in found.segments] == ["1.ts"]
    assert "sound.m3u8" in found.notes[0]


def test_numbers_that_are_none_are_the_usual_ones(folder: Path) -> None:
    path = folder / "list.m3u8"
    path.write_bytes(
        b"\xef\xbb\xbf#EXTM3U\r\n#EXT-X-TARGETDURATION:nan\r\n"
        b"#EXT-X-MEDIA-SEQUENCE:-3\r\n#EXTINF:1,\r\n0.ts\r\n#EXT-X-ENDLIST"
    )
    found = hls_segments(path)
    assert (found.target_duration_s, found.first_number) == (DEFAULT_TARGET_S, 0)
    assert ([segment.name for segment in found.segments], found.is_finished) == (["0.ts"], True)
