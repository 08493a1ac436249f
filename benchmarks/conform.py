"""Finished trailers back to the frames of their film: the real one, and ten made by a seed.

Big Buck Bunny's trailer (fades, captions, a crossfade, a sepia shot at half speed, an end card),
and trailers of other parts of the film: eight pieces each and an end card, speeds of .5 to 2, one
crop, grade and perhaps bars and a vignette a trailer, fades, crossfades and titles over some
pieces, other music, encoded anew at half the size. A library of this film alone.

A piece is found when more than half of it is given to the film within half a second of the truth.
Its errors: seconds of the film in the middle, then frames of the film at its in and out, and of the
trailer at its in and out: what an editor would have to trim. Given to more than one event it is
counted as split. What is from nowhere is told when more than half of it is given to nothing.

Usage: conform.py --labels FOLDER [--quick] [--library FOLDER] [--seed N] [--keep FOLDER]
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from app.conforming.conform import Conformed, conform_file
from app.demo import fetch_film, fetch_trailer
from app.studio import open_studio
from benchmarks.clip_questions import TRUTH
from benchmarks.conform_making import RATE, Truth, make, plan
from benchmarks.figures import report
from indexer import environment
from indexer.conforming.segment import Segment
from indexer.library import Library
from indexer.pipeline import index
from indexer.studio import Studio

SEED = 3000
"""Nothing was chosen on these trailers: that was done on 1 to 3, 1000 to 1002 and 2002."""
TRAILERS, QUICK_TRAILERS = 10, 2
RIGHT_S = 0.5
TARGET_FOUND = 0.95
TARGET_FRAMES = 2.0

Figures = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Judged:
    """What came of one piece."""

    truth: Truth
    events: int  # how many segments it was given to
    middle_s: float | None = None  # of the film; None: not found
    film_in: float = 0.0  # frames, found less true
    film_out: float = 0.0
    clip_in: int = 0
    clip_out: int = 0
    speed_off: float = 0.0  # as a share

    @property
    def is_found(self) -> bool:
        return self.middle_s is not None


def judge(piece: Truth, segments: Sequence[Segment]) -> Judged:
    """Compare what was found with what is true of a piece."""
    own = [one for one in segments if _shared(one, piece) > 0.5 * _length(one)
           or _shared(one, piece) > 0.5 * (piece.clip_end - piece.clip_start)]  # fmt: skip
    if piece.film_start is None:
        none = sum(_shared(one, piece) for one in segments if not one.is_found)
        told = none > 0.5 * (piece.clip_end - piece.clip_start)
        return Judged(piece, len(own), 0.0 if told else None)
    right = [one for one in own if one.is_found and abs(_off(one, piece)) < RIGHT_S * RATE]
    if sum(_shared(one, piece) for one in right) <= 0.5 * (piece.clip_end - piece.clip_start):
        return Judged(piece, len(own))
    first, last = right[0], right[-1]
    longest = max(right, key=_length)
    return Judged(
        piece,
        len(own),
        abs(_off(longest, piece)) / RATE,
        first.start_frame - piece.film_start,
        last.end_frame - piece.film_end,
        first.clip_start_frame - piece.clip_start,
        last.clip_end_frame - piece.clip_end,
        longest.speed / piece.pace - 1,
    )


def _length(segment: Segment) -> int:
    return segment.clip_end_frame - segment.clip_start_frame


def _shared(segment: Segment, piece: Truth) -> int:
    start = max(segment.clip_start_frame, piece.clip_start)
    return max(0, min(segment.clip_end_frame, piece.clip_end) - start)


def _off(segment: Segment, piece: Truth) -> float:
    """Return how many frames of the film too far a segment is, in the middle of what is shared."""
    middle = (max(segment.clip_start_frame, piece.clip_start)
              + min(segment.clip_end_frame, piece.clip_end)) / 2  # fmt: skip
    found = segment.start_frame + (middle - segment.clip_start_frame) * segment.pace
    return found - piece.film_frame(middle)


def show(name: str, judged: Sequence[Judged], took_s: float) -> None:
    print(f"\n{name}: {took_s:.0f} s")
    print("  piece        trailer, s      speed  found  off, s   film in out   trailer in out  "
          "events")  # fmt: skip
    for one in judged:
        piece = one.truth
        span = f"{piece.clip_start / RATE:6.2f} {piece.clip_end / RATE:6.2f}"
        if piece.film_start is None:
            told = "told" if one.is_found else "NOT TOLD"
            print(f"  {piece.name:11} {span}   from nowhere: {told}")
        elif not one.is_found:
            print(f"  {piece.name:11} {span}   {piece.pace:5.2f}  MISSED{one.events:44}")
        else:
            print(f"  {piece.name:11} {span}   {piece.pace:5.2f}  yes    {one.middle_s:6.3f}   "
                  f"{one.film_in:+5.1f} {one.film_out:+5.1f}   {one.clip_in:+5} {one.clip_out:+5}"
                  f"      {one.events}")  # fmt: skip


def figures_of(prefix: str, judged: Sequence[Judged]) -> Figures:
    pieces = [one for one in judged if one.truth.film_start is not None]
    cards = [one for one in judged if one.truth.film_start is None]
    found = [one for one in pieces if one.is_found]
    ends = np.abs([[one.film_in, one.film_out] for one in found] or [[np.nan, np.nan]]).ravel()
    record = np.abs([[one.clip_in, one.clip_out] for one in found] or [[np.nan, np.nan]]).ravel()
    middle = np.array([one.middle_s for one in found] or [np.nan], np.float64)
    speeds = np.abs([one.speed_off for one in found] or [np.nan])
    share = len(found) / max(len(pieces), 1)
    return {
        f"{prefix}_pieces": figure(len(pieces)),
        f"{prefix}_found": figure(share, at_least=TARGET_FOUND),
        f"{prefix}_split": figure(sum(one.events > 1 for one in pieces)),
        f"{prefix}_middle_off_median_s": figure(np.median(middle)),
        f"{prefix}_middle_off_max_s": figure(middle.max()),
        f"{prefix}_film_ends_off_median_frames": figure(np.median(ends)),
        f"{prefix}_film_ends_off_p90_frames": figure(
            np.percentile(ends, 90), at_most=TARGET_FRAMES
        ),
        f"{prefix}_film_ends_exact": figure((ends < 1).mean()),
        f"{prefix}_trailer_ends_off_p90_frames": figure(np.percentile(record, 90)),
        f"{prefix}_trailer_ends_exact": figure((record == 0).mean()),
        f"{prefix}_speed_off_p90": figure(np.percentile(speeds, 90)),
        f"{prefix}_nowhere_told": figure(
            sum(one.is_found for one in cards) / max(len(cards), 1), at_least=1.0
        ),
    }


def figure(value: Any, *, at_least: float | None = None, at_most: float | None = None) -> Any:
    value = round(float(value), 3)
    target = at_least if at_least is not None else at_most
    ok = (at_least is None or value >= at_least) and (at_most is None or value <= at_most)
    return {"value": value, "target": target, "ok": bool(ok)}


def real_truth(labels: Path) -> list[Truth]:
    """Return the real trailer's pieces, as its labels have them."""
    told = json.loads((labels / TRUTH).read_text(encoding="utf-8"))["segments"]
    return [
        Truth(
            one["name"],
            round(one["trailer"][0] * RATE),
            round(one["trailer"][1] * RATE),
            one["film"][0] * RATE if one["film"] else None,
            one.get("speed", 1.0),
            round(one.get("crossfade_in", 0) * RATE),
        )
        for one in told
    ]


