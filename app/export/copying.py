"""Pictures copied as they are, where a cut begins and ends so that this gives exactly its frames.

That is where its first frame is a keyframe, no later packet holds an earlier picture (the group
of pictures is closed), and no picture of the cut leans on one after it: in the file's order its
packets stand together. What was copied is decoded and compared before it counts.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app.export.footage import Footage
from app.export.seeking import seek_for
from indexer.media.again import decoded_again
from indexer.media.probe import opened

if TYPE_CHECKING:
    import av
    import av.video.stream

WIDE_S = 1.0
LATE_PACKETS = 64
"""So many packets after the out point nothing earlier can come, where packets carry no dts."""


def copy_picture(footage: Footage, path: Path) -> bool:
    """Write a cut's picture packets to a QuickTime file; False where they cannot be copied exactly.

    The file may be there in part then.
    """
    import av

    try:
        count = _copied(footage, path)
        return count > 0 and _is_exact(footage, path, count)
    except (av.error.FFmpegError, ValueError):
        # QuickTime has no place for this codec, the file is damaged, the disk full: encoding it
        # anew gets over the first two and tells of the third.
        return False


def _copied(footage: Footage, path: Path) -> int:
    """Return how many pictures were copied; 0 where that is not possible."""
    import av

    picture = footage.media.picture
    assert picture is not None
    with opened(footage.media.path) as source, av.open(str(path), "w", format="mov") as target:
        stream = source.streams[picture.index]
        assert isinstance(stream, av.VideoStream) and stream.time_base is not None
        copy = target.add_stream_from_template(stream)
        tick = 1 / picture.rate if footage.is_even else stream.time_base
        copy.time_base = tick
        first_pts: int | None = None
        last_dts, count = -math.inf, 0
        for packet in _wanted(source, stream, footage):
            if packet is None:
                return 0
            first_pts = packet.pts if first_pts is None else first_pts
            _count_from(first_pts or 0, packet, stream.time_base / tick)
            packet.time_base = tick
            if packet.dts is None or packet.dts <= last_dts or packet.dts > (packet.pts or 0):
                return 0
            last_dts, count = packet.dts, count + 1
            packet.stream = copy
            target.mux(packet)
        return count


def _wanted(
    source: av.container.InputContainer, stream: av.video.stream.VideoStream, footage: Footage
) -> Iterator[av.Packet[av.video.stream.VideoStream] | None]:
    """Yield the packets of a cut in the file's order; None, and no more, where they do not do."""
    assert stream.time_base is not None
    at_s = seek_for(footage)
    if at_s is not None:
        source.seek(math.floor(at_s / stream.time_base), stream=stream)
    is_within, late = False, 0
    for packet in source.demux(stream):
        if packet.pts is None:
            if packet.size:
                yield None
            return
        time_s = float(packet.pts * stream.time_base)
        if footage.holds(time_s):
            # The first must be a keyframe; none may lean on a picture after the out point.
            if late or packet.is_corrupt or not (is_within or packet.is_keyframe):
                yield None
                return
            is_within = True
            yield packet
        elif time_s + footage.slack_s >= footage.end_s:
            late += 1
            dts_s = None if packet.dts is None else float(packet.dts * stream.time_base)
            if late > LATE_PACKETS or (dts_s is not None and dts_s >= footage.end_s):
                return
        elif is_within:
            yield None  # an earlier picture after the keyframe: the group is open
            return


def _count_from(first_pts: int, packet: av.Packet[Any], scale: Fraction) -> None:
    """Count a packet's times from the cut's first frame, in ticks of another length."""
    if packet.pts is not None:
        packet.pts = round((packet.pts - first_pts) * scale)
    if packet.dts is not None:
        packet.dts = round((packet.dts - first_pts) * scale)
    if packet.duration:
        packet.duration = max(1, round(packet.duration * scale))


def _is_exact(footage: Footage, path: Path, count: int) -> bool:
    """Whether a copy decodes to so many pictures, the first and the last those of the source."""
    import av

    if footage.num_frames not in (None, count):
        return False
    with av.open(str(path)) as copy:
        first = last = None
        decoded = 0
        for frame in copy.decode(video=0):
            first, last, decoded = first or frame, frame, decoded + 1
    if decoded != count or first is None or last is None:
        return False
    return _same(_shown(footage, footage.start_s, at_start=True), first) and _same(
        _shown(footage, footage.end_s, at_start=False), last
    )


def _shown(footage: Footage, time_s: float, *, at_start: bool) -> av.VideoFrame | None:
    """Return the cut's first or last picture, decoded from the source; None where there is none."""
    before_s = seek_for(footage)
    whole_s = footage.media.start_s - WIDE_S if before_s is None else before_s
    for from_s in (whole_s,) if at_start else (time_s - WIDE_S, whole_s):
        found = None
        for frame, shown_s in decoded_again(footage.media, from_s=from_s, to_s=time_s):
            if footage.holds(shown_s):
                found = frame
                if at_start:
                    break
        if found is not None:
            return found
    return None


def _same(one: av.VideoFrame | None, other: av.VideoFrame) -> bool:
    if one is None:
        return False
    wanted = one.to_ndarray(format="rgb48le")
    return bool(np.array_equal(wanted, other.to_ndarray(format="rgb48le")))
