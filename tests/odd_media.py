"""Media files as the world makes them: how each is made, and what Trimbin must find in it.

Every row states its outcome by hand: so many frames, this rate, this timecode, or the refusal.
The files are small, made by ffmpeg; damage is done to their bytes here.
"""

from __future__ import annotations

import os
import socket
import struct
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np

from indexer.media.decode import Decoding
from indexer.media.probe import Media, probe
from indexer.shots.adaptive import AdaptiveBoundaries
from indexer.shots.watch import watch
from indexer.sound.recording import recording
from qdrant.errors import TrimbinError

MILLISECONDS = Fraction(1000)
PARTIAL_SHARE = 0.98
X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
AAC = ("-c:a", "aac", "-b:a", "32k")

Make = Callable[[Path], object]
"""Makes the file at a path; its folder is there and is the file's own."""


@dataclass(frozen=True)
class Row:
    """One odd input, and what must come out."""

    name: str  # of the file
    what: str
    make: Make
    frames: int | tuple[int, int] = 48  # exactly, or at least and at most; 0: sound alone
    rate: Fraction = Fraction(25)
    timecode: str | None = None
    seconds: float | None = None  # from the first shot's start to the last one's end
    cut: int | None = None  # a hard cut at this frame
    partial: bool = False  # fewer frames than stated, damaged places, or an early end
    sound: bool = False  # whether there is a main sound stream
    picture: dict[str, Any] = field(default_factory=dict)  # fields of PictureTrack
    refused: str | None = None  # what the sentence says


@dataclass(frozen=True)
class Outcome:
    """What came out of a file."""

    media: Media | None = None
    frames: int = 0
    shots: tuple[tuple[int, int], ...] = ()
    start_s: float = 0.0
    end_s: float = 0.0
    damaged: int = 0
    ended_early: str | None = None
    refusal: str | None = None

    @property
    def partial(self) -> bool:
        """Whether something is missing from the file, as the manifest would say."""
        expected = self.media.expected_frames if self.media else 0
        few = self.frames < PARTIAL_SHARE * expected
        return few or self.damaged > 0 or self.ended_early is not None


def outcome_of(path: Path) -> Outcome:
    """Put a file through probe and watch (or, sound alone, through the decoding of sound)."""
    try:
        media = probe(path)
        if media.picture is None:
            with recording(media) as sound:
                return Outcome(media, end_s=sound.duration_s)
        report = Decoding()
        shots = list(watch(media, detector=AdaptiveBoundaries(), report=report))
    except TrimbinError as error:
        return Outcome(refusal=str(error))
    return Outcome(
        media=media,
        frames=report.num_frames,
        shots=tuple((shot.start_frame, shot.end_frame) for shot in shots),
        start_s=shots[0].start_s,
        end_s=shots[-1].end_s,
        damaged=report.damaged_packets,
        ended_early=report.ended_early,
    )


def complaints(row: Row, outcome: Outcome) -> list[str]:
    """Return where an outcome is not what its row says; nothing where all is well."""
    if row.refused is not None or outcome.refusal is not None:
        wanted, told = row.refused, outcome.refusal
        right = wanted is not None and told is not None and wanted in told and row.name in told
        return [] if right else [f"refusal {told!r}, not {wanted!r}"]
    media = outcome.media
    assert media is not None
    least, most = row.frames if isinstance(row.frames, tuple) else (row.frames, row.frames)
    edges = [edge for shot in outcome.shots for edge in shot]
    whole = [0, *(edge for cut in edges[1:-1:2] for edge in (cut, cut)), outcome.frames]
    checks: dict[str, tuple[Any, Any]] = {
        "rate": (media.rate, row.rate),
        "timecode": (media.start_timecode, row.timecode),
        "partial": (outcome.partial, row.partial),
        "sound": (media.sound is not None, row.sound),
        "cut": (row.cut is None or (row.cut in edges), True),
        "cover": (edges, whole if most else []),
        "frames": (least <= outcome.frames <= most, True),
    }
    for name, value in row.picture.items():
        checks[name] = (getattr(media.picture, name), value)
    found = [f"{what}: {got}, not {want}" for what, (got, want) in checks.items() if got != want]
    length_s = outcome.end_s - outcome.start_s
    # A mean period of slack: what is known of the last frame's length differs by container.
    slack_s = 0.2 if not most else float(1 / row.rate) + 0.01
    if row.seconds is not None and abs(length_s - row.seconds) > slack_s:
        found.append(f"seconds: {length_s:.3f}, not {row.seconds}")
    return found


def ffmpeg(*options: str | Path) -> None:
    """Run the ffmpeg program that comes with imageio-ffmpeg."""
    program = imageio_ffmpeg.get_ffmpeg_exe()
    command = [program, "-hide_banner", "-loglevel", "error", "-nostdin", "-y", *map(str, options)]
    subprocess.run(command, check=True, timeout=120)


