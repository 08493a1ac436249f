"""Closed captions in the pictures (EIA-608, as A/53 carries it), decoded by ffmpeg.

ffmpeg draws the screen; here every line becomes a cue once, however often it scrolls by. Only the
first service of the first field (CC1) is read: the others are other languages and data.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from enum import Enum
from typing import TYPE_CHECKING

from indexer.words.cues import LONGEST_FILM_S, Cue, in_order
from indexer.words.markup import ASS_TEXT, ass_fields, cues_of, without_overrides

if TYPE_CHECKING:
    import av.subtitles.codeccontext

TRIPLET = 3
"""cc_data in A/53: a marker with validity and type, and two bytes."""
VALID_FIRST_FIELD = 0x04
"""cc_valid set, cc_type 0: EIA-608, line 21, first field."""
VALID_AND_TYPE = 0x07
SEVEN_BITS = 0x7F
"""The eighth bit is parity."""
PADDING = (0, 0)
SECOND_CHANNEL = 0x08
LAST_S = 1 / 25
"""What stands at the end of the film stands for this much longer than its last captions."""

CLOCK_OF_MS = b"Scenarist_SCC V1.0\n\n00:00:00:00\t942c 942c\n\n"
"""A caption file of one command, opened for its decoder: PyAV gives a decoder the clock that its
times count in only where it opens a file, and this one counts milliseconds."""


class _Mode(Enum):
    """How captions come on: prepared and shown at once, or written in sight."""

    POP_ON = "pop-on"
    ROLL_UP = "roll-up"
    PAINT_ON = "paint-on"


COMMANDS = 0x14
MODES = {
    0x20: _Mode.POP_ON, 0x25: _Mode.ROLL_UP, 0x26: _Mode.ROLL_UP, 0x27: _Mode.ROLL_UP,
    0x29: _Mode.PAINT_ON, 0x2F: _Mode.POP_ON,
}  # fmt: skip
"""Commands (CTA-608-E, table 70) that say how what follows comes on."""
RESUME_DIRECT = 0x29
ERASE_DISPLAYED = bytes([0xFC, 0x94, 0x2C])


class CaptionDecoder:
    """Gathers the captions of frames as they are decoded, in any order; gives cues at the end."""

    def __init__(self) -> None:
        self._pairs: list[tuple[float, bytes]] = []
        self._last_s = 0.0

    def see(self, time_s: float, a53: bytes) -> None:
        """Take the A/53 cc_data of the frame shown at `time_s`: triplets, as ffmpeg hands them.

        A frame at a time that no film reaches is damage and passed over.
        """
        if not abs(time_s) < LONGEST_FILM_S:
            return
        self._last_s = max(self._last_s, time_s)
        said = b"".join(_first_field(a53))
        if said:
            self._pairs.append((time_s, said))

    def cues(self) -> tuple[Cue, ...]:
        """Return what the captions say, in order; each line once, at the time it came on."""
        if not self._pairs:
            return ()
        return in_order(_cues(sorted(self._pairs), self._last_s + LAST_S))


def _first_field(a53: bytes) -> Iterator[bytes]:
    """Yield the pairs of the first field that are no padding."""
    for at in range(0, len(a53) - TRIPLET + 1, TRIPLET):
        marker, first, second = a53[at : at + TRIPLET]
        if marker & VALID_AND_TYPE != VALID_FIRST_FIELD:
            continue
        if (first & SEVEN_BITS, second & SEVEN_BITS) != PADDING:
            yield a53[at : at + TRIPLET]


def _cues(pairs: list[tuple[float, bytes]], end_s: float) -> Iterator[Cue]:
    """Decode pairs one by one; a screen that went gives the lines that were new on it."""
    decoder = _decoder()
    mode, typed_s, shown = _Mode.POP_ON, None, list[str]()
    for time_s, pair in _as_if_erased([*_first_channel(pairs), (end_s, ERASE_DISPLAYED)]):
        screen = _screen(decoder, time_s, pair)
        if screen is not None:
            start_s, lines = screen
            new = lines if mode is _Mode.POP_ON else _new_lines(shown, lines)
            if mode is not _Mode.POP_ON and typed_s is not None:
                start_s = max(start_s, typed_s)
            yield from cues_of(round(start_s, 3), round(time_s, 3), "\n".join(new))
            shown = lines
        command = _command(pair)
        if command is not None:
            mode = MODES.get(command, mode)
        if screen is not None or command in MODES:
            typed_s = None
        if typed_s is None and _is_text(pair):
            typed_s = time_s


def _first_channel(pairs: list[tuple[float, bytes]]) -> Iterator[tuple[float, bytes]]:
    """Yield the pairs of the first channel, one at a time; a command says whose what follows is."""
    second = False
    for time_s, triplets in pairs:
        for at in range(0, len(triplets), TRIPLET):
            code = triplets[at + 1] & SEVEN_BITS
            if 0x10 <= code < 0x20:
                second = bool(code & SECOND_CHANNEL)
            if not second:
                yield time_s, triplets[at : at + TRIPLET]


def _as_if_erased(pairs: list[tuple[float, bytes]]) -> Iterator[tuple[float, bytes]]:
    """Yield the pairs, the screen erased before each painted caption.

    ffmpeg gives a painted screen when it goes; many are painted over the one before.
    """
    typed = False
    for time_s, pair in pairs:
        typed = typed or _is_text(pair)
        if _command(pair) == RESUME_DIRECT and typed:
            yield time_s, ERASE_DISPLAYED
            typed = False
        yield time_s, pair


def _command(pair: bytes) -> int | None:
    """Return the second byte of a pair that is a command to the screen."""
    first, second = pair[1] & SEVEN_BITS, pair[2] & SEVEN_BITS
    return second if first == COMMANDS and 0x20 <= second < 0x30 else None


def _is_text(pair: bytes) -> bool:
    return pair[1] & SEVEN_BITS >= 0x20


def _decoder() -> av.subtitles.codeccontext.SubtitleCodecContext:
    import av

    with av.open(io.BytesIO(CLOCK_OF_MS), format="scc") as container:
        decoder = container.streams.subtitles[0].codec_context
    decoder.options = {"data_field": "first"}
    return decoder


def _screen(
    decoder: av.subtitles.codeccontext.SubtitleCodecContext, time_s: float, pair: bytes
) -> tuple[float, list[str]] | None:
    """Give the decoder a pair; return when the screen that it takes away came on, and its lines."""
    import av

    packet = av.Packet(pair)
    packet.pts = packet.dts = round(time_s * 1000)
    try:
        gone = decoder.decode2(packet)
    except av.error.FFmpegError:
        return None  # a damaged pair: parity tells
    if gone is None:
        return None
    rects = (rect for rect in gone if isinstance(rect, av.subtitles.subtitle.AssSubtitle))
    text = "\n".join(ass_fields(rect.ass)[ASS_TEXT] for rect in rects)
    lines = (re.sub(r"\s+", " ", line).strip() for line in without_overrides(text).split("\n"))
    return gone.pts / av.time_base, [line for line in lines if line]


def _new_lines(before: list[str], now: list[str]) -> list[str]:
    """Return the lines that were not there: what rolled up stands at the top."""
    for kept in range(min(len(before), len(now)), 0, -1):
        if before[-kept:] == now[:kept]:
            return now[kept:]
    return now
