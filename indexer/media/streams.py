"""Which of a file's streams are its picture and its sound."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qdrant.errors import UsageError

if TYPE_CHECKING:
    import av
    import av.audio.stream
    import av.container
    import av.stream
    import av.video.stream

LETTERS = {"video": "v", "audio": "a", "subtitle": "s", "data": "d", "attachment": "t"}
"""How ffmpeg abbreviates the kinds of streams; others are `u`."""
SPECIFIER = re.compile(r"([va]):(\d{1,4})")

NO_FILM = frozenset({"attached_pic", "timed_thumbnails"})
"""Dispositions of cover art and chapter pictures."""
DESCRIBED = frozenset({"visual_impaired", "descriptions"})
COMMENTED = frozenset({"comment"})
DESCRIBED_NAME = re.compile(r"audio.?descri|descriptive|described video|\bad\b", re.IGNORECASE)
COMMENTED_NAME = re.compile(r"comment", re.IGNORECASE)
CLOCK_TIME = re.compile(r"(\d+):(\d{2}):(\d{2}(?:\.\d+)?)")
NO_TIMESTAMPS = 0x80
"""libavformat's AVFMT_NOTIMESTAMPS: a bare stream, whose length is guessed from its bit rate."""


@dataclass(frozen=True)
class StreamInfo:
    """One of a file's streams, as it is named on the command line and shown to people."""

    name: str  # "v:0": kind, and number among those of its kind, as ffmpeg counts
    index: int  # among all of the file's streams
    kind: str  # video, audio, subtitle, data, attachment, unknown
    codec: str  # empty where there is no decoder for it
    language: str | None
    dispositions: tuple[str, ...]  # default, attached_pic, visual_impaired, ...
    duration_s: float  # as stated; 0.0 where it is not
    title: str = ""  # as its maker named it
    detail: str = ""  # 1920x1080 or 6 channels

    def __str__(self) -> str:
        words = [self.codec or "no decoder", self.detail, self.language, self.title]
        flags = [word for word in self.dispositions if word != "default"]
        return f"{self.name} ({', '.join(str(word) for word in [*words, *flags] if word)})"


def streams_of(container: av.container.InputContainer) -> tuple[StreamInfo, ...]:
    """Return all streams of a file, in its own order."""
    seen: dict[str, int] = {}
    found = []
    for stream in container.streams:
        letter = LETTERS.get(stream.type, "u")
        number = seen.get(letter, 0)
        seen[letter] = number + 1
        metadata = tags(stream.metadata)
        found.append(
            StreamInfo(
                name=f"{letter}:{number}",
                index=stream.index,
                kind=stream.type or "unknown",
                codec=stream.codec_context.name if stream.codec_context else "",
                language=metadata.get("language"),
                dispositions=_words(stream),
                duration_s=duration_s(stream, container),
                title=metadata.get("title") or _handler(metadata),
                detail=_detail(stream),
            )
        )
    return tuple(found)


def choose(
    container: av.container.InputContainer, streams: Sequence[StreamInfo], *, asked: str | None
) -> tuple[av.video.stream.VideoStream | None, av.audio.stream.AudioStream | None]:
    """Return the main picture and the main sound; `asked` ("v:1", "v:1,a:0") overrules.

    Of pictures the largest, then the one marked default, then the longest, then the first. Of
    sounds never an audio description where there is another, then the one marked default, then
    no commentary, then the most channels, then the first. Raises `UsageError` for a stream that
    is not there.
    """
    known = {info.name: info for info in streams}
    wanted = _asked(asked, known)
    pictures = [s for s in container.streams.video if _is_film(s)]
    sounds = [s for s in container.streams.audio if s.codec_context]
    infos = {info.index: info for info in streams}
    picture = max(pictures, key=lambda s: _picture_rank(s, infos[s.index]), default=None)
    sound = max(sounds, key=lambda s: _sound_rank(s, infos[s.index]), default=None)
    if "v" in wanted:
        picture = container.streams.video[_number(wanted["v"])]
    if "a" in wanted:
        sound = container.streams.audio[_number(wanted["a"])]
    return picture, sound


def tags(metadata: Mapping[str, str]) -> dict[str, str]:
    """Return tags by their names in small letters: Matroska writes them in capitals."""
    return {name.lower(): value for name, value in metadata.items()}


def duration_s(stream: av.stream.Stream, container: av.container.InputContainer) -> float:
    """Return how long a stream says it is; Matroska says so in a tag, `HH:MM:SS.nnn`."""
    if stream.duration and stream.time_base and not container.format.flags & NO_TIMESTAMPS:
        return float(stream.duration * stream.time_base)
    stated = CLOCK_TIME.fullmatch(tags(stream.metadata).get("duration", "").strip())
    if not stated:
        return 0.0
    end_s = int(stated[1]) * 3600 + int(stated[2]) * 60 + float(stated[3])
    # ffmpeg writes when the stream ends, and a stream may start late.
    start_s = float((stream.start_time or 0) * (stream.time_base or 0))
    return max(0.0, end_s - max(0.0, start_s))


def _asked(asked: str | None, known: Mapping[str, StreamInfo]) -> dict[str, str]:
    """Return the names asked for by their letter. Raises `UsageError`."""
    wanted: dict[str, str] = {}
    for name in (part.strip() for part in asked.split(",")) if asked is not None else ():
        match = SPECIFIER.fullmatch(name)
        spelt = f"{match[1]}:{int(match[2])}" if match else name
        if not match or spelt not in known or not known[spelt].codec or match[1] in wanted:
            usable = [str(info) for info in known.values() if info.name[0] in "va" and info.codec]
            raise UsageError(
                f"There is no stream {name!r} to choose here: name at most one picture and one "
                f"sound, as in 'v:0,a:0'. The file has {', '.join(usable) or 'none'}."
            )
        wanted[match[1]] = spelt
    return wanted


def _number(name: str) -> int:
    return int(name.partition(":")[2])


def _is_film(stream: av.video.stream.VideoStream) -> bool:
    return bool(
        stream.codec_context
        and stream.width
        and stream.height
        and not NO_FILM & set(_words(stream))
    )


def _picture_rank(
    stream: av.video.stream.VideoStream, info: StreamInfo
) -> tuple[int, bool, float, int]:
    area = stream.width * stream.height
    return area, "default" in info.dispositions, info.duration_s, -stream.index


def _sound_rank(
    stream: av.audio.stream.AudioStream, info: StreamInfo
) -> tuple[bool, bool, bool, int, int]:
    words = set(info.dispositions)
    described = bool(DESCRIBED & words or DESCRIBED_NAME.search(info.title))
    commented = bool(COMMENTED & words or COMMENTED_NAME.search(info.title))
    return not described, "default" in words, not commented, stream.channels, -stream.index


def _words(stream: av.stream.Stream) -> tuple[str, ...]:
    from av.stream import Disposition

    value = int(stream.disposition.value)
    return tuple(flag.name for flag in Disposition if flag.value & value and flag.name)


def _detail(stream: av.stream.Stream) -> str:
    import av

    if isinstance(stream, av.VideoStream) and stream.codec_context:
        return f"{stream.width}x{stream.height}"
    if isinstance(stream, av.AudioStream) and stream.codec_context:
        return f"{stream.channels} channel{'s' if stream.channels != 1 else ''}"
    return ""


def _handler(metadata: Mapping[str, str]) -> str:
    """Return what QuickTime calls a track, where that says more than its kind."""
    name = metadata.get("handler_name", "").strip()
    return "" if name.lower().endswith(("handler", "handle")) else name