def pattern(rate: str = "25", *, size: str = "160x90", frames: int = 48) -> tuple[str, ...]:
    """Return the input of still bars, then, from the middle on, a moving test pattern."""
    half = frames // 2
    bars = f"smptebars=size={size}:rate={rate},trim=end_frame={half}[a]"
    moving = f"testsrc2=size={size}:rate={rate},trim=end_frame={frames - half}[b]"
    return "-f", "lavfi", "-i", f"{bars};{moving};[a][b]concat=n=2"


def moving(rate: str = "25", *, size: str = "160x90", frames: int = 48) -> tuple[str, ...]:
    """Return the input of a moving test pattern."""
    return "-f", "lavfi", "-i", f"testsrc2=size={size}:rate={rate},trim=end_frame={frames}"


def tone(seconds: float = 2, *, rate: int = 48_000) -> tuple[str, ...]:
    """Return the input of a tone."""
    return "-f", "lavfi", "-i", f"sine=frequency=440:sample_rate={rate}:duration={seconds}"


def film(*options: str, source: Sequence[str] = pattern(), codec: Sequence[str] = X264) -> Make:
    """Return the maker of a file that one run of ffmpeg writes."""
    return lambda path: ffmpeg(*source, *codec, *options, path)


def from_film(
    change: Callable[[Path, Path], object],
    *options: str,
    name: str = "whole.mp4",
    source: Sequence[str] = pattern(),
    codec: Sequence[str] = X264,
) -> Make:
    """Return the maker of a file that is another one changed."""

    def make(path: Path) -> None:
        whole = path.parent / "made" / name
        whole.parent.mkdir()
        ffmpeg(*source, *codec, *options, whole)
        change(whole, path)

    return make


def copied(*options: str, before: Sequence[str] = ()) -> Callable[[Path, Path], None]:
    """Return a change: the streams re-wrapped by ffmpeg without being encoded anew."""
    return lambda whole, path: ffmpeg(*before, "-i", whole, "-c", "copy", *options, path)


def cut_off(share: float) -> Callable[[Path, Path], None]:
    """Return a change: only so much of the file's beginning is left."""

    def change(whole: Path, path: Path) -> None:
        content = whole.read_bytes()
        path.write_bytes(content[: int(len(content) * share)])

    return change


def spoilt(whole: Path, path: Path) -> None:
    """Overwrite a tenth of the bytes, in the middle, with noise."""
    content = bytearray(whole.read_bytes())
    begin, length = len(content) * 45 // 100, len(content) // 10
    content[begin : begin + length] = np.random.default_rng(0).bytes(length)
    path.write_bytes(content)


def written(content: bytes | str) -> Make:
    """Return the maker of a file with this content."""
    data = content.encode() if isinstance(content, str) else content
    return lambda path: path.write_bytes(data)


def a_socket(path: Path) -> None:
    """Bind a socket to a path; its name may be longer than sockets allow."""
    here = Path.cwd()
    with socket.socket(socket.AF_UNIX) as server:
        os.chdir(path.parent)
        try:
            server.bind(path.name)
        finally:
            os.chdir(here)


def reference_movie(path: Path, *, target: str = "secret.mov") -> None:
    """Write a QuickTime film whose samples lie in another file, which a Mac alias names."""
    other = path.parent / target
    ffmpeg(*pattern(), *X264, other)
    content = other.read_bytes()
    movie = content[content.index(b"moov") - 4 :]
    path.write_bytes(content[: struct.unpack(">I", content[:4])[0]] + _with_alias(movie, target))


def _with_alias(box: bytes, target: str) -> bytes:
    """Return a box in which every data reference is an alias."""
    kind, inner, out = box[4:8], box[8 : struct.unpack(">I", box[:4])[0]], b""
    if kind == b"dref":
        out = struct.pack(">II", 0, 1) + _alias(target)
    elif kind in (b"moov", b"trak", b"mdia", b"minf", b"dinf"):
        while inner:
            size = struct.unpack(">I", inner[:4])[0]
            out += _with_alias(inner[:size], target)
            inner = inner[size:]
    else:
        out = inner
    return struct.pack(">I", len(out) + 8) + kind + out


def _alias(target: str) -> bytes:
    name = f":{target}".encode()
    name += b"\0" * (len(name) % 2)
    record = bytes(10) + b"\x04disk" + bytes(23) + bytes(12) + bytes(64) + bytes(16)
    record += struct.pack(">hh", 1, 1) + bytes(16)
    record += struct.pack(">HH", 2, len(name)) + name + struct.pack(">HH", 0xFFFF, 0)
    record = struct.pack(">I", 0) + record
    return struct.pack(">I", len(record) + 8) + b"alis" + record
