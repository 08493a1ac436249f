"""The tracks of words a film has: beside it, inside it, in its pictures; and which to embed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from indexer.media.probe import Media, probe
from indexer.media.timecode import frames_of
from indexer.words.charsets import decoded
from indexer.words.cues import Cue, moved
from indexer.words.embedded import SubtitleStream, read_streams, subtitle_streams
from indexer.words.languages import preference
from indexer.words.sidecars import Name, beside
from indexer.words.subtitles import (
    COUNTS_TIMECODE,
    read_bytes,
    read_subtitles,
    stated_in,
)
from qdrant.errors import InputError

Source = Literal["sidecar", "embedded", "captions", "transcript"]
Kind = Literal["dialogue", "description"]
SOURCES: tuple[Source, ...] = ("sidecar", "embedded", "captions", "transcript")
"""Best first, of one language: people who lay a file beside a film mean it."""


@dataclass(frozen=True)
class Track:
    """Words over a film's whole length, in one language."""

    source: Source
    kind: Kind  # what is said, or what is seen told to those who cannot (audio description)
    language: str | None  # as profiles name it: "en", "pt-br"
    name: str  # the file's, or "stream 3", for messages
    forced: bool  # only what is said in other languages
    hearing_impaired: bool  # with speakers and sounds
    path: Path | None  # a sidecar's own, an embedded track's film; else None
    stream: int | None  # an embedded track's, among all of the film's
    content_hash: str  # sha256 of a sidecar's bytes, "" where it cannot be read; else ""
    commentary: bool = False  # people talking about the film
    unreadable: str = ""  # why no words can be had from it; "" where they can
    zero_s: float = 0.0  # the film's start timecode, for files that may count from it


def tracks_of(media_path: Path, *, languages: Sequence[str]) -> list[Track]:
    """Return a film's sidecars and embedded tracks, best first.

    Dialogue goes before description; then one in a language the profile knows, as it lists them,
    then unmarked, then any; full before forced, plain before hearing-impaired, sidecar before
    embedded. A film that cannot be opened still has its sidecars.
    """
    try:
        zero_s, streams = _zero_s(probe(media_path)), subtitle_streams(media_path)
    except InputError:
        zero_s, streams = 0.0, ()
    files = [_sidecar(path, name, zero_s) for path, name in beside(media_path).items()]
    return in_preference(
        [*files, *(_embedded(media_path, s) for s in streams)], languages=languages
    )


def in_preference(tracks: Iterable[Track], *, languages: Sequence[str]) -> list[Track]:
    """Return tracks best first, whatever their source; see `tracks_of`."""

    def rank(track: Track) -> tuple[object, ...]:
        return (
            bool(track.unreadable),
            track.kind != "dialogue",
            track.commentary,
            preference(track.language, languages),
            track.forced,
            track.hearing_impaired,
            SOURCES.index(track.source),
            track.stream if track.stream is not None else len(track.name),
            track.name,
        )

    return sorted(tracks, key=rank)


def chosen(tracks: Sequence[Track], *, languages: Sequence[str]) -> Track | None:
    """Return the dialogue to embed; None where no track has any that can be read as text."""
    spoken = (t for t in tracks if t.kind == "dialogue" and not t.unreadable)
    return next(iter(in_preference(spoken, languages=languages)), None)


def made_track(source: Literal["captions", "transcript"], *, language: str | None) -> Track:
    """Return the track of words that are made while the film is decoded."""
    return Track(
        source=source,
        kind="dialogue",
        language=language,
        name="closed captions" if source == "captions" else "transcript",
        forced=False,
        hearing_impaired=source == "captions",
        path=None,
        stream=None,
        content_hash="",
    )


def read_track(track: Track) -> tuple[Cue, ...]:
    """Return a track's cues, in order, on the pictures' clock.

    Raises `InputError` that names the file: it cannot be read, holds no words, or its words are
    pictures. Captions and transcripts are not read but made, by those who decode the film.
    """
    if track.unreadable:
        raise InputError(f"{_named(track)} cannot be read: {track.unreadable}.")
    if track.source == "sidecar" and track.path:
        cues = read_subtitles(track.path, language=track.language)
        if track.path.suffix.lower() in COUNTS_TIMECODE:
            cues = _from_first_frame(cues, track.zero_s)
        return _as_told(track, cues)
    if track.source == "embedded" and track.path and track.stream is not None:
        return _with_words(track, read_streams(track.path, [track.stream]))
    raise ValueError(f"{track.source} are made while a film is decoded, not read")


