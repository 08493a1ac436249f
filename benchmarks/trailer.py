"""A trailer's segments back to their film: each is a clip query, and the film's shots answer.

Big Buck Bunny and a trailer of it, cut with fades, captions, a crossfade and a sepia shot at half
speed; where each segment comes from is known. The offline profile, the context model learned as
`trimbin index` learns a library's first. A segment asks whole (one vector a space, its shots
pooled), or shot by shot (the best pair of a shot of it and one of the film answers).

The first answer is right when its shot overlaps the true film seconds. Its error is that of the
second of film most like a second of the segment, within the shot that was found. Six questions are
few: the full run asks each again with a little taken off at either end, which moves the pictures
that are sampled, and counts how many of them find their place.

Usage: trailer.py --labels FOLDER [--quick] [--library FOLDER]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from app.demo import fetch_film, fetch_trailer
from app.studio import open_studio
from benchmarks.alignment import Alignment, footage, most_alike
from benchmarks.clip_questions import (
    TOGETHER,
    TRUTH,
    Asked,
    Comparison,
    Film,
    Segment,
    ask,
    film_of,
    segments_of,
    ways,
)
from benchmarks.figures import report
from indexer import environment
from indexer.library import Library
from indexer.pipeline import index
from indexer.studio import Studio

Asking = Literal["whole", "shot by shot"]
ASKING: tuple[Asking, ...] = get_args(Asking)
TARGET_FOUND = 5
TRIMS_S = (0.1, 0.2, 0.3, 0.4, 0.5)
HEADLINE = TOGETHER
"""The row that the target is set for, asked whole: it is how a clip would be searched with."""


Figures = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Found:
    """The first answer to a segment."""

    segment: str
    span: tuple[float, float]  # of the film's shot
    rank: int  # of the first right shot among all answers, from 1
    error_s: float
    start_error_s: float  # of where the shot begins, against the asking shot's beginning


def first_answer(asked: Asked, film: Film, compare: Comparison, asking: Asking) -> Found:
    """Return the best answer: of all pairs of a question and a shot, the most alike."""
    similarities = compare(asked, film, whole=asking == "whole")
    segment, best = asked.segment, similarities.max(axis=0)
    order = np.argsort(-best, kind="stable")
    first = int(order[0])
    right = [place for place, shot in enumerate(order) if overlaps(film.spans[shot], segment)]
    question = int(similarities[:, first].argmax())
    questioner = asked.clip if asking == "whole" else asked.clip.shots[question]
    aligned = align((questioner.start_s, questioner.end_s), film, first)
    return Found(
        segment.name,
        film.spans[first],
        right[0] + 1,
        abs(aligned.there_s - segment.film_s(aligned.here_s)),
        abs(film.spans[first][0] - segment.film_s(questioner.start_s)),
    )


def overlaps(span: tuple[float, float], segment: Segment) -> bool:
    return span[0] < segment.film_end_s and span[1] > segment.film_start_s


def align(asking: tuple[float, float], film: Film, shot: int) -> Alignment:
    """Return the seconds of the clip and of a shot of the film that are most alike."""
    return _aligned(asking, film.path, film.spans[shot])


@cache
def _aligned(asking: tuple[float, float], film: Path, span: tuple[float, float]) -> Alignment:
    return most_alike(footage(fetch_trailer(), *asking), footage(film, *span))


def shots_found(asked: Sequence[Asked], film: Film, compare: Comparison) -> tuple[int, int]:
    """Return how many of the segments' shots find their own film seconds first, and of how many."""
    found = count = 0
    for one in asked:
        rows = compare(one, film, whole=False)
        for shot, row in zip(one.clip.shots, rows, strict=True):
            if np.isfinite(row).any():
                start_s, end_s = film.spans[int(row.argmax())]
                truth = one.segment.film_s(shot.start_s), one.segment.film_s(shot.end_s)
                found += start_s < truth[1] and end_s > truth[0]
            count += 1
    return found, count


