"""From a trailer's file to the moments of the library's films that it is cut from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.conforming.clocked import clocked
from app.places import find_title
from app.shortlist import Item, Pick, Shortlists
from app.studio import encoders_of
from indexer.aligning.align import align
from indexer.aligning.shots import shots_of_clip, shots_of_title
from indexer.aligning.titles import Origin, origins_of
from indexer.choices import Choices
from indexer.clip import Clip, encode_clip
from indexer.conforming.pieces import shot_spans, trace
from indexer.conforming.segment import Segment, segments_of, with_whole_shots
from indexer.conforming.small import reel_of
from indexer.library import Library
from indexer.media.probe import Media, probe
from indexer.media.timecode import Clock
from indexer.progress import Progress, silent
from indexer.studio import Studio
from qdrant.errors import InputError, UsageError

LONGEST_S = 900.0
"""A trailer's pictures are all held in memory, and compared with stretches of its films."""
FILMS = 5
"""So many titles are looked through: those that vectors think likeliest."""
CHOICES = Choices(transcribe="never")
"""What people say in a trailer is not asked for: its words may be anybody's."""


@dataclass(frozen=True)
class Conformed:
    """A trailer, and where each of its frames is from."""

    name: str  # the trailer's file
    rate: str  # frames a second as a fraction, "24000/1001"
    num_frames: int
    segments: tuple[Segment, ...]  # in its order; but for crossfades without gap or overlap
    notes: tuple[str, ...] = ()  # sentences: what could only be found roughly, and why

    @property
    def found(self) -> tuple[Segment, ...]:
        """The segments that are from a title of the library."""
        return tuple(segment for segment in self.segments if segment.is_found)


def conform_file(
    path: Path,
    given: Studio | Library,
    *,
    title: str | None = None,
    progress: Progress = silent,
) -> Conformed:
    """Return where each frame of a finished trailer or promo is from; `title`: from this one alone.

    Films that are off line give whole shots, and a note. Raises `InputError` for what is no film or
    a still picture, and `UsageError` for an unknown title or an empty library.
    """
    library, encoders = (given.library, given.encoders) if isinstance(given, Studio) else (
        given, encoders_of(given))  # fmt: skip
    only = find_title(title, library) if title else None
    if not library.in_use():
        raise UsageError("The library has no titles to compare with; index the films first.")
    media = _needed(probe(path))
    reel = reel_of(media, progress=progress)
    if len(reel) < 2:
        raise InputError(f"{path} is a still picture; search with `image:` to find what it shows.")
    clip = encode_clip(path, encoders, choices=CHOICES, progress=progress)
    if only:
        aligned = align(shots_of_clip(clip), shots_of_title(library, only),
                        bands=library.profile.likeness)  # fmt: skip
        origins = [Origin(only, aligned)]
    else:
        origins = _origins(clip, library, progress)
    seen = [origin for origin in origins if origin.manifest.width]
    online = [origin for origin in seen if origin.manifest.is_online]
    offline = [o for o in seen if not o.manifest.is_online and (only or o.is_likely)]
    pieces = trace(clip, reel, online, library, progress=progress)
    segments = segments_of(pieces, library, rate=reel.rate)
    segments = with_whole_shots(segments, offline, shot_spans(clip, reel))
    notes = [
        f"The film of {origin.manifest.title!r} is off line, so its moments are whole shots and "
        "not exact to the frame. Put the file back, and conform again."
        for origin in offline
        if any(segment.title_id == origin.manifest.title_id for segment in segments)
    ]
    rate = f"{media.rate.numerator}/{media.rate.denominator}"
    return Conformed(path.name, rate, len(reel), tuple(segments), tuple(notes))


def _needed(media: Media) -> Media:
    if media.picture is None:
        raise InputError(f"{media.path} is sound alone; a trailer is found by its pictures.")
    if media.duration_s > LONGEST_S:
        raise InputError(
            f"{media.path} lasts {media.duration_s / 60:.0f} minutes; a trailer or promo of at "
            f"most {LONGEST_S / 60:.0f} can be conformed. Cut it into parts."
        )
    return media


def _origins(clip: Clip, library: Library, progress: Progress) -> list[Origin]:
    """Return the titles to look through: the likeliest, and others of a small library."""
    found = origins_of(clip, library, top=FILMS, progress=progress)
    known = {origin.manifest.title_id for origin in found}
    asked = shots_of_clip(clip)
    for manifest in library.in_use():
        if len(found) >= FILMS:
            break
        if manifest.title_id not in known and manifest.num_shots:
            row = shots_of_title(library, manifest)
            found.append(Origin(manifest, align(asked, row, bands=library.profile.likeness)))
    return found


def keep(conformed: Conformed, library: Library, name: str, *, who: str = "") -> list[Item]:
    """Keep what was found in a shortlist, in the trailer's order and in one change."""
    picks = [_pick(segment, conformed, library) for segment in conformed.found]
    if not picks:
        return []
    return Shortlists.of(library, who=who).add_all(name, picks, what=f"Conformed {conformed.name}")


def _pick(segment: Segment, conformed: Conformed, library: Library) -> Pick:
    assert segment.title_id is not None
    start, end = clocked(segment, conformed.rate)
    speed = "" if segment.speed == 1 else f", at {segment.speed:.0%} of its speed"
    rough = "" if segment.is_exact else ", whole shots"
    return Pick.of(
        library.manifest(segment.title_id),
        segment.start_frame,
        segment.end_frame,
        note=f"{start} - {end} of {conformed.name}{speed}{rough}",
    )


def told(conformed: Conformed, library: Library) -> Sequence[str]:
    """Return a line for each segment: when in the trailer, and what it is."""
    return [_line(segment, conformed, library) for segment in conformed.segments]


def _line(segment: Segment, conformed: Conformed, library: Library) -> str:
    start, end = clocked(segment, conformed.rate)
    if segment.title_id is None:
        return f"{start} - {end} is from nowhere in the library"
    clock = Clock.of(library.manifest(segment.title_id))
    span = f"{clock.timecode(segment.start_frame)} - {clock.timecode(segment.end_frame)}"
    more = "" if segment.speed == 1 else f", {segment.speed:.0%} speed"
    more += f", crossfade of {segment.crossfade_frames} frames" if segment.crossfade_frames else ""
    more += "" if segment.is_exact else ", whole shots"
    return f"{start} - {end}  {segment.title}  {span}{more}"
