"""Kept moments become a cut list: rights asked, rates agreed on, handles given, paths mapped."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from pathlib import Path

from app.export.cutlist import Cut, CutList, Source
from app.export.spoken import dialogue_of
from app.fields import is_within_rights
from app.shortlist import Item, seconds_of
from indexer.library import Library
from indexer.manifest import Manifest
from indexer.media.probe import sound_tracks
from indexer.media.timecode import (
    DROPPED_A_MINUTE,
    MILLISECONDS,
    Clock,
    frames_of,
    is_drop_frame,
)
from indexer.media.tracks import SoundTrack
from qdrant.errors import InputError, UsageError

RECORD_START = "01:00:00:00"
"""Where programmes begin, so that bars and slate have room before them."""
MAX_HANDLE_FRAMES = 1000
MAX_STEM_CHARACTERS = 60
MAX_NAMED = 5
"""How many items a message lists."""
UNKNOWN_SOUND = SoundTrack(index=1, codec="", sample_rate_hz=48_000, channels=2)
"""What a file that is off line is taken to have, where it had any sound when it was indexed."""


@dataclass(frozen=True)
class Settings:
    """How a cut list is to be."""

    handles: int | None = None  # frames on either side; None: those of the list, else none
    record_start: str = RECORD_START  # with `;` or `,` before the frames: drop-frame
    rate: Fraction | None = None  # conform everything to this; None: all must have the same
    maps: tuple[tuple[str, str], ...] = ()  # (ours, theirs): how paths begin on another machine
    allow_expired: bool = False
    today: date | None = None  # rights are asked for this day; None: today


def assemble(
    name: str, items: Iterable[Item], library: Library, settings: Settings | None = None
) -> CutList:
    """Return items as cuts in their order, one after the other on the record timeline.

    Raises `UsageError` for an empty list, for frame rates that differ while none is asked for, for
    moments out of their rights unless that is allowed, and for settings that make no sense;
    `InputError` where a title has gone from the library.
    """
    settings = settings or Settings()
    kept = list(items)
    if not kept:
        raise UsageError(f"The shortlist {name!r} is empty: there is nothing to export.")
    handles = settings.handles or 0
    if not 0 <= handles <= MAX_HANDLE_FRAMES:
        raise UsageError(f"Handles have 0 to {MAX_HANDLE_FRAMES} frames, not {handles}.")
    manifests = {item.title_id: library.manifest(item.title_id) for item in kept}
    expired = _expired(kept, manifests, settings)
    sources = {title_id: source_of(m, library, settings.maps) for title_id, m in manifests.items()}
    rate = settings.rate or _common_rate([sources[item.title_id] for item in kept])
    drop_frame, record_start = _record_clock(settings.record_start, rate, list(sources.values()))
    cuts: list[Cut] = []
    at = record_start
    for number, item in enumerate(kept, start=1):
        cut = _cut(item, sources[item.title_id], library, number=number, record_start=at,
                   rate=rate, handles=handles)  # fmt: skip
        cuts.append(replace(cut, is_expired=item.item_id in expired))
        at = cut.record_end
    notes = tuple(_notes(cuts, rate, settings))
    return CutList(name, rate, drop_frame, record_start, tuple(cuts), notes)


def ascii_name(words: str, *, otherwise: str = "untitled") -> str:
    """Return a name of letters, digits, `_` and `-` that any system takes for a file's."""
    plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode()
    tidy = re.sub(r"[^A-Za-z0-9-]+", "_", plain).strip("_-")
    return tidy[:MAX_STEM_CHARACTERS].rstrip("_-") or otherwise


def mapped(path: str, maps: Sequence[tuple[str, str]]) -> str:
    """Return a path as another machine knows it; the longest beginning that fits counts.

    Backslashes follow where the other machine's own path has them (`S:\\Films`).
    """
    for ours, theirs in sorted(maps, key=lambda pair: -len(pair[0])):
        beginning = ours.rstrip("/\\") or ours
        rest = path[len(beginning) :]
        if path.startswith(beginning) and (not rest or rest[0] in "/\\" or beginning[-1] in "/\\"):
            leans = "\\" if "\\" in theirs else "/"
            inner = leans.join(re.split(r"[/\\]", rest.lstrip("/\\")))
            return theirs.rstrip("/\\") + (leans + inner if inner else "")
    return path


def _expired(
    items: Sequence[Item], manifests: Mapping[str, Manifest], settings: Settings
) -> set[int]:
    """Return which items are out of rights; raises `UsageError` where that is not allowed."""
    day = (settings.today or date.today()).isoformat()
    out = [item for item in items if not is_within_rights(manifests[item.title_id], day)]
    if out and not settings.allow_expired:
        titles = dict.fromkeys(manifests[item.title_id].title for item in out)
        named = ", ".join(map(repr, list(titles)[:MAX_NAMED]))
        raise UsageError(
            f"{len(out)} of {len(items)} moments are out of their rights window on {day}: {named}. "
            "Take them off the list, or use `--allow-expired`, which is written into the export."
        )
    return {item.item_id for item in out}


