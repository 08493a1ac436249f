"""What lies in a watched folder, and how a growing file is read."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from indexer.identity import HEAD_BYTES, live_title_id
from indexer.live.edge import FileEdge, PlaylistEdge
from indexer.live.folder import WatchedFolder
from indexer.live.growing import Growing
from indexer.media.joined import Joined

SETTLED_S = 0.5
LONG_AGO_S = 3600
LARGE = b"x" * HEAD_BYTES


def old(path: Path, content: bytes = b"film") -> Path:
    path.write_bytes(content)
    then = time.time() - LONG_AGO_S
    os.utime(path, (then, then))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> WatchedFolder:
    return WatchedFolder(tmp_path, settled_s=SETTLED_S)


def test_a_file_that_has_long_been_still_is_told_once(
    tmp_path: Path, folder: WatchedFolder
) -> None:
    film = old(tmp_path / "film.ts")
    old(tmp_path / "notes.txt")
    assert folder.look().settled == (film,)
    assert folder.look().settled == ()
    old(film, b"another film")
    os.utime(film)
    assert folder.look().undecided == 1
    time.sleep(SETTLED_S)
    assert folder.look().settled == (film,)


def test_a_file_that_grew_between_two_looks_grows(tmp_path: Path, folder: WatchedFolder) -> None:
    film = tmp_path / "film.ts"
    film.write_bytes(LARGE)
    first = folder.look()
    assert (first.growing, first.settled, first.undecided) == ((), (), 1)
    with film.open("ab") as stream:
        stream.write(b"more")
    assert folder.look().growing == (film,)


def test_what_is_followed_is_left_to_whoever_follows_it(
    tmp_path: Path, folder: WatchedFolder
) -> None:
    film = old(tmp_path / "film.ts")
    assert folder.look(followed=[film]).settled == ()
    assert folder.look().settled == (film,)


def test_a_recording_too_small_to_be_told_from_others_waits(
    tmp_path: Path, folder: WatchedFolder
) -> None:
    film = tmp_path / "film.ts"
    for size in (10, 20):
        film.write_bytes(b"x" * size)
        look = folder.look()
    assert (look.growing, look.undecided) == ((), 1)


def playlist(path: Path, *names: str, end: bool = False) -> Path:
    segments = "".join(f"#EXTINF:2.0,\n{name}\n" for name in names)
    last = "#EXT-X-ENDLIST\n" if end else ""
    path.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n{segments}{last}")
    return path


def test_segments_belong_to_their_playlist_also_the_one_being_written(
    tmp_path: Path, folder: WatchedFolder
) -> None:
    for number in range(3):
        (tmp_path / f"live{number}.ts").write_bytes(LARGE)
    film = old(tmp_path / "film.ts")
    named = playlist(tmp_path / "live.m3u8", "live0.ts", "live1.ts")
    look = folder.look()
    assert (look.settled, look.growing, look.undecided) == ((film,), (named,), 0)
    assert look.segments == {tmp_path / f"live{number}.ts" for number in range(3)}


def test_a_list_of_variants_stands_for_them(tmp_path: Path, folder: WatchedFolder) -> None:
    (tmp_path / "low0.ts").write_bytes(LARGE)
    playlist(tmp_path / "low.m3u8", "low0.ts", end=True)
    master = tmp_path / "all.m3u8"
    master.write_text("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000\nlow.m3u8\n")
    assert folder.look().growing == (master,)


def test_a_playlist_that_leads_elsewhere_is_refused_once(
    tmp_path: Path, folder: WatchedFolder
) -> None:
    playlist(tmp_path / "live.m3u8", "/etc/passwd")
    [sentence] = folder.look().refused
    assert "passwd" in sentence
    assert folder.look().refused == ()


def read_in_background(stream: Growing | Joined) -> tuple[threading.Thread, bytearray]:
    found = bytearray()

    def read() -> None:
        with stream:
            while block := stream.read(64):
                found.extend(block)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    return thread, found


def test_reading_waits_for_what_is_written_and_ends_when_it_is_still(tmp_path: Path) -> None:
    path = tmp_path / "film.ts"
    path.write_bytes(b"one ")
    edge = FileEdge(path, settled_s=SETTLED_S, stop=threading.Event())
    thread, found = read_in_background(Growing(edge))
    for word in (b"two ", b"three"):
        time.sleep(0.2)
        assert thread.is_alive()
        with path.open("ab") as stream:
            stream.write(word)
    thread.join(timeout=5)
    assert not thread.is_alive()
    assert (bytes(found), edge.cause) == (b"one two three", "settled")


def test_all_readers_of_a_recording_end_at_the_same_place(tmp_path: Path) -> None:
    path = tmp_path / "film.ts"
    path.write_bytes(b"all of it")
    edge = FileEdge(path, settled_s=0.2, stop=threading.Event())
    thread, found = read_in_background(Growing(edge))
    thread.join(timeout=5)
    with path.open("ab") as stream:
        stream.write(b" and then some")
    with Growing(edge) as late:
        assert late.read(100) == bytes(found) == b"all of it"


@pytest.mark.parametrize(
    ("what", "cause", "why"),
    [("stop", "stopped", ""), ("vanish", "gone", "vanished"), ("shrink", "gone", "cut short"),
     ("replace", "gone", "replaced")],
)  # fmt: skip
def test_a_reader_never_waits_for_what_will_not_come(
    what: str, cause: str, why: str, tmp_path: Path
) -> None:
    path, stop = tmp_path / "film.ts", threading.Event()
    path.write_bytes(b"begun")
    edge = FileEdge(path, settled_s=LONG_AGO_S, stop=stop)
    thread, _ = read_in_background(Growing(edge))
    time.sleep(0.2)
    if what == "stop":
        stop.set()
    elif what == "vanish":
        path.unlink()
    elif what == "shrink":
        os.truncate(path, 2)
    else:
        other = tmp_path / "other"
        other.write_bytes(b"another film altogether")
        other.replace(path)
    thread.join(timeout=5)
    assert not thread.is_alive()
    assert edge.cause == cause
    assert why in edge.why_gone


def test_a_playlist_without_an_end_ends_when_nothing_is_added(tmp_path: Path) -> None:
    (tmp_path / "live0.ts").write_bytes(b"zero")
    path = tmp_path / "live.m3u8"
    path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:0.1\n#EXTINF:0.1,\nlive0.ts\n")
    edge = PlaylistEdge(path, settled_s=SETTLED_S, stop=threading.Event())
    thread, found = read_in_background(Joined(path, wait=edge.wait))
    thread.join(timeout=5)
    assert (bytes(found), edge.cause) == (b"zero", "settled")


def test_a_live_id_does_not_hang_on_the_header_that_is_written_last() -> None:
    path, body = Path("film.mkv"), bytes(range(256)) * 4096
    ids = {live_title_id(path, head=header + body[4:]) for header in (b"1234", b"5678")}
    assert len(ids) == 1
    assert live_title_id(Path("other.mkv"), head=body) not in ids
    assert live_title_id(path, head=body[::-1]) not in ids
