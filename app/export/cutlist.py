"""What every export is made from: kept moments as cuts on one record timeline, exact to the frame.

A cut has a source (the file it is taken from, as another machine will know it) and two spans, both
half-open: in the source, counted from the file's first frame, and on the record timeline, counted
from midnight on its clock. Timecode is derived from these counts alone, never the other way round.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from app.export.file_urls import file_name
from app.shortlist import Item
from indexer.media.timecode import Clock, timecode_of
from indexer.media.tracks import SoundTrack


@dataclass(frozen=True)
class Source:
    """A title's file as a cut refers to it."""

    title_id: str
    title: str
    path: str  # as the machine that edits knows it: after `--map`
    local: Path  # as this machine knows it
    reel: str  # its tape name: from titles.csv, else the file's name without its suffix
    rate: Fraction  # frames a second; of uneven pictures, what they are conformed to
    drop_frame: bool  # of its own timecode
    start_timecode: str | None  # of its first frame; None: it has none, and counts from 00:00:00:00
    start_count: int  # the same as a count of frames from midnight
    num_frames: int
    width: int  # 0 for sound alone
    height: int
    sounds: tuple[SoundTrack, ...]  # in the file's order: one stereo pair, 5.1, eight times mono...
    is_online: bool
    metadata: Mapping[str, Any]  # the title's row of titles.csv
    folder: Path | None = None  # the title's in the library: its manifest, words and thumbnails

    @property
    def file_name(self) -> str:
        """The file's name, whichever system its path is from."""
        return file_name(self.path)

    @property
    def has_picture(self) -> bool:
        """Whether there is more than sound."""
        return self.width > 0

    @property
    def channels(self) -> int:
        """How many channels of sound all tracks have together."""
        return sum(sound.channels for sound in self.sounds)

    @property
    def clock(self) -> Clock:
        """Its frames on its own timecode. Sound alone, counted in milliseconds, has none."""
        return Clock(self.rate, self.drop_frame, self.start_count)


@dataclass(frozen=True)
class Cut:
    """A kept moment on its way out."""

    item: Item  # as it was kept: without handles
    source: Source
    name: str  # plain ASCII and its own in the list: a clip's name, a file's stem
    start_frame: int  # in the source, handles included
    end_frame: int
    head: int  # frames of handle before the kept moment: fewer than asked for at the file's edges
    tail: int
    record_start: int  # on the record timeline
    record_end: int
    start_s: float  # when the source shows `start_frame`, on the file's own clock
    end_s: float
    dialogue: str
    is_expired: bool = False  # out of its rights window, and exported all the same

    @property
    def num_frames(self) -> int:
        """Length in frames of the source."""
        return self.end_frame - self.start_frame

    @property
    def is_conformed(self) -> bool:
        """Whether source and record timeline count different numbers of frames."""
        return self.num_frames != self.record_end - self.record_start

    @property
    def source_in(self) -> str:
        """Timecode of the first frame in the source."""
        return self._source_timecode(self.start_frame)

    @property
    def source_out(self) -> str:
        """Timecode of the first frame in the source that is no longer in the cut."""
        return self._source_timecode(self.end_frame)

    def _source_timecode(self, frame: int) -> str:
        source = self.source
        return timecode_of(
            source.start_count + frame, rate=source.rate, drop_frame=source.drop_frame
        )


@dataclass(frozen=True)
class CutList:
    """Cuts one after the other on a record timeline, without gaps."""

    name: str
    rate: Fraction
    drop_frame: bool  # of the record timecode
    record_start: int  # count of frames from midnight
    cuts: tuple[Cut, ...]
    notes: tuple[str, ...] = ()  # sentences: what was clamped, conformed, expired, is off line

    @property
    def num_frames(self) -> int:
        """Length on the record timeline."""
        return sum(cut.record_end - cut.record_start for cut in self.cuts)

    @property
    def sources(self) -> tuple[Source, ...]:
        """Each source once, in the order of first use."""
        return tuple({cut.source.title_id: cut.source for cut in self.cuts}.values())

    def record_timecode(self, count: int) -> str:
        """Return the record timecode of a count of frames from midnight."""
        return timecode_of(count, rate=self.rate, drop_frame=self.drop_frame)

    def record_in(self, cut: Cut) -> str:
        """Return where a cut begins on the record timeline."""
        return self.record_timecode(cut.record_start)

    def record_out(self, cut: Cut) -> str:
        """Return the first frame of the record timeline that is no longer in the cut."""
        return self.record_timecode(cut.record_end)
