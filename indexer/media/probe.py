"""What a file holds, before anything is decoded."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.media.timecode import MILLISECONDS, is_drop_frame, valid_timecode
from qdrant.errors import InputError

if TYPE_CHECKING:
    import av
    import av.audio.stream
    import av.container
    import av.video.stream

MEDIA_SUFFIXES = frozenset(
    {
        ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".mxf",
        ".ogv", ".ts", ".vob", ".webm", ".wmv", ".3gp",
        ".aac", ".aif", ".aiff", ".flac", ".m4a", ".mp3", ".oga", ".ogg", ".opus", ".wav",
    }
)  # fmt: skip
"""What `trimbin index FOLDER` takes up; a file named outright is tried whatever its name."""

STANDARD_RATES = tuple(
    Fraction(*pair)
    for pair in (
        (24000, 1001), (24, 1), (25, 1), (30000, 1001), (30, 1), (48, 1), (50, 1), (60000, 1001),
        (60, 1),
    )
)  # fmt: skip
RATE_TOLERANCE = Fraction(2, 10_000)
"""A measured average this near to a standard rate is that rate; 24 and 24000/1001 differ by 10."""

LIBRARY_MARK = "trimbin.toml"
"""A folder with this file is a library; the films in it are playback proxies."""

OPEN_OPTIONS = {"protocol_whitelist": "file"}
"""A file may name no other place than the disk."""


@dataclass(frozen=True)
class PictureTrack:
    """The main video stream."""

    index: int  # among all of the file's streams
    rate: Fraction  # frames a second
    width: int  # pixels as stored
    height: int
    pixel_aspect: Fraction  # width of a pixel over its height
    codec: str
    pixel_format: str
    num_frames: int  # as the container says; 0 where it does not
    duration_s: float  # of this stream, as the container says; 0.0 where it does not


@dataclass(frozen=True)
class SoundTrack:
    """The main audio stream."""

    index: int
    codec: str
    sample_rate_hz: int
    channels: int


@dataclass(frozen=True)
class Media:
    """A file that can be indexed: it has pictures, sound, or both."""

    path: Path
    container: str
    duration_s: float  # as the container says; 0.0 where it does not
    picture: PictureTrack | None
    sound: SoundTrack | None
    start_timecode: str | None

    @property
    def rate(self) -> Fraction:
        """The frame rate; milliseconds where there are no frames."""
        return self.picture.rate if self.picture else MILLISECONDS

    @property
    def expected_frames(self) -> int:
        """How many frames a whole copy should have: 0 where there is no telling.

        That is the count stated for the stream, else the stream's own length at its rate. The
        container's length never counts: sound or subtitles may go on after the picture.
        """
        if self.picture is None:
            return 0
        return self.picture.num_frames or round(self.picture.duration_s * self.picture.rate)

    @property
    def drop_frame(self) -> bool:
        """Whether the file's own timecode is drop-frame."""
        return self.start_timecode is not None and is_drop_frame(self.start_timecode)


def probe(path: Path) -> Media:
    """Return what a file holds. Raises `InputError` for what is no film or sound."""
    with opened(path) as container:
        pictures = [s for s in container.streams.video if not s.disposition.value & ATTACHED_PIC]
        pictures = [s for s in pictures if s.codec_context and s.width]
        sounds = [s for s in container.streams.audio if s.codec_context]
        if not pictures and not sounds:
            raise InputError(
                f"{path} holds neither picture nor sound, so there is nothing to index."
            )
        picture = max(pictures, key=lambda s: s.width * s.height, default=None)
        sound = sounds[0] if sounds else None
        return Media(
            path=path,
            container=container.format.name,
            duration_s=(container.duration or 0) / 1_000_000,
            picture=_picture_track(picture, container) if picture else None,
            sound=_sound_track(sound) if sound else None,
            start_timecode=_start_timecode(container, picture) if picture else None,
        )


ATTACHED_PIC = 0x400
"""libavformat's AV_DISPOSITION_ATTACHED_PIC: cover art, no film."""
NO_TIMESTAMPS = 0x80
"""libavformat's AVFMT_NOTIMESTAMPS: a bare stream, whose length is guessed from its bit rate."""
CLOCK_TIME = re.compile(r"(\d+):(\d{2}):(\d{2}(?:\.\d+)?)")


