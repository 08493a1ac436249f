"""A film's packets in runs that can be decoded apart from one another.

A run goes from one random access point to the next. Pictures that follow such a point in the file
but are shown before it (an open group of pictures) lean on the run before, and belong to it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from indexer.media.probe import Media
from indexer.media.relay import Relay
from indexer.media.units import units_of

if TYPE_CHECKING:
    import av

CODECS_WITH_TRUE_KEYFRAMES = frozenset(
    {
        "h264", "hevc", "mpeg2video", "vp8", "vp9", "av1", "libdav1d", "prores", "dnxhd", "mjpeg",
        "cfhd", "ffv1", "huffyuv", "utvideo", "png", "rawvideo", "v210", "jpeg2000",
    }
)  # fmt: skip
"""Codecs whose marked keyframes need nothing that came before them. All others run in one piece."""

MIN_RUN_PACKETS = 96
"""A run of a few seconds: decoders start anew at each, and results come in its order."""
MAX_LEADING_PACKETS = 16
"""More pictures than this cannot lean back over a keyframe: the clock has jumped."""
MAX_WAITING_BYTES = 256 * 2**20
"""Packets read ahead of the decoders."""

H264_UNIT_TYPE, H264_IDR, H264_SEI = 0x1F, 5, 6
RECOVERY_POINT, LEADING_BIT = 6, 0x80
"""ITU-T H.264, 7.4.1 and D.1.8."""


@dataclass
class Run:
    """Packets to be decoded in one go, arriving while they are decoded."""

    is_first: bool
    packets: Relay[av.Packet[Any]] = field(default_factory=Relay)
    end_pts: int | None = None  # pictures from here on are the next run's; known with the last one


class Budget:
    """How many bytes of packets may wait to be decoded."""

    def __init__(self, limit: int = MAX_WAITING_BYTES) -> None:
        self._limit = limit
        self._waiting = 0
        self._changed = threading.Condition()
        self._closed = False

    def take(self, size: int) -> None:
        """Count bytes in; waits while there are too many."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._waiting < self._limit)
            self._waiting += size

    def give_back(self, size: int) -> None:
        """Count bytes out."""
        with self._changed:
            self._waiting -= size
            self._changed.notify_all()

    def close(self) -> None:
        """Let nobody wait any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()


def runs(
    packets: Iterator[av.Packet[Any]], *, apart: bool, begin: Callable[[Run], None], budget: Budget
) -> None:
    """Deal packets out to runs; `begin` is called with each run as soon as it starts.

    With `apart` false all packets are one run. Returns when the packets end, every run finished.
    """
    run = Run(is_first=True)
    begin(run)
    dealt = 0
    pending = _Leading()
    try:
        for packet in packets:
            budget.take(packet.size)
            if pending.is_open and pending.takes(packet):
                continue
            if pending.is_open:
                run, dealt = _turned_over(run, pending, begin), len(pending)
            if apart and dealt >= MIN_RUN_PACKETS and is_random_access(packet):
                pending.open(packet)
                continue
            run.packets.put(packet)
            dealt += 1
        if pending.is_open:
            run = _turned_over(run, pending, begin)
    finally:
        run.packets.finish()


class _Leading:
    """A keyframe that may begin a run, with the pictures after it that are shown before it."""

    def __init__(self) -> None:
        self.keyframe: av.Packet[Any] | None = None
        self.leading: list[av.Packet[Any]] = []
        self.jumped = False  # the clock went back: these are no leading pictures

    @property
    def is_open(self) -> bool:
        return self.keyframe is not None

    def open(self, keyframe: av.Packet[Any]) -> None:
        self.keyframe, self.leading, self.jumped = keyframe, [], False

    def takes(self, packet: av.Packet[Any]) -> bool:
        """Take a packet that is shown before the keyframe; False ends the search."""
        assert self.keyframe is not None and self.keyframe.pts is not None
        if packet.pts is None or packet.pts >= self.keyframe.pts:
            return False
        self.jumped = len(self.leading) == MAX_LEADING_PACKETS
        if not self.jumped:
            self.leading.append(packet)
        return not self.jumped

    def __len__(self) -> int:
        return 1 + len(self.leading)


def _turned_over(run: Run, pending: _Leading, begin: Callable[[Run], None]) -> Run:
    """End a run, with the leading pictures of the keyframe, which begins the next one."""
    keyframe, leading = pending.keyframe, pending.leading
    assert keyframe is not None
    pending.keyframe = None
    following = Run(is_first=False)
    following.packets.put(keyframe)
    if pending.jumped:
        for packet in leading:
            following.packets.put(packet)
    elif leading:
        run.end_pts = keyframe.pts
        for packet in (keyframe, *leading):
            run.packets.put(packet)
    run.packets.finish()
    begin(following)
    return following


def can_run_apart(media: Media) -> bool:
    """Whether the keyframes of a film are places where a decoder may start."""
    return media.picture is not None and media.picture.codec in CODECS_WITH_TRUE_KEYFRAMES


def is_random_access(packet: av.Packet[Any]) -> bool:
    """Whether a decoder can start at this packet and get every later picture right.

    H.264 marks recovery points as keyframes too, after which some pictures may still be wrong; one
    that says they are right at once is taken, as an IDR picture is.
    """
    if not packet.is_keyframe or packet.pts is None:
        return False
    if packet.stream.codec_context.name != "h264":
        return True
    return any(_recovers_at_once(unit) for unit in units_of(packet))


def _recovers_at_once(unit: memoryview) -> bool:
    """Whether an H.264 unit is an IDR slice, or tells of a recovery point no frames away."""
    kind = unit[0] & H264_UNIT_TYPE
    if kind != H264_SEI:
        return kind == H264_IDR
    message = bytes(unit[1:]).replace(b"\0\0\3", b"\0\0")
    place = 0
    while place + 2 < len(message):
        payload, size = message[place], message[place + 1]
        if payload == RECOVERY_POINT:
            return bool(message[place + 2] & LEADING_BIT)  # the count of frames, 0 as Exp-Golomb
        place += 2 + size
    return False
