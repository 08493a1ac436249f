"""The units that H.264 and HEVC packets are made of (ITU-T H.264, 7.3.1; H.265, 7.3.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import av

START_CODE = re.compile(b"\x00\x00\x01")
"""ITU-T H.264, annex B."""
BY_LENGTHS, LENGTH_MASK = 1, 3
LENGTH_AT = {"h264": 4, "hevc": 21}
"""ISO/IEC 14496-15, 5.3.3.1 and 8.3.3.1: a stream whose description begins with a 1 has its units
parted by lengths, whose size in bytes, less one, stands there."""


def units_of(packet: av.Packet[Any]) -> Iterator[memoryview]:
    """Yield the units of an H.264 or HEVC packet, their headers first; none is empty."""
    decoder = packet.stream.codec_context
    described, place = decoder.extradata or b"", LENGTH_AT[decoder.name]
    data = memoryview(packet)
    if described[:1] == bytes([BY_LENGTHS]) and len(described) > place:
        return _by_lengths(data, (described[place] & LENGTH_MASK) + 1)
    return _by_start_codes(data)


def _by_lengths(data: memoryview, length_bytes: int) -> Iterator[memoryview]:
    place = 0
    while place + length_bytes < len(data):
        length = int.from_bytes(data[place : place + length_bytes], "big")
        place += length_bytes
        yield data[place : place + max(1, length)]
        place += length


def _by_start_codes(data: memoryview) -> Iterator[memoryview]:
    starts = [match.end() for match in START_CODE.finditer(data)]
    for start, end in zip(starts, [*starts[1:], len(data)], strict=True):
        if start < end:
            yield data[start:end]