@contextmanager
def opened(path: Path) -> Iterator[av.container.InputContainer]:
    """Open a media file; every way in which that can fail is a sentence about the file."""
    import av

    _need_utf8(path)
    try:
        if path.stat().st_size == 0:
            raise InputError(f"{path} is empty (0 bytes). Copy it again from its source.")
        container = av.open(str(path), options=OPEN_OPTIONS, metadata_errors="replace")
    except av.error.FFmpegError as error:
        raise InputError(
            f"{path} is not a film or sound that can be read "
            f"({error.strerror or type(error).__name__}). If it plays elsewhere, "
            "re-wrap or re-export it."
        ) from error
    except OSError as error:
        raise InputError(f"{path} cannot be opened ({error.strerror or error}).") from error
    with container:
        yield container


def content_hash(path: Path) -> str:
    """Return the sha256 of a file's bytes. Raises `InputError` where it cannot be read."""
    _need_utf8(path)
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror or error}).") from error


def media_files(paths: list[Path]) -> Iterator[Path]:
    """Return the files to index: those named, and the media files in the folders named.

    Hidden files and folders, and libraries, are passed over. A path has one spelling, without `..`.
    """
    for path in paths:
        named = Path(os.path.normpath(path.expanduser().absolute()))
        yield from sorted(_media_within(named)) if named.is_dir() else [named]


def _media_within(folder: Path) -> Iterator[Path]:
    for root, folders, names in os.walk(folder):
        if LIBRARY_MARK in names:
            folders.clear()
            continue
        folders[:] = [name for name in folders if not name.startswith(".")]
        files = (Path(root, name) for name in names if not name.startswith("."))
        yield from (p for p in files if p.suffix.lower() in MEDIA_SUFFIXES and p.is_file())


def printable(path: Path) -> str:
    """Return a path as text that can be written anywhere: bytes that are no UTF-8 as `\\xNN`."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _need_utf8(path: Path) -> None:
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"{printable(path)} cannot be used: its name is not valid UTF-8; rename it."
        ) from error


def _picture_track(
    stream: av.video.stream.VideoStream, container: av.container.InputContainer
) -> PictureTrack:
    context = stream.codec_context
    return PictureTrack(
        index=stream.index,
        rate=_exact_rate(stream),
        width=stream.width,
        height=stream.height,
        pixel_aspect=Fraction(stream.sample_aspect_ratio or 1) or Fraction(1),
        codec=context.name,
        pixel_format=context.pix_fmt or "",
        num_frames=stream.frames,
        duration_s=_duration_s(stream, container),
    )


def _duration_s(
    stream: av.video.stream.VideoStream, container: av.container.InputContainer
) -> float:
    """Return how long a stream says it is; Matroska says so in a tag, `HH:MM:SS.nnn`."""
    if stream.duration and stream.time_base and not container.format.flags & NO_TIMESTAMPS:
        return float(stream.duration * stream.time_base)
    stated = CLOCK_TIME.fullmatch(_tags(stream.metadata).get("duration", "").strip())
    if not stated:
        return 0.0
    end_s = int(stated[1]) * 3600 + int(stated[2]) * 60 + float(stated[3])
    # ffmpeg writes when the stream ends, and a stream may start late.
    start_s = float((stream.start_time or 0) * (stream.time_base or 0))
    return max(0.0, end_s - max(0.0, start_s))


def _tags(metadata: Mapping[str, str]) -> dict[str, str]:
    """Return tags by their names in small letters: Matroska writes them in capitals."""
    return {name.lower(): value for name, value in metadata.items()}


def _sound_track(stream: av.audio.stream.AudioStream) -> SoundTrack:
    return SoundTrack(stream.index, stream.codec_context.name, stream.rate, stream.channels)


def _exact_rate(stream: av.video.stream.VideoStream) -> Fraction:
    measured = stream.average_rate or stream.guessed_rate or stream.base_rate or Fraction(25)
    for rate in STANDARD_RATES:
        if abs(measured / rate - 1) < RATE_TOLERANCE:
            return rate
    return Fraction(measured).limit_denominator(1001)


def _start_timecode(
    container: av.container.InputContainer, picture: av.video.stream.VideoStream
) -> str | None:
    """Return the timecode of the first frame: from the stream, a tmcd track, or the container."""
    places = [picture.metadata, *(s.metadata for s in container.streams.data), container.metadata]
    found = (_tags(place).get("timecode", "") for place in places)
    rate = _exact_rate(picture)
    return next(filter(None, (valid_timecode(text, rate=rate) for text in found)), None)
