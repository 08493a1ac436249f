"""Scenarist files (.scc): EIA-608 pairs by timecode."""

from __future__ import annotations

import re

from indexer.words.captions import CaptionDecoder
from indexer.words.clocks import NTSC_RATE, ntsc_seconds
from indexer.words.cues import Cue

LINE = re.compile(r"\s*(\d{2}):(\d{2}):(\d{2})([:;.,])(\d{2})\s+((?:[0-9a-fA-F]{4}\s*)+)$")
FIRST_FIELD = 0xFC
"""The marker of a valid pair of the first field, as A/53 has it."""


def read_scc(text: str) -> tuple[Cue, ...]:
    """Return the cues of a Scenarist file; a pair lasts a frame, so words come as they were sent.

    Times count from timecode zero; a semicolon before the frames is drop-frame.
    """
    decoder = CaptionDecoder()
    for line in text.splitlines():
        found = LINE.match(line)
        if not found:
            continue
        hours, minutes, seconds, frames = (int(found[group]) for group in (1, 2, 3, 5))
        start_s = ntsc_seconds(hours, minutes, seconds, frames, drop_frame=found[4] != ":")
        for number, word in enumerate(found[6].split()):
            pair = bytes([FIRST_FIELD]) + bytes.fromhex(word)
            decoder.see(start_s + number / float(NTSC_RATE), pair)
    return decoder.cues()