def read_all(tracks: Sequence[Track]) -> list[tuple[Track, tuple[Cue, ...], str]]:
    """Return each track with its cues, and a sentence where it has none that can be read.

    The streams of one film are read in one passage. Captions and transcripts are left out.
    """
    streams: dict[Path, dict[int, tuple[Cue, ...]] | InputError] = {}
    for path in {t.path for t in tracks if t.source == "embedded" and t.path}:
        indices = [t.stream for t in tracks if t.path == path and not t.unreadable]
        try:
            streams[path] = read_streams(path, [index for index in indices if index is not None])
        except InputError as error:
            streams[path] = error
    return [_read(track, streams) for track in tracks if track.source in ("sidecar", "embedded")]


def _read(
    track: Track, streams: dict[Path, dict[int, tuple[Cue, ...]] | InputError]
) -> tuple[Track, tuple[Cue, ...], str]:
    try:
        if track.source == "sidecar" or track.unreadable or track.path is None:
            return track, read_track(track), ""
        found = streams[track.path]
        if isinstance(found, InputError):
            raise found
        return track, _with_words(track, found), ""
    except InputError as error:
        return track, (), str(error)


def _with_words(track: Track, found: dict[int, tuple[Cue, ...]]) -> tuple[Cue, ...]:
    cues = found.get(track.stream, ()) if track.stream is not None else ()
    if not cues:
        raise InputError(
            f"{_named(track)} holds no subtitles; lay a subtitle file beside the film."
        )
    return _as_told(track, cues)


def _as_told(track: Track, cues: tuple[Cue, ...]) -> tuple[Cue, ...]:
    """Leave names before colons in a description: nobody in the film says it (credits, say)."""
    if track.kind == "dialogue":
        return cues
    return tuple(
        replace(cue, text=f"{cue.speaker}: {cue.text}", speaker=None) if cue.speaker else cue
        for cue in cues
    )


def _named(track: Track) -> str:
    return (
        f"{track.path.name}, {track.name},"
        if track.stream is not None and track.path
        else track.name
    )


def _sidecar(path: Path, name: Name, zero_s: float) -> Track:
    """Return a subtitle file as a track; what its name leaves open its head may tell."""
    try:
        content = read_bytes(path)
        stated = stated_in(decoded(content[: 1 << 14]), path.suffix.lower())
        sha = hashlib.sha256(content).hexdigest()
    except (OSError, ValueError):
        stated, sha = {}, ""
    described = name.description or stated.get("kind") == "descriptions"
    return Track(
        source="sidecar",
        kind="description" if described else "dialogue",
        language=name.language or stated.get("language"),
        name=path.name,
        forced=name.forced,
        hearing_impaired=name.hearing_impaired,
        path=path,
        stream=None,
        content_hash=sha,
        zero_s=zero_s,
    )


def _embedded(media_path: Path, stream: SubtitleStream) -> Track:
    unreadable = ""
    if stream.drawn:
        unreadable = (
            f"{stream.codec} subtitles are pictures, not words; --ocr reads what is on screen"
        )
    elif not stream.codec:
        unreadable = "ffmpeg has no decoder for it here; lay a subtitle file beside the film"
    return Track(
        source="embedded",
        kind="description" if stream.description else "dialogue",
        language=stream.language,
        name=f"stream {stream.index}" + (f" ({stream.title})" if stream.title else ""),
        forced=stream.forced,
        hearing_impaired=stream.hearing_impaired,
        path=media_path,
        stream=stream.index,
        content_hash="",
        commentary=stream.commentary,
        unreadable=unreadable,
    )


def _zero_s(media: Media) -> float:
    """Return the time of day that the film's first frame stands for."""
    if media.start_timecode is None:
        return 0.0
    return float(frames_of(media.start_timecode, rate=media.rate) / media.rate)


def _from_first_frame(cues: tuple[Cue, ...], zero_s: float) -> tuple[Cue, ...]:
    """Bring times that count from the film's timecode to its first frame; others stay."""
    return moved(cues, -zero_s) if cues and cues[0].start_s >= zero_s > 0 else cues
