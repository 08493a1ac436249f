"""The whole way from a trailer's pictures to the frames of its films that they show."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from indexer.aligning.titles import Origin
from indexer.clip import Clip
from indexer.conforming.best_way import NONE, labelled
from indexer.conforming.blocks import Blocks, blocks_of, shows_something
from indexer.conforming.candidates import Candidate, Known, candidates_of
from indexer.conforming.crossfades import crossfade_at
from indexer.conforming.edges import black_spans, edge_near
from indexer.conforming.footage import Footage, footage_of
from indexer.conforming.framing import as_compared, cut_out, without_bars
from indexer.conforming.lines import Line, along, different, fitted, grown, lines_in, says_the_same
from indexer.conforming.small import HEIGHT, WIDTH, Reel, aspect_of_title, sheet_pictures
from indexer.library import Library
from indexer.progress import Progress
from qdrant.errors import InputError

logger = logging.getLogger(__name__)

WINDOW_FRAMES = 24
WINDOW_STEP_FRAMES = 12
SHORTEST_FRAMES = 4
"""A piece of fewer frames is a slip, and belongs to what is around it."""
GAP_FRAMES = 14
MADE_OUT = 0.1
"""Likeness, 0..1, on the mean of a short gap that is enough to fill it."""

Span = tuple[int, int]
Likeness = NDArray[np.float32]


@dataclass(frozen=True)
class Piece:
    """Consecutive frames of a trailer, and what they show. All spans are half-open."""

    clip_frames: Span
    line: Line | None  # None: from nowhere
    crossfade_frames: int = 0  # so many of its first frames are mixed with the piece before


@dataclass(frozen=True)
class Seen:
    """A trailer's pictures, as they are compared."""

    pictures: NDArray[np.uint8]  # (n, 27, 48)
    blocks: Blocks
    is_seen: NDArray[np.bool_]  # (n,) whether there is anything to see
    level: NDArray[np.float64]  # (n,) brightness on the mean, 0..255
    rate: float  # frames a second

    @classmethod
    def of(cls, pictures: NDArray[np.uint8], rate: float) -> Seen:
        """Return pictures as they are compared."""
        level = pictures.mean(axis=(1, 2), dtype=np.float64)
        return cls(pictures, blocks_of(pictures), shows_something(pictures), level, rate)

    def __len__(self) -> int:
        return len(self.pictures)


def trace(
    clip: Clip, reel: Reel, origins: Sequence[Origin], library: Library, *, progress: Progress
) -> list[Piece]:
    """Return the pieces of a trailer in its order; together they make all of it.

    A crossfade belongs to both of its pieces. Origins must have pictures and be on line; a film
    that cannot be opened is passed over, and told.
    """
    bars = without_bars(reel.pictures)
    active = cut_out(reel.pictures, bars, (WIDTH, HEIGHT))
    aspect = reel.aspect * bars.width / bars.height
    seen = Seen.of(as_compared(reel.pictures, bars), reel.rate)
    spans = shot_spans(clip, reel)
    lines: list[Line] = []
    for origin in origins:
        manifest = origin.manifest
        kept = sheet_pictures(library, manifest)
        known = Known.of(*kept, aspect=aspect_of_title(manifest), clip_aspect=aspect)
        candidates = candidates_of(active, spans, known, origin.alignment)
        try:
            footage = footage_of(library, manifest, candidates, progress=progress)
        except InputError as error:  # the other films go on
            logger.warning("%s is passed over: %s", manifest.title, error)
            continue
        rates = float(manifest.frame_rate) / reel.rate
        lines += lines_of(
            seen,
            spans,
            [(one, footage[one.film_shot]) for one in candidates if one.film_shot in footage],
            rates=rates,
        )
    return crossfaded(pieces_of(seen, lines), seen)


def shot_spans(clip: Clip, reel: Reel) -> list[Span]:
    """Return a clip's shots in frames of its reel."""
    starts = [int(np.searchsorted(reel.time_s, shot.start_s - 0.5 / reel.rate))
              for shot in clip.shots]  # fmt: skip
    return list(zip(starts, [*starts[1:], len(reel)], strict=True))


def lines_of(
    seen: Seen,
    spans: Sequence[Span],
    candidates: Sequence[tuple[Candidate, Footage]],
    *,
    rates: float,
) -> list[Line]:
    """Return the lines through a film's footage that hold somewhere in a trailer."""
    found: list[Line] = []
    for number, span in enumerate(spans):
        own = [(one, footage) for one, footage in candidates if one.clip_shot == number]
        proposed = [
            line
            for window in windows(span, seen.is_seen)
            for one, footage in own
            for line in lines_in(window, seen.blocks, footage, one.framing, rates=rates)
        ]
        for line in sorted(proposed, key=lambda one: -one.alike):
            if not any(says_the_same(line, other) for other in found):
                found.append(grown(line, seen.blocks, seen.is_seen, rates=rates))
    return different(found)


def windows(span: Span, is_seen: NDArray[np.bool_]) -> list[NDArray[np.int64]]:
    """Return the frames of a shot that show something, a second at a time and overlapping."""
    frames = np.arange(*span)
    frames = frames[is_seen[span[0] : span[1]]]
    if len(frames) < WINDOW_FRAMES + WINDOW_STEP_FRAMES:
        return [frames] if len(frames) else []
    lasts = range(0, len(frames) - WINDOW_FRAMES + 1, WINDOW_STEP_FRAMES)
    starts = sorted({*lasts, len(frames) - WINDOW_FRAMES})
    return [frames[start : start + WINDOW_FRAMES] for start in starts]


