"""A cut's own footage: the streams that were indexed, and where on their clock the cut lies."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

from app.export.cutlist import Cut, Source
from indexer.manifest import MANIFEST_FILE, Manifest, read_manifest
from indexer.media.probe import Media, opened, probe
from qdrant.errors import InputError

UNEVEN_SLACK_S = 0.001
"""Pictures of no even pace: how much earlier than it was noted one may stand. Clocks round."""
BELIEVED_S = 0.5
"""The file's own times are believed where they are this near to those the shots were seen at."""


@dataclass(frozen=True)
class Footage:
    """What a cut is taken from. Times are on the container's own clock, in seconds."""

    media: Media
    start_s: float  # when the first frame is shown
    end_s: float  # when the last one is no longer
    slack_s: float  # how much earlier than its place a frame may stand and still be meant
    num_frames: int | None  # exactly; None where there is no telling beforehand, or no pictures
    is_even: bool = False  # whether pictures keep to the rate

    @property
    def length_s(self) -> float:
        """How long it lasts."""
        return self.end_s - self.start_s

    def holds(self, time_s: float) -> bool:
        """Whether a frame shown at this time is in the cut."""
        return self.start_s <= time_s + self.slack_s < self.end_s


def footage_of(cut: Cut) -> Footage:
    """Return where a cut's frames are. Raises `InputError` where its file cannot be read."""
    source = cut.source
    if not source.is_online:
        raise InputError(
            f"{cut.name} is left out: the file of {source.title!r} is not at {source.local}. "
            "Put it back, or index it where it is now."
        )
    try:
        media = _probed(source.local, source.local.stat().st_mtime_ns, _stream_of(source))
    except OSError as error:
        raise InputError(f"{cut.name} is left out: {source.local} cannot be read.") from error
    start_s, end_s = media.start_s + cut.start_s, media.start_s + cut.end_s
    if media.picture is None:
        return Footage(media, start_s, end_s, 0.0, None)
    if media.picture.pace == "even":
        half_frame_s = float(1 / media.rate) / 2
        return Footage(media, start_s, end_s, half_frame_s, cut.num_frames, is_even=True)
    times = _times(media, source.local.stat().st_mtime_ns)
    if cut.end_frame <= len(times):
        exact = times[cut.start_frame], [*times, end_s][cut.end_frame]
        if max(abs(exact[0] - start_s), abs(exact[1] - end_s)) < BELIEVED_S:
            return Footage(media, exact[0], exact[1], UNEVEN_SLACK_S, cut.num_frames)
    return Footage(media, start_s, end_s, UNEVEN_SLACK_S, None)


def manifest_of(source: Source) -> Manifest | None:
    """Return what the library knows of a source; None where it is not from one."""
    return read_manifest(source.folder / MANIFEST_FILE) if source.folder else None


def seconds_into(cut: Cut, frame: int) -> float:
    """Return when a frame of the source is shown, in seconds after the cut's beginning."""
    share = Fraction(frame - cut.start_frame, max(1, cut.num_frames))
    return float(share) * (cut.end_s - cut.start_s)


def _stream_of(source: Source) -> str | None:
    manifest = manifest_of(source)
    return manifest.choices.get("stream") if manifest else None


@lru_cache(maxsize=64)
def _probed(path: Path, mtime_ns: int, stream: str | None) -> Media:
    return probe(path, stream=stream)


@lru_cache(maxsize=16)
def _times(media: Media, mtime_ns: int) -> tuple[float, ...]:
    """Return when each picture is shown, by the packets of the whole file; nothing is decoded.

    Between its cuts a shot's frames have no times of their own in the library, and those of uneven
    pace cannot be reckoned from their numbers.
    """
    assert media.picture is not None
    with opened(media.path) as container:
        stream = container.streams[media.picture.index]
        tick = float(stream.time_base or 0)
        shown = (packet.pts for packet in container.demux(stream) if not packet.is_discard)
        return tuple(sorted(pts * tick for pts in shown if pts is not None))
