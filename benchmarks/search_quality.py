"""Search on a real film: what people ask of Big Buck Bunny, and whether the answers are there.

The questions and their true seconds are in `film_queries.toml`, written before any search; its
header says how. Each is asked as a user asks it: a line of text, ten moments, the profile's floor.
What is below the floor counts for recall (it is shown apart), not for "right and confident". A
moment is right when its best shot's middle, or half of it, lies in a true span; a sequence when the
middle of each of its steps does, in one span. Chance is the film's shots in random order (for
sequences, pairs of neighbours); "within reach" is the share of questions that some shot of the film
could answer by this rule. Half of each kind is kept back: only its means are printed or recorded.

Usage: search_quality.py [--quick] [--library FOLDER] [--record FILE]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import fmean, median
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from app.demo import fetch_film
from app.parsing import parse
from app.search import search
from app.studio import encoders_of, open_studio
from benchmarks.figures import report
from benchmarks.film_asking import Asked, Film, ask
from benchmarks.film_queries import (
    DEPTHS,
    KINDS,
    Kind,
    chance_recall,
    chance_reciprocal_rank,
    mean_reciprocal_rank,
    read_entries,
    recall,
)
from indexer.catalogue import open_catalogue
from indexer.context.checkpoint import load_checkpoint
from indexer.learning import bring_into_context, learn_context
from indexer.library import Library
from indexer.pipeline import index
from qdrant.errors import UsageError

QUICK_EVERY = 3
HALVES = {False: "tuning", True: "kept back"}
COLUMNS = {
    "recall_at_1": "r@1", "recall_at_5": "r@5", "recall_at_10": "r@10", "mrr": "MRR",
    "right_and_confident": "sure", "wrongly_silent": "silent", "chance_at_1": "c@1",
    "chance_at_5": "c@5", "chance_at_10": "c@10", "chance_mrr": "cMRR", "within_reach": "reach",
}  # fmt: skip


def measures(asked: Sequence[Asked]) -> dict[str, float]:
    """Return the means of answerable questions of one kind and half."""
    firsts = [one.first for one in asked]
    chances = [(one.right, one.candidates) for one in asked]
    return {
        **{f"recall_at_{depth}": recall(firsts, depth) for depth in DEPTHS},
        "mrr": mean_reciprocal_rank(firsts),
        "right_and_confident": fmean(one.first_confident is not None for one in asked),
        "wrongly_silent": fmean(one.confident == 0 for one in asked),
        **{f"chance_at_{d}": fmean(chance_recall(r, n, d) for r, n in chances) for d in DEPTHS},
        "chance_mrr": fmean(chance_reciprocal_rank(r, n) for r, n in chances),
        "within_reach": fmean(right > 0 for right, _ in chances),
    }


def rows_of(asked: Sequence[Asked]) -> Iterator[tuple[Kind, bool, int, dict[str, float]]]:
    """Print the table and yield its rows: kind, whether kept back, questions, means."""
    print(f"{'':8} {'half':9} {'asked':>5}", *(f"{short:>6}" for short in COLUMNS.values()))
    for kind in KINDS:
        for kept_back, half in HALVES.items():
            those = [a for a in asked if (a.entry.kind, a.entry.kept_back) == (kind, kept_back)]
            if not those:
                continue
            if kind == "absent":
                means = {"rightly_silent": fmean(one.confident == 0 for one in those)}
                told = f"rightly says that nothing fits: {means['rightly_silent']:.3f}"
            else:
                means = measures(those)
                told = " ".join(f"{means[key]:6.3f}" for key in COLUMNS)
            print(f"{kind:8} {half:9} {len(those):5} {told}")
            yield kind, kept_back, len(those), means


def told_tuning(asked: Sequence[Asked]) -> list[dict[str, Any]]:
    """Return each question of the tuning half with the rank of its first right moment."""
    return [
        {"kind": a.entry.kind, "about": a.entry.about, "query": a.query, "first_right": a.first,
         "confident": a.confident, "shots_right": a.right}
        for a in asked if not a.entry.kept_back
    ]  # fmt: skip


@contextmanager
def library_at(folder: Path | None) -> Iterator[Library]:
    """Yield the film's library, in this folder or for this run; made where there is none."""
    with tempfile.TemporaryDirectory(prefix="trimbin-bench-") as temporary:
        root = folder or Path(temporary) / "library"
        library = Library.open(root, create=True, profile="offline")
        with open_studio(library) as studio:
            list(index([fetch_film()], studio))
            if load_checkpoint(library.context_folder).metrics.hit_time_limit:
                learn_context(studio, seconds=None)  # else it depends on how busy the machine was
                bring_into_context(studio)
        yield library


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="every third question")
    parser.add_argument("--library", type=Path, help="use this library of the film, or make it")
    parser.add_argument("--record", type=Path, help="write the means and the tuning half here")
    given = parser.parse_args()
    entries = read_entries()[:: QUICK_EVERY if given.quick else 1]
    asked: list[Asked] = []
    refused: dict[Kind, str] = {}
    with library_at(given.library) as library:
        [manifest] = library.titles()
        shots = library.shots(manifest.title_id)
        film = Film(manifest, list(zip(shots["start_s"], shots["end_s"], strict=True)))
        with open_catalogue(library, command="search_quality.py") as catalogue:
            encoders = encoders_of(library)
            search(catalogue, encoders, parse("anything"))  # loads the encoders
            for entry in entries:
                try:
                    asked.append(ask(entry, film, catalogue, encoders))
                except UsageError as error:
                    refused[entry.kind] = str(error)
    figures: dict[str, dict[str, Any]] = {}
    for kind, kept_back, count, means in rows_of(asked):
        key = f"{kind}_{HALVES[kept_back].replace(' ', '_')}"
        for name, value in {"asked": count, **means}.items():
            figures[f"{key}_{name}"] = {"value": round(value, 3), "target": None, "ok": True}
    for kind, reason in refused.items():
        print(f"{kind:8} not asked: {reason}")
    ms = median(one.ms for one in asked)
    print(f"median of a question: {ms:.0f} ms; {len(film.shots)} shots")
    figures["median_ms"] = {"value": round(ms, 1), "target": None, "ok": True}
    if given.record:
        record = {"figures": figures, "not_asked": refused, "tuning": told_tuning(asked)}
        given.record.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    report("search_quality", figures)


if __name__ == "__main__":
    main()
