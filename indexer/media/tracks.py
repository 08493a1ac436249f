"""The main picture and the main sound of a file, as far as its first pictures tell."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

from indexer.media.pacing import Pace, Pacing, pacing_of
from indexer.media.streams import duration_s, tags

if TYPE_CHECKING:
    import av
    import av.audio.stream
    import av.container
    import av.video.stream

LOOK_PACKETS = 300
"""How many packets tell the pace: ten seconds of most films."""
LOOK_BYTES = 16 * 1024 * 1024
"""No more than this is read for it: intermediate codecs take megabytes a frame."""
FIRST_PICTURE_PACKETS = 120
"""A picture that has not come by now, five seconds in, is waited for by the decoding alone."""
REORDERED = 16
"""No codec shows a picture later than sixteen after it in the stream."""
QUICKTIME = "mov,mp4,m4a,3gp,3g2,mj2"

FieldOrder = Literal["progressive", "top", "bottom", "unknown"]
FIELD_ORDERS: dict[int, FieldOrder] = {
    1: "progressive", 2: "top", 3: "bottom", 4: "bottom", 5: "top",
}  # fmt: skip
"""Which field is shown first, by libavcodec's AVFieldOrder."""


@dataclass(frozen=True)
class PictureTrack:
    """The main video stream."""

    index: int  # among all of the file's streams
    rate: Fraction  # frames a second; of uneven pictures, the rate that exports conform to
    width: int  # pixels as stored
    height: int
    pixel_aspect: Fraction  # width of a pixel over its height
    codec: str
    pixel_format: str
    num_frames: int  # as the container says, those cut off by its edit list left out; 0: no saying
    duration_s: float  # of this stream, as the container says; 0.0 where it does not
    bit_depth: int = 8  # of a component
    rotation: int = 0  # degrees anticlockwise to turn the stored picture upright: 0, 90, 180, -90
    field_order: FieldOrder = "unknown"
    is_interlaced: bool = False  # flagged so, by the container or by its first picture
    pace: Pace = "even"  # whether pictures keep to the rate, as far as the first of them tell

    @property
    def is_variable_rate(self) -> bool:
        """Whether frame numbers over the rate are not the pictures' times throughout."""
        return self.pace != "even"


@dataclass(frozen=True)
class SoundTrack:
    """The main audio stream."""

    index: int
    codec: str
    sample_rate_hz: int
    channels: int
    language: str | None = None


def first_look(
    container: av.container.InputContainer, stream: av.video.stream.VideoStream
) -> tuple[av.VideoFrame | None, list[int]]:
    """Return the first picture that decodes, and the times of the first packets, in order."""
    import av

    first: av.VideoFrame | None = None
    times, num_bytes, seen = [], 0, 0
    packets = container.demux(stream)
    while seen < LOOK_PACKETS and num_bytes < LOOK_BYTES:
        try:
            packet = next(packets, None)
        except (av.error.FFmpegError, IndexError):  # PyAV's, of a stream that came up midway
            break
        if packet is None:
            break
        seen, num_bytes = seen + 1, num_bytes + packet.size
        if packet.pts is not None and packet.size and not packet.is_discard:
            times.append(packet.pts)
        if first is None and (seen <= FIRST_PICTURE_PACKETS or not packet.size):
            try:
                first = next(iter(packet.decode()), None)
            except av.error.FFmpegError:
                continue
    # The last few may have come before pictures that are shown earlier: B-frames.
    ordered = sorted(times)
    return first, ordered if len(ordered) < LOOK_PACKETS // 2 else ordered[:-REORDERED]


def start_of(stream: av.video.stream.VideoStream, first: av.VideoFrame | None) -> float:
    """Return when the first picture stands on the container's clock, in seconds."""
    if first is not None and first.time is not None:
        return float(first.time)
    return float((stream.start_time or 0) * (stream.time_base or 0))


def picture_track(
    stream: av.video.stream.VideoStream,
    container: av.container.InputContainer,
    *,
    first: av.VideoFrame | None,
    times: list[int],
) -> PictureTrack:
    """Return a video stream as what it says of itself, and what its first pictures show."""
    context = stream.codec_context
    field_order = FIELD_ORDERS.get(context.field_order, "unknown")
    pacing = _pacing(stream, container, times)
    return PictureTrack(
        index=stream.index,
        rate=pacing.rate,
        width=stream.width,
        height=stream.height,
        pixel_aspect=Fraction(stream.sample_aspect_ratio or 1) or Fraction(1),
        codec=context.name,
        pixel_format=context.pix_fmt or "",
        num_frames=_shown_frames(stream, container),
        duration_s=duration_s(stream, container),
        bit_depth=_bit_depth(stream),
        rotation=round(first.rotation / 90) * 90 if first else 0,
        field_order=field_order,
        is_interlaced=field_order in ("top", "bottom") or bool(first and first.interlaced_frame),
        pace=pacing.pace,
    )


def _pacing(
    stream: av.video.stream.VideoStream, container: av.container.InputContainer, times: list[int]
) -> Pacing:
    stated = stream.average_rate or stream.guessed_rate or stream.base_rate
    counted = container.format.name == QUICKTIME and stream.frames
    whole = stream.average_rate if counted else None
    return pacing_of(times, tick=stream.time_base or Fraction(1, 1000), stated=stated, whole=whole)


def _shown_frames(
    stream: av.video.stream.VideoStream, container: av.container.InputContainer
) -> int:
    """Return the stated number of frames, without those that an edit list leaves out."""
    entries = stream.index_entries
    if container.format.name != QUICKTIME or len(entries) != stream.frames:
        return stream.frames
    return sum(not entry.is_discard for entry in entries)


def _bit_depth(stream: av.video.stream.VideoStream) -> int:
    layout = stream.codec_context.format
    return max((component.bits for component in layout.components), default=8) if layout else 8


def sound_track(stream: av.audio.stream.AudioStream) -> SoundTrack:
    """Return an audio stream as what it says of itself."""
    return SoundTrack(
        index=stream.index,
        codec=stream.codec_context.name,
        sample_rate_hz=stream.rate,
        channels=stream.channels,
        language=tags(stream.metadata).get("language"),
    )
