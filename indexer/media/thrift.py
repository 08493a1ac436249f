"""What a decoder need not decode: pictures that no other leans on, where little changes.

An encoder tells how much changes by what it spends. Between two pictures of which the later cost
little beside a whole one lies nothing that their mean does not show at the size of a shot's strip.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from indexer.media.probe import Media
from indexer.media.units import units_of

if TYPE_CHECKING:
    import av

LITTLE = 0.15
"""A picture that costs less than this share of the last keyframe tells of little change: seven
in ten of Big Buck Bunny's pictures that no other leans on are left out."""
SLICES = frozenset({1, 5})
REFERENCE_MASK = 0x60
"""ITU-T H.264, 7.4.1: in the header of a unit, zero where no other picture leans on this one."""
CAPTIONS, LOOK_FOR_CAPTIONS_BYTES = b"GA94", 1024
"""ATSC A/53: captions come with every picture, and those left out would lose theirs."""


class Thrift:
    """Says of a run's packets, in the order of the file, which may be left out."""

    def __init__(self, *, tick_s: float, frame_s: float, whole_a_second: int) -> None:
        self._tick_s, self._frame_s, self._whole_a_second = tick_s, frame_s, whole_a_second
        self._whole = 0  # bytes of the last keyframe
        self._latest_pts: int | None = None  # of pictures that others lean on
        self._spent = 0  # bytes of the costliest of those since then

    def leaves_out(self, packet: av.Packet[Any]) -> bool:
        """Whether a packet may be left out: it is shown between pictures that differ little."""
        if packet.pts is None:
            return False
        if _is_leant_on(packet):
            self._note(packet)
            return False
        between = self._latest_pts is not None and packet.pts < self._latest_pts
        little = self._spent < LITTLE * self._whole
        if not (between and little) or self._is_asked_for(packet.pts):
            return False
        return not _has_captions(packet)

    def _is_asked_for(self, pts: int) -> bool:
        """Whether a picture is the first in its part of a second, as stills are taken."""
        time_s, parts = pts * self._tick_s, self._whole_a_second
        return math.floor(time_s * parts) != math.floor((time_s - self._frame_s) * parts)

    def _note(self, packet: av.Packet[Any]) -> None:
        assert packet.pts is not None
        self._whole = packet.size if packet.is_keyframe else self._whole
        if self._latest_pts is None or packet.pts > self._latest_pts:
            self._latest_pts, self._spent = packet.pts, packet.size
        else:
            self._spent = max(self._spent, packet.size)


class LeftOut:
    """The pictures of a run that were left out, until their turn comes."""

    def __init__(self) -> None:
        self._times: list[int] = []  # a heap

    def add(self, packet: av.Packet[Any]) -> None:
        """Note a packet that was left out."""
        assert packet.pts is not None
        heapq.heappush(self._times, packet.pts)

    def before(self, pts: int | None) -> Iterator[int]:
        """Yield the times of those that would have been shown before a picture, in order."""
        while self._times and pts is not None and self._times[0] < pts:
            yield heapq.heappop(self._times)


def can_be_thrifty(media: Media) -> bool:
    """Whether a film's packets say which pictures no other leans on: whole pictures of H.264."""
    picture = media.picture
    return picture is not None and picture.codec == "h264" and not picture.is_interlaced


def _is_leant_on(packet: av.Packet[Any]) -> bool:
    slices = (unit[0] for unit in units_of(packet) if unit[0] & 0x1F in SLICES)
    return next(slices, REFERENCE_MASK) & REFERENCE_MASK != 0


def _has_captions(packet: av.Packet[Any]) -> bool:
    return CAPTIONS in bytes(memoryview(packet)[:LOOK_FOR_CAPTIONS_BYTES])
