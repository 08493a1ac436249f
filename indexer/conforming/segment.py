"""What a stretch of a trailer is, once its films were looked through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from indexer.aligning.titles import Origin
from indexer.conforming.pieces import Piece, Span
from indexer.library import Library


@dataclass(frozen=True)
class Segment:
    """Consecutive frames of a trailer, and the film's frames that they show. Half-open."""

    clip_start_frame: int  # of the trailer
    clip_end_frame: int
    title_id: str | None = None  # None: from nowhere in the library
    title: str = ""
    start_frame: int = 0  # of the film
    end_frame: int = 0
    speed: float = 1.0  # seconds of the film a second of the trailer
    pace: float = 1.0  # frames of the film a frame of the trailer
    confidence: float = 0.0  # 0..1: how alike the pictures are, or how sure the vectors
    is_exact: bool = False  # to the frame; else whole shots of a film that is off line
    crossfade_frames: int = 0  # so many of its first frames are mixed with the segment before

    @property
    def is_found(self) -> bool:
        """Whether it is from a title of the library."""
        return self.title_id is not None


def segments_of(pieces: Sequence[Piece], library: Library, *, rate: float) -> list[Segment]:
    """Return pieces of a trailer of this frame rate as they are told."""
    return [_segment(piece, library, rate) for piece in pieces]


def _segment(piece: Piece, library: Library, rate: float) -> Segment:
    start, end = piece.clip_frames
    if piece.line is None:
        return Segment(start, end)
    manifest = library.manifest(piece.line.footage.title_id)
    first = int(piece.line.frames(np.array([start]))[0])
    first = min(max(first, 0), manifest.num_frames - 1)
    length = max(1, round((end - start) * piece.line.pace))
    return Segment(
        start,
        end,
        manifest.title_id,
        manifest.title,
        first,
        min(first + length, manifest.num_frames),
        speed=round(piece.line.pace * rate / float(manifest.frame_rate), 4),
        pace=round(piece.line.pace, 6),
        confidence=round(piece.line.alike, 3),
        is_exact=True,
        crossfade_frames=piece.crossfade_frames,
    )


def with_whole_shots(
    segments: Sequence[Segment], origins: Sequence[Origin], shots: Sequence[Span]
) -> list[Segment]:
    """Return segments with what is from nowhere given to films that cannot be looked at.

    `origins` are titles whose films are off line, `shots` the trailer's, in frames. What vectors
    say is whole shots, as fast as they are.
    """
    made = list(segments)
    for origin in origins:
        for stretch in origin.alignment.stretches:
            if stretch.title_frames is None:
                continue
            first, end = stretch.clip_shots
            span = shots[first][0], shots[end - 1][1]
            known = Segment(
                *span,
                origin.manifest.title_id,
                origin.manifest.title,
                *stretch.title_frames,
                confidence=round(stretch.confidence, 3),
            )
            made = [part for one in made for part in _given(one, known)]
    return made


def _given(segment: Segment, known: Segment) -> list[Segment]:
    """Return a segment, or its parts where some of it becomes known."""
    start = max(segment.clip_start_frame, known.clip_start_frame)
    end = min(segment.clip_end_frame, known.clip_end_frame)
    if segment.is_found or start >= end:
        return [segment]
    parts = [
        replace(segment, clip_end_frame=start),
        replace(known, clip_start_frame=start, clip_end_frame=end),
        replace(segment, clip_start_frame=end),
    ]
    return [part for part in parts if part.clip_start_frame < part.clip_end_frame]
