"""What a file holds, before it is decoded: its streams, its pictures' pace, its clock."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.media.opening import need_file, opened, printable
from indexer.media.streams import StreamInfo, choose, streams_of, tags
from indexer.media.timecode import MILLISECONDS, is_drop_frame, valid_timecode
from indexer.media.tracks import (
    PictureTrack,
    SoundTrack,
    first_look,
    picture_track,
    sound_track,
    start_of,
)
from qdrant.errors import InputError

if TYPE_CHECKING:
    import av
    import av.audio.stream
    import av.container
    import av.video.stream

__all__ = [
    "LIBRARY_MARK", "MEDIA_SUFFIXES", "Media", "PictureTrack", "SoundTrack", "StreamInfo",
    "content_hash", "media_files", "opened", "printable", "probe", "sound_tracks",
]  # fmt: skip

MEDIA_SUFFIXES = frozenset(
    {
        ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".mxf",
        ".ogv", ".ts", ".vob", ".webm", ".wmv", ".3gp",
        ".aac", ".aif", ".aiff", ".flac", ".m4a", ".mp3", ".oga", ".ogg", ".opus", ".wav",
    }
)  # fmt: skip
"""What `trimbin index FOLDER` takes up; a file named outright is tried whatever its name."""

LIBRARY_MARK = "trimbin.toml"
"""A folder with this file is a library; the films in it are playback proxies."""

TIMECODE_TAGS = ("timecode", "start_timecode", "starttimecode", "com.apple.quicktime.timecode")


@dataclass(frozen=True)
class Media:
    """A file that can be indexed: it has pictures, sound, or both."""

    path: Path
    container: str
    duration_s: float  # as the container says; 0.0 where it does not
    picture: PictureTrack | None
    sound: SoundTrack | None
    start_timecode: str | None
    start_s: float = 0.0  # when the first picture (or sound alone) stands on the container's clock
    streams: tuple[StreamInfo, ...] = ()
    notes: tuple[str, ...] = ()  # sentences: what was found and could not be used

    @property
    def rate(self) -> Fraction:
        """The frame rate; milliseconds where there are no frames."""
        return self.picture.rate if self.picture else MILLISECONDS

    @property
    def expected_frames(self) -> int:
        """How many frames a whole copy should have: 0 where there is no telling.

        That is the count stated for the stream, else the stream's own length at its rate. The
        container's length never counts: sound or subtitles may go on after the picture; nor does
        the length of uneven pictures, whose rate is an average.
        """
        if self.picture is None:
            return 0
        if self.picture.num_frames or self.picture.pace == "uneven":
            return self.picture.num_frames
        return round(self.picture.duration_s * self.picture.rate)

    @property
    def drop_frame(self) -> bool:
        """Whether the file's own timecode is drop-frame."""
        return self.start_timecode is not None and is_drop_frame(self.start_timecode)


def probe(path: Path, *, stream: str | None = None) -> Media:
    """Return what a file holds; `stream` ("v:1", "a:0", "v:1,a:2") chooses its main streams.

    Raises `InputError` for what is no film or sound, `UsageError` for a stream it does not have.
    """
    with opened(path) as container:
        streams = streams_of(container)
        picture, sound = choose(container, streams, asked=stream)
        if not picture and not sound:
            raise InputError(
                f"{path} holds neither picture nor sound, so there is nothing to index."
            )
        length_s = (container.duration or 0) / 1_000_000
        if not picture:
            assert sound is not None
            start_s = float((sound.start_time or 0) * (sound.time_base or 0))
            return Media(path, container.format.name, length_s, None, sound_track(sound), None,
                         start_s=start_s, streams=streams)  # fmt: skip
        first, times = first_look(container, picture)
        track = picture_track(picture, container, first=first, times=times)
        timecode, notes = _start_timecode(container, picture, rate=track.rate)
        return Media(
            path=path,
            container=container.format.name,
            duration_s=length_s,
            picture=track,
            sound=sound_track(sound) if sound else None,
            start_timecode=timecode,
            start_s=start_of(picture, first),
            streams=streams,
            notes=notes,
        )


def sound_tracks(path: Path) -> tuple[SoundTrack, ...]:
    """Return every audio stream of a file, in its order. Raises `InputError` as `probe` does."""
    with opened(path) as container:
        return tuple(sound_track(stream) for stream in container.streams.audio)


def content_hash(path: Path) -> str:
    """Return the sha256 of a file's bytes. Raises `InputError` where it cannot be read."""
    need_file(path)
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


def _start_timecode(
    container: av.container.InputContainer,
    picture: av.video.stream.VideoStream,
    *,
    rate: Fraction,
) -> tuple[str | None, tuple[str, ...]]:
    """Return the timecode of the first frame, and a note on what was passed over.

    It stands in the stream's tags, in those of a tmcd or MXF timecode track, or the container's.
    """
    places = [picture.metadata, *(s.metadata for s in container.streams.data), container.metadata]
    found = [place[tag] for place in map(tags, places) for tag in TIMECODE_TAGS if place.get(tag)]
    for text in found:
        if timecode := valid_timecode(text, rate=rate):
            return timecode, ()
    notes = [f"Its start timecode {text!r} is none at {rate} frames a second and is left out."
             for text in dict.fromkeys(found)]  # fmt: skip
    return None, tuple(notes)
