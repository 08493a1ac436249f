"""Subtitle streams inside a film, read through ffmpeg.

Bitmaps (DVD, Blu-ray, DVB) are listed and not read; teletext has no decoder in PyAV's ffmpeg.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from indexer.media.probe import opened, probe
from indexer.words.captions import CaptionDecoder
from indexer.words.cues import Cue, moved
from indexer.words.languages import language_of
from indexer.words.markup import (
    ASS_SPEAKER,
    ASS_TEXT,
    ass_fields,
    cues_of,
    without_overrides,
    without_tags,
)
from indexer.words.subtitles import named_speaker

if TYPE_CHECKING:
    import av
    import av.container
    import av.stream
    import av.subtitles.stream

EIA_608 = "cc_dec"
"""ffmpeg's decoder of caption streams (QuickTime's `clcp`)."""
STANDS_S = 5.0
"""How long words stand that state no end: two full lines are read in about that (BBC guide)."""
MACHINE_MADE = re.compile(r"handler|^gpac|\x1f", re.I)
"""What programs write where nobody gave a title."""
TITLED_DESCRIPTION = re.compile(r"audio.?desc|descri(ption|bed)|\bdvs\b|visually impaired", re.I)
TITLED_HEARING = re.compile(r"\bsdh\b|\bcc\b|hearing|closed caption", re.I)
TITLED_FORCED = re.compile(r"\bforced\b", re.I)
TITLED_COMMENTARY = re.compile(r"commentary", re.I)


@dataclass(frozen=True)
class SubtitleStream:
    """A subtitle stream, as the container describes it."""

    index: int  # among all of the file's streams
    codec: str  # "" where ffmpeg has no decoder for it
    drawn: bool  # pictures of words: DVD, Blu-ray, DVB
    language: str | None
    title: str
    forced: bool
    hearing_impaired: bool
    description: bool
    commentary: bool


def subtitle_streams(media_path: Path) -> tuple[SubtitleStream, ...]:
    """Return what subtitle streams a file holds. Raises `InputError` for what cannot be opened."""
    with opened(media_path) as container:
        return tuple(_described(stream) for stream in container.streams.subtitles)


def read_streams(media_path: Path, indices: Iterable[int]) -> dict[int, tuple[Cue, ...]]:
    """Read text streams in one passage through the file, on the pictures' clock.

    Without pictures the sound's beginning is zero, as for the sound itself. Raises `InputError`
    for a file that cannot be opened; what is damaged within it is passed over.
    """
    media = probe(media_path)
    leading = media.picture or media.sound
    with opened(media_path) as container:
        zero_s = _start_s(container.streams[leading.index]) if leading else 0.0
        wanted = {s.index: s for s in container.streams.subtitles if s.index in set(indices)}
        found: dict[int, list[Cue]] = {index: [] for index in wanted}
        captions = {i: CaptionDecoder() for i, s in wanted.items() if _codec(s) == EIA_608}
        for packet in _packets(container, list(wanted.values())):
            if packet.stream_index in captions:
                _see(captions[packet.stream_index], packet)
            else:
                found[packet.stream_index] += _cues(wanted[packet.stream_index], packet)
    for index, decoder in captions.items():
        found[index] += decoder.cues()
    return {index: moved(_with_ends(cues), -zero_s) for index, cues in found.items()}


def _described(stream: av.subtitles.stream.SubtitleStream) -> SubtitleStream:
    import av
    from av.codec.codec import Properties
    from av.stream import Disposition

    tags = {name.lower(): value for name, value in stream.metadata.items()}
    title = " ".join((tags.get("title") or tags.get("handler_name") or "").split())
    title = "" if MACHINE_MADE.search(title) else title
    marks = stream.disposition
    codec = _codec(stream)
    drawn = bool(codec) and Properties.BITMAP_SUB in Properties(av.Codec(codec, "r").properties)
    return SubtitleStream(
        index=stream.index,
        codec=codec,
        drawn=drawn,
        language=language_of(tags.get("language")),
        title=title,
        forced=bool(marks & Disposition.forced or TITLED_FORCED.search(title)),
        hearing_impaired=bool(
            marks & (Disposition.hearing_impaired | Disposition.captions)
            or TITLED_HEARING.search(title)
            or codec == EIA_608
        ),
        description=bool(
            marks & (Disposition.visual_impaired | Disposition.descriptions)
            or TITLED_DESCRIPTION.search(title)
        ),
        commentary=bool(marks & Disposition.comment or TITLED_COMMENTARY.search(title)),
    )


def _codec(stream: av.stream.Stream) -> str:
    return stream.codec_context.name if stream.codec_context else ""


def _packets(
    container: av.container.InputContainer, streams: list[av.subtitles.stream.SubtitleStream]
) -> Iterator[av.Packet[Any]]:
    """Yield the packets of some streams; the others are not even read where that can be."""
    import av
    from av.stream import Discard

    if not streams:
        return
    for stream in container.streams:
        if stream not in streams:
            stream.discard = Discard.all
    packets = container.demux(*streams)
    while True:
        try:
            packet = next(packets, None)
        except (av.error.FFmpegError, IndexError):
            return  # PyAV stumbles at the end over streams that came up midway
        if packet is None:
            return
        if packet.size:
            yield packet


def _see(decoder: CaptionDecoder, packet: av.Packet[Any]) -> None:
    """Show a packet of captions to their decoder; the screen stands until the packet ends."""
    if packet.pts is None or not packet.time_base:
        return
    decoder.see(float(packet.pts * packet.time_base), bytes(packet))
    decoder.see(float((packet.pts + (packet.duration or 0)) * packet.time_base), b"")


def _cues(
    stream: av.subtitles.stream.SubtitleStream,
    packet: av.Packet[Any],
) -> Iterator[Cue]:
    """Return what a packet says; one that cannot be decoded says nothing."""
    import av

    if packet.pts is None or not packet.time_base:
        return
    try:
        shown = stream.codec_context.decode2(packet)
    except av.error.FFmpegError:
        return
    start_s = float(packet.pts * packet.time_base)
    end_s = start_s + float((packet.duration or 0) * packet.time_base)
    for rect in shown or ():
        if not isinstance(rect, av.subtitles.subtitle.AssSubtitle):
            continue
        fields = ass_fields(rect.ass)
        words = without_tags(without_overrides(fields[ASS_TEXT]))
        speaker = named_speaker(fields[ASS_SPEAKER])
        yield from cues_of(start_s, end_s, words, speaker=speaker)


def _with_ends(cues: list[Cue]) -> Iterator[Cue]:
    """Let what states no end stand until the next words, a few seconds at most."""
    starts = sorted({cue.start_s for cue in cues})
    for cue in cues:
        if cue.end_s > cue.start_s:
            yield cue
        else:
            after = bisect_right(starts, cue.start_s)
            next_s = starts[after] if after < len(starts) else math.inf
            yield replace(cue, end_s=min(next_s, cue.start_s + STANDS_S))


def _start_s(stream: av.stream.Stream) -> float:
    return float((stream.start_time or 0) * stream.time_base) if stream.time_base else 0.0