def pieces_of(seen: Seen, lines: Sequence[Line]) -> list[Piece]:
    """Return which line holds when; they meet at cuts, black that lasts is from nowhere."""
    pieces = [Piece((0, len(seen)), None)]
    if lines:
        frames = np.arange(len(seen))
        alike = np.stack([along(line, seen.blocks, frames) for line in lines])
        path = labelled(alike, seen.is_seen)
        bounds = [0, *(np.flatnonzero(np.diff(path)) + 1).tolist(), len(seen)]
        pieces = [
            Piece((start, end), None if path[start] == NONE else lines[path[start]])
            for start, end in pairwise(bounds)
        ]
        pieces = _without_gaps(pieces, dict(zip(map(id, lines), alike, strict=True)))
    pieces = _joined(_without_slips(pieces))
    return _fitted(seen, _around_black(seen, _met(seen, pieces)))


def _without_slips(pieces: Sequence[Piece]) -> list[Piece]:
    """Return pieces without those of few frames, which go to the piece before."""
    kept: list[Piece] = []
    for piece in pieces:
        start, end = piece.clip_frames
        if kept and (end - start < SHORTEST_FRAMES or kept[-1].line is piece.line):
            kept[-1] = replace(kept[-1], clip_frames=(kept[-1].clip_frames[0], end))
        else:
            kept.append(piece)
    return kept


def _without_gaps(pieces: Sequence[Piece], alike: Mapping[int, Likeness]) -> list[Piece]:
    """Return pieces without short gaps in which one beside them is still to be made out.

    Such are the ends of fades, in which little is left to compare.
    """
    kept = list(pieces)
    for number, piece in enumerate(pieces):
        start, end = piece.clip_frames
        if piece.line is not None or end - start > GAP_FRAMES:
            continue
        beside = [pieces[n].line for n in (number - 1, number + 1) if 0 <= n < len(pieces)]
        likely = [(float(np.nan_to_num(alike[id(line)][start:end]).mean()), place)
                  for place, line in enumerate(beside) if line is not None]  # fmt: skip
        if likely and max(likely)[0] >= MADE_OUT:
            kept[number] = replace(piece, line=beside[max(likely)[1]])
    return kept


def _joined(pieces: Sequence[Piece]) -> list[Piece]:
    """Return pieces of which no two that follow one another are one, cut in two by a blemish."""
    kept: list[Piece] = []
    for piece in pieces:
        before = kept[-1] if kept else None
        if before is not None and _is_one(before, piece):
            longer = max(before, piece, key=lambda one: one.clip_frames[1] - one.clip_frames[0])
            kept[-1] = Piece((before.clip_frames[0], piece.clip_frames[1]), longer.line)
        else:
            kept.append(piece)
    return kept


def _is_one(before: Piece, after: Piece) -> bool:
    if before.line is None or after.line is None:
        return False
    if before.line.footage is not after.line.footage:
        return False
    whole = (before.clip_frames[0], after.clip_frames[1])
    return says_the_same(replace(before.line, run=whole), replace(after.line, run=whole))


def _met(seen: Seen, pieces: Sequence[Piece]) -> list[Piece]:
    """Return pieces that meet in the dark where the light says that they do."""
    cuts = [edge_near(piece.clip_frames[0], seen.level, seen.is_seen) for piece in pieces[1:]]
    bounds = [0, *cuts, len(seen)]
    return [replace(piece, clip_frames=span)
            for piece, span in zip(pieces, pairwise(bounds), strict=True)
            if span[0] < span[1]]  # fmt: skip


def _around_black(seen: Seen, pieces: Sequence[Piece]) -> list[Piece]:
    """Return pieces with black that lasts taken out of them."""
    for black in black_spans(seen.level, seen.is_seen):
        kept: list[Piece] = []
        for piece in pieces:
            start, end = piece.clip_frames
            parts = ((start, min(end, black[0])), (max(start, black[1]), end))
            kept += [replace(piece, clip_frames=part) for part in parts if part[0] < part[1]]
        pieces = sorted([*kept, Piece(black, None)], key=lambda one: one.clip_frames)
    return _without_slips(pieces)


def _fitted(seen: Seen, pieces: Sequence[Piece]) -> list[Piece]:
    """Return pieces with their lines fitted once more, each over all of its own frames."""
    made = []
    for piece in pieces:
        line = piece.line
        if line is not None:
            run = replace(line, run=piece.clip_frames)
            rates = line.footage.rate / seen.rate
            line = fitted(run, seen.blocks, seen.is_seen, rates=rates)
        made.append(replace(piece, line=line))
    return made


def crossfaded(pieces: Sequence[Piece], seen: Seen) -> list[Piece]:
    """Return pieces that reach as far into each other as they are mixed."""
    made = list(pieces)
    for number, (going, coming) in enumerate(pairwise(pieces)):
        if going.line is None or coming.line is None:
            continue
        between = going.clip_frames[0], coming.clip_frames[1]
        mixed = crossfade_at(
            coming.clip_frames[0], going.line, coming.line, seen.pictures, between=between
        )
        if mixed:
            start, end = mixed
            made[number] = replace(made[number], clip_frames=(made[number].clip_frames[0], end))
            made[number + 1] = replace(
                coming, clip_frames=(start, coming.clip_frames[1]), crossfade_frames=end - start
            )
    return made
