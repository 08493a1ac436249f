"""Recordings that grow: a reel written piece by piece, as a file or as an HLS playlist."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import imageio_ffmpeg
import numpy as np
from reel import make_reel

from indexer.encoders.load import EncoderSet, load_encoders
from indexer.library import Library
from indexer.shots.network import Network

ENCODED = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "5", "-g", "24", "-bf", "2",
           "-c:a", "aac", "-ac", "1")  # fmt: skip
"""Large enough to be told apart after a few seconds, with a keyframe a second."""
FRAGMENTED = ("-movflags", "frag_keyframe+empty_moov+default_base_moof")
SEGMENT_S = 2
PIECES = 40
PIECE_S = 0.12


def make_recording(folder: Path, *, suffix: str = ".ts") -> Path:
    """Write a whole recording of the photograph reel, 12 s: .ts, .mkv or fragmented .mp4."""
    reel = make_reel(folder, name="Photographs.mp4", subtitles=False)
    path = folder / f"Recording{suffix}"
    container = FRAGMENTED if suffix == ".mp4" else ()
    if not (whole := folder / "Whole.mp4").exists():
        _ffmpeg("-i", reel.path, *ENCODED, whole)
    _ffmpeg("-i", whole, "-c", "copy", *container, path)
    return path


def make_playlist(folder: Path) -> Path:
    """Write the reel as a finished HLS playlist with its segments."""
    whole = make_recording(folder / "whole", suffix=".ts")
    path = folder / "Live.m3u8"
    _ffmpeg("-i", whole, "-c", "copy", "-f", "hls", "-hls_time", SEGMENT_S, "-hls_list_size", 0,
            "-hls_segment_filename", folder / "Live%03d.ts", path)  # fmt: skip
    return path


def warm_encoders(folder: Path) -> EncoderSet:
    """Load the offline profile, its weights derived: that takes a while, once a run."""
    library = Library.open(folder / "library", create=True, profile="offline")
    encoders = load_encoders(library.profile, device="cpu", cache_dir=folder / "cache")
    assert encoders.video and encoders.audio
    encoders.video.encode([np.zeros((1, 64, 64, 3), np.uint8)])
    encoders.audio.encode([np.zeros(16_000, np.float32)])
    Network()
    return encoders


@contextmanager
def growing(
    source: Path, target: Path, *, upto: float = 1.0, piece_s: float = PIECE_S
) -> Iterator[threading.Thread]:
    """Write a file piece by piece, up to a share of it, while the block runs."""
    content = source.read_bytes()

    def grow() -> None:
        with target.open("wb") as stream:
            for piece in range(round(PIECES * upto)):
                first, last = (len(content) * n // PIECES for n in (piece, piece + 1))
                stream.write(content[first:last])
                stream.flush()
                time.sleep(piece_s)

    with _at_work(grow) as thread:
        yield thread


@contextmanager
def playlist_growing(
    source: Path, target: Path, *, upto: int | None = None, piece_s: float = 0.5
) -> Iterator[threading.Thread]:
    """Write a playlist's segments one after another, each before it is named."""
    lines = source.read_text().splitlines(keepends=True)
    ends = [i + 1 for i, line in enumerate(lines) if not line.startswith("#")]
    target.parent.mkdir(exist_ok=True)

    def grow() -> None:
        for number, end in enumerate(ends[:upto]):
            name = lines[end - 1].strip()
            (target.parent / name).write_bytes((source.parent / name).read_bytes())
            last = upto is None and number == len(ends) - 1
            part = target.with_suffix(".tmp")
            part.write_text("".join(lines if last else lines[:end]))
            part.replace(target)
            time.sleep(piece_s)

    with _at_work(grow) as thread:
        yield thread


def wait_until(happens: Callable[[], bool], *, within_s: float = 120.0) -> None:
    """Wait for something; fail where it does not happen, however busy the machine."""
    deadline = time.monotonic() + within_s
    while not happens():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


@contextmanager
def _at_work(work: Callable[[], None]) -> Iterator[threading.Thread]:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield thread
    finally:
        thread.join()


def _ffmpeg(*arguments: object) -> None:
    quiet: Sequence[str] = ("-hide_banner", "-loglevel", "error", "-y")
    command = [imageio_ffmpeg.get_ffmpeg_exe(), *quiet, *map(str, arguments)]
    subprocess.run(command, check=True, timeout=60)