def measure(name: str, path: Path, truth: Sequence[Truth], studio: Studio) -> list[Judged]:
    started = time.perf_counter()
    conformed: Conformed = conform_file(path, studio)
    judged = [judge(piece, conformed.segments) for piece in truth]
    show(name, judged, time.perf_counter() - started)
    return judged


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the real one or, without it, two")
    parser.add_argument("--labels", type=Path, default=os.environ.get("TRIMBIN_LABELS"))
    parser.add_argument("--library", type=Path, help="use this library of the film, or make it")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--trailers", type=int, help="how many are made")
    parser.add_argument("--keep", type=Path, help="leave the trailers that are made here")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    has_labels = bool(asked.labels) and (Path(asked.labels) / TRUTH).is_file()
    kept = asked.library or (environment.user_cache() / "conform-library" if asked.quick else None)
    made = asked.trailers
    if made is None:
        made = (0 if has_labels else QUICK_TRAILERS) if asked.quick else TRAILERS
    figures: Figures = {}
    with tempfile.TemporaryDirectory(prefix="trimbin-bench-") as folder:
        library = Library.open(kept or Path(folder) / "library", create=True, profile="offline")
        with open_studio(library) as studio:
            [film] = index([fetch_film()], studio)
            if has_labels:
                truth = real_truth(Path(asked.labels))
                figures |= figures_of("real", measure("real", fetch_trailer(), truth, studio))
            else:
                print(f"{TRUTH} is not in --labels: no real trailer.", file=sys.stderr)
            judged: list[Judged] = []
            num_frames = library.manifest(film.title_id).num_frames
            place = asked.keep or Path(folder)
            place.mkdir(parents=True, exist_ok=True)
            for seed in range(asked.seed, asked.seed + made):
                pieces, look = plan(num_frames, seed=seed)
                path = make(pieces, look, place / f"{seed}.mp4", film=fetch_film(), seed=seed)
                judged += measure(f"seed {seed}: {look}", path, pieces, studio)
            if judged:
                figures |= figures_of("made", judged)
    report("conform", figures)


if __name__ == "__main__":
    main()
