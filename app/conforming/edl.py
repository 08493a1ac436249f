"""A conformed trailer as an edit decision list: laid against the films, it gives the trailer back.

CMX 3600 as `app/export/edl.py` writes it, with what shortlists cannot hold: speeds (`M2`, frames of
the film a second of the trailer), crossfades (`D`), and black for what is from nowhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

from app.conforming.conform import Conformed
from app.export.assembling import RECORD_START, ascii_name, source_of
from app.export.carried import saved
from app.export.cutlist import Source
from app.export.edl import REEL_CHARACTERS, short_reels
from app.export.events import MAX_EVENTS, MAX_TITLE_CHARACTERS, plain
from indexer.conforming.segment import Segment
from indexer.library import Library
from indexer.media.timecode import DROPPED_A_MINUTE, frames_of, timecode_of
from qdrant.errors import UsageError

BLACK = "BL"
MOST_ALIKE = 1000
"""EDLs of one trailer in a folder: each further one has a number after its name."""


def write_edl(conformed: Conformed, library: Library, folder: Path) -> Path:
    """Write `<trailer>.edl` into a folder, and return it; a file that is there stays as it is.

    Raises `UsageError` for more events than an EDL has numbers, `CannotRunNow` where the folder
    cannot be written.
    """
    told = edl_of(conformed, library)
    stem = ascii_name(Path(conformed.name).stem)
    names = (f"{stem}.edl", *(f"{stem}_{number}.edl" for number in range(2, MOST_ALIKE)))
    free = (folder / name for name in names if not (folder / name).exists())
    path = next(free, None)
    if path is None:
        raise UsageError(f"{folder} is full of EDLs of {stem}; name another folder with `--into`.")
    with suppress(OSError):  # `saved` tells why it cannot be
        folder.mkdir(parents=True, exist_ok=True)
    return saved(path, told.encode("ascii"))


def edl_of(conformed: Conformed, library: Library) -> str:
    """Return the edit decision list of a trailer. Raises `UsageError` as `write_edl` does."""
    if len(conformed.segments) > MAX_EVENTS:
        raise UsageError(f"An EDL has at most {MAX_EVENTS} events; this trailer has "
                         f"{len(conformed.segments)}. Cut it into parts.")  # fmt: skip
    sources = {
        segment.title_id: source_of(library.manifest(segment.title_id), library)
        for segment in conformed.found
        if segment.title_id
    }
    events = _Events(conformed, sources)
    title = plain(Path(conformed.name).stem, most=MAX_TITLE_CHARACTERS) or "UNTITLED"
    count = "DROP FRAME" if events.drop_frame else "NON-DROP FRAME"
    lines = [f"TITLE: {title}", f"FCM: {count}", "", *events.lines()]
    return "\r\n".join(lines) + "\r\n"


class _Events:
    """The events of a trailer."""

    def __init__(self, conformed: Conformed, sources: dict[str, Source]) -> None:
        self._segments = conformed.segments
        self._sources = sources
        self._reels = short_reels(tuple(sources.values()))
        self._rate = Fraction(conformed.rate)
        drops = any(source.drop_frame for source in sources.values())
        self.drop_frame = drops and self._rate in DROPPED_A_MINUTE
        start = RECORD_START[:-3] + ";" + RECORD_START[-2:] if self.drop_frame else RECORD_START
        self._start = frames_of(start, rate=self._rate)

    def lines(self) -> Iterator[str]:
        """Yield their lines, in order."""
        before: Segment | None = None
        following = [*self._segments[1:], None]
        for number, (segment, after) in enumerate(zip(self._segments, following, strict=True), 1):
            # What is crossfaded ends, as an event, where the next one begins to come.
            end = after.clip_start_frame if after else segment.clip_end_frame
            yield from self._event(number, segment, end, before)
            before = segment

    def _event(
        self, number: int, segment: Segment, end: int, before: Segment | None
    ) -> Iterator[str]:
        start = segment.clip_start_frame
        record = f"{self._record(start)} {self._record(end)}"
        source = self._sources.get(segment.title_id or "")
        if source is None:
            black = [timecode_of(n, rate=self._rate, drop_frame=self.drop_frame)
                     for n in (0, end - start)]  # fmt: skip
            yield f"{_head(number, BLACK)} C        {' '.join(black)} {record}"
            yield "* COMMENT: FROM NOWHERE IN THE LIBRARY"
            return
        reel = self._reels[source.title_id]
        how = "C       "
        if segment.crossfade_frames and before and before.title_id:
            how = f"D    {segment.crossfade_frames:03}"
            going = self._sources[before.title_id]
            at = _timecode(going, before.start_frame + _shown(before, start))
            here = self._record(start)
            yield (f"{_head(number, self._reels[before.title_id])} C        "
                   f"{at} {at} {here} {here}")  # fmt: skip
        first = _timecode(source, segment.start_frame)
        last = _timecode(source, segment.start_frame + max(1, _shown(segment, end)))
        yield f"{_head(number, reel)} {how} {first} {last} {record}"
        if segment.pace != 1:
            fps = segment.pace * float(self._rate)
            yield f"M2   {reel:<{REEL_CHARACTERS}} {fps:05.1f}                {first}"
        if how.startswith("D") and before:
            yield f"* FROM CLIP NAME: {plain(before.title) or 'UNTITLED'}"
            yield f"* TO CLIP NAME: {plain(source.title) or 'UNTITLED'}"
        else:
            yield f"* FROM CLIP NAME: {plain(source.title) or 'UNTITLED'}"
        yield f"* SOURCE FILE: {plain(source.file_name)}"
        if not segment.is_exact:
            yield "* COMMENT: WHOLE SHOTS, NOT EXACT TO THE FRAME"

    def _record(self, frame: int) -> str:
        return timecode_of(self._start + frame, rate=self._rate, drop_frame=self.drop_frame)


def _head(number: int, reel: str) -> str:
    return f"{number:03}  {reel:<{REEL_CHARACTERS}} V    "


def _shown(segment: Segment, until: int) -> int:
    """Return how many of the film's frames are shown up to a frame of the trailer."""
    if not segment.is_exact:
        return segment.end_frame - segment.start_frame
    return round((until - segment.clip_start_frame) * segment.pace)


def _timecode(source: Source, frame: int) -> str:
    count = source.start_count + frame
    return timecode_of(count, rate=source.rate, drop_frame=source.drop_frame)