def source_of(manifest: Manifest, library: Library, maps: Sequence[tuple[str, str]] = ()) -> Source:
    """Return a title's file as cuts refer to it; `maps`: how paths begin elsewhere."""
    local = Path(manifest.path)
    online = manifest.is_online
    sounds: tuple[SoundTrack, ...] = (UNKNOWN_SOUND,) if manifest.audio_codec else ()
    if online:
        try:
            sounds = sound_tracks(local)
        except InputError:
            online = False
    return Source(
        title_id=manifest.title_id,
        title=manifest.title,
        path=mapped(manifest.path, maps),
        local=local,
        reel=str(manifest.metadata.get("reel") or local.stem),
        rate=manifest.frame_rate,
        drop_frame=manifest.drop_frame,
        start_timecode=manifest.start_timecode,
        start_count=Clock.of(manifest).start_frame,
        num_frames=manifest.num_frames,
        width=manifest.width,
        height=manifest.height,
        sounds=sounds,
        is_online=online,
        metadata=manifest.metadata,
        folder=library.folder(manifest.title_id),
    )


def _common_rate(sources: Sequence[Source]) -> Fraction:
    """Return the rate all pictures have; sound alone goes with any."""
    rates = {source.rate: source.title for source in sources if source.rate != MILLISECONDS}
    if len(rates) > 1:
        told = ", ".join(f"{_told(rate)} ({title!r})" for rate, title in sorted(rates.items()))
        raise UsageError(
            f"The moments have different frame rates: {told}. Make a shortlist of each, or choose "
            "one to conform all to, as in `--rate 24`."
        )
    return next(iter(rates), Fraction(25))


def _told(rate: Fraction) -> str:
    return f"{float(rate):.3f}".rstrip("0").rstrip(".")


def _record_clock(start: str, rate: Fraction, sources: Sequence[Source]) -> tuple[bool, int]:
    """Return whether the record timecode drops frames, and where it begins.

    Where the start does not say (its frames are set off by a colon), it does as the sources do.
    """
    can_drop = rate in DROPPED_A_MINUTE
    if is_drop_frame(start) and not can_drop:
        raise UsageError(f"{start!r} is drop-frame, and nothing drops at {_told(rate)} a second.")
    follows = can_drop and any(source.drop_frame for source in sources)
    drops = is_drop_frame(start) or (start == RECORD_START and follows)
    spelled = start[:-3] + ";" + start[-2:] if drops else start
    return drops, frames_of(spelled, rate=rate)


def _cut(
    item: Item,
    source: Source,
    library: Library,
    *,
    number: int,
    record_start: int,
    rate: Fraction,
    handles: int,
) -> Cut:
    asked = _handle(handles, source, rate)
    head = min(asked, item.start_frame)
    tail = max(0, min(asked, source.num_frames - item.end_frame))
    start_frame, end_frame = item.start_frame - head, item.end_frame + tail
    start_s, end_s = seconds_of(
        replace(item, start_frame=start_frame, end_frame=end_frame), library
    )
    length = end_frame - start_frame
    if source.rate != rate:
        length = max(1, round(length * rate / source.rate))
    return Cut(
        item=item,
        source=source,
        name=f"{number:03}_{ascii_name(source.title)}",
        start_frame=start_frame,
        end_frame=end_frame,
        head=head,
        tail=tail,
        record_start=record_start,
        record_end=record_start + length,
        start_s=start_s,
        end_s=end_s,
        dialogue=dialogue_of(library, item),
    )


def _handle(frames: int, source: Source, rate: Fraction) -> int:
    """Return a handle, told in frames of the record timeline, in frames of the source."""
    return round(frames * source.rate / rate)


def _notes(cuts: Sequence[Cut], rate: Fraction, settings: Settings) -> Iterable[str]:
    for cut in cuts:
        asked = _handle(settings.handles or 0, cut.source, rate)
        if min(cut.head, cut.tail) < asked:
            yield (
                f"{cut.name} has handles of {cut.head} and {cut.tail} frames where {asked} were "
                "asked for: its file begins or ends there."
            )
        if cut.is_expired:
            yield f"{cut.name} is out of its rights window; exported because that was allowed."
    for source in {cut.source.title_id: cut.source for cut in cuts}.values():
        if not source.is_online:
            yield f"The file of {source.title!r} is not at {source.local}: its sound is a guess."
        if source.rate not in (rate, MILLISECONDS):
            yield (
                f"{source.title!r} has {_told(source.rate)} frames a second, and is conformed to "
                f"{_told(rate)}: lengths on the record timeline are rounded to its frames."
            )