def still_right(trimmed: Sequence[Asked], film: Film, studio: Studio) -> Figures:
    """Print how many of the trimmed segments still find their place."""
    figures = {}
    for (name, compare), asking in product(ways(studio).items(), ASKING):
        try:
            found = answers(trimmed, film, compare, asking)
        except ValueError:
            continue
        right = [answer.segment for answer in found if answer.rank == 1]
        told = ", ".join(f"{segment} {right.count(segment)}" for segment in dict.fromkeys(right))
        print(f"{name:28} {asking:13} {len(right)} of {len(found)} trimmed: {told}")
        figures[f"{key_of(name, asking)}_trimmed_recall_at_1"] = figure(len(right) / len(found))
    return figures


def key_of(name: str, asking: Asking) -> str:
    return f"{name} {asking}".replace(",", "").replace(" ", "_")


def figure(value: float, *, ok: bool = True, target: float | None = None) -> dict[str, Any]:
    return {"value": round(value, 3), "target": target, "ok": ok}


def measure(asked: Sequence[Asked], film: Film, studio: Studio) -> Figures:
    """Print the table, a row a comparison and a way of asking; return its figures."""
    figures = {"segments": figure(len(asked))}
    print(f"{'':28} {'asked':13} right   error of each segment, s; rank of its first right shot")
    for name, compare in ways(studio).items():
        for asking in ASKING:
            key = key_of(name, asking)
            found = answers(asked, film, compare, asking)
            told = "  ".join(f"{answer.error_s:.2f} ({answer.rank})" for answer in found)
            right = sum(answer.rank == 1 for answer in found)
            print(f"{name:28} {asking:13} {right} of {len(found)}  {told}")
            is_headline = name == HEADLINE and asking == "whole"
            figures[f"{key}_recall_at_1"] = figure(
                right / len(found),
                ok=not is_headline or right >= TARGET_FOUND,
                target=round(TARGET_FOUND / len(found), 3) if is_headline else None,
            )
            for which in ("error_s", "start_error_s"):
                median = float(np.median([getattr(answer, which) for answer in found]))
                figures[f"{key}_median_{which}"] = figure(median)
            if asking == "shot by shot":
                alone, count = shots_found(asked, film, compare)
                print(f"{name:28} {'each shot':13} {alone} of {count}")
                figures[f"{key}_shots_right"] = figure(alone / count)
    return figures


def answers(asked: Sequence[Asked], film: Film, compare: Comparison, asking: Asking) -> list[Found]:
    """Return the first answer to each segment."""
    return [first_answer(one, film, compare, asking) for one in asked]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="keep the library for the next time")
    parser.add_argument("--labels", type=Path, default=os.environ.get("TRIMBIN_LABELS"))
    parser.add_argument("--library", type=Path, help="use this library of the film, or make it")
    given = parser.parse_args()
    if not given.labels or not (Path(given.labels) / TRUTH).is_file():
        print(f"{TRUTH} is not in --labels: NOTHING IS MEASURED.", file=sys.stderr)
        report("trailer", {})
        return
    torch.set_num_threads(1)
    kept = given.library or (environment.user_cache() / "trailer-library" if given.quick else None)
    with tempfile.TemporaryDirectory(prefix="trimbin-bench-") as folder:
        library = Library.open(kept or Path(folder) / "library", create=True, profile="offline")
        with open_studio(library) as studio:
            [result] = index([fetch_film()], studio)
            [manifest] = [m for m in library.titles() if m.title_id == result.title_id]
            film = film_of(library, manifest)
            segments = segments_of(Path(given.labels))
            asked = ask(segments, fetch_trailer(), studio)
            figures = measure(asked, film, studio)
            if not given.quick:
                trimmed = [segment.trimmed(by_s) for by_s in TRIMS_S for segment in segments]
                asked = ask(trimmed, fetch_trailer(), studio)
                figures.update(still_right(asked, film, studio))
    report("trailer", figures)


if __name__ == "__main__":
    main()
