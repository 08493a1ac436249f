"""Tags in words: does confidence tell what a real film shows from what it does not?

The plain and the absent questions of `film_queries.toml`, with their seconds labelled by hand, are
asked as entries of the vocabulary are, each a phrase of its own, of every shot of Big Buck Bunny. A
shot is right when its middle, or half of it, lies in a true span. Told are: average precision over
all pairs of a question and a shot (micro) beside the share of right ones, which is chance; the same
of the evidence alone; how many of the pairs at each confidence are right; how many absent things
are given to no shot at `trimbin tag`'s default, and how many present ones to some. Half of the
questions is kept back: the numbers in confidence.py were settled without it. Then what the
vocabulary's own `animal` finds among the seconds of all animals.

Usage: tags.py [--quick] [--library FOLDER]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))

from sklearn.metrics import average_precision_score

from app.studio import encoders_of
from benchmarks.figures import report
from benchmarks.film_queries import Entry as Question
from benchmarks.film_queries import Found, Span, is_right, read_entries
from benchmarks.search_quality import HALVES, QUICK_EVERY, library_at
from indexer.library import Library
from indexer.studio import Studio
from indexer.tagging.confidence import confidence_of, usual_of
from indexer.tagging.sources import Words, WordsSource
from indexer.tagging.tag import LEAST_CONFIDENCE
from indexer.tagging.vocabulary import Entry, read_vocabulary
from indexer.tagging.words import ask_in_words

BINS = ((0.0, 0.001), (0.001, 0.2), (0.2, 0.4), (0.4, 0.6), (0.6, 0.91))
Truth = NDArray[np.bool_]


def truth_of(spans: list[Span], true: tuple[Span, ...]) -> list[bool]:
    return [is_right(Found(span, (sum(span) / 2,)), true) for span in spans]


def judged(library: Library, questions: list[Question]) -> tuple[Any, Any]:
    """Return (num_shots, num_questions) confidence and evidence."""
    [manifest] = library.titles()
    entries = [Entry("label", q.asked[0], "", (q.asked[0],)) for q in questions]
    answers = ask_in_words(entries, library, encoders_of(library)).answers(library, manifest)
    floor = library.profile.confidence_floor
    usual = usual_of(answers.levels)
    return confidence_of(answers.evidence, answers.levels, usual, floor=floor), answers.evidence


def figures_of(
    half: str, sure: Any, evidence: Any, right: Truth, present: Truth
) -> dict[str, float]:
    """Print and return what one half of the questions says."""
    figures = {
        "average_precision": average_precision_score(right.ravel(), sure.ravel()),
        "average_precision_of_evidence": average_precision_score(right.ravel(), evidence.ravel()),
        "chance": right.mean(),
        "absent_given_to_none": (sure[:, ~present].max(axis=0) < LEAST_CONFIDENCE).mean(),
        "present_given_to_some": (sure[:, present].max(axis=0) >= LEAST_CONFIDENCE).mean(),
    }
    print(half, *(f"{name} {value:.3f}" for name, value in figures.items()), sep="\n  ")
    for low, high in BINS:
        those = (sure >= low) & (sure < high)
        share = right[those].mean() if those.any() else float("nan")
        print(f"  confidence {low:.2f} to {high:.2f}: {those.sum()} pairs, right {share:.3f}")
        figures[f"right_from_{low:g}"], figures[f"pairs_from_{low:g}"] = share, those.sum()
    return figures


def animal_figures(library: Library, questions: list[Question], spans: list[Span]) -> Any:
    """Return precision and recall of the vocabulary's `animal` at the default confidence."""
    [manifest] = library.titles()
    studio = Studio(library, encoders_of(library))
    source = WordsSource("label", Words(studio, read_vocabulary()))
    scores = source.scores(library, manifest)[:, source.entries.index("animal")]
    animals = tuple(span for q in questions if q.about == "animals" for span in q.spans)
    right, given = np.array(truth_of(spans, animals)), scores >= LEAST_CONFIDENCE
    print(f"label:animal: given to {given.sum()} shots of {len(spans)}, {right.sum()} show one")
    return {
        "animal_precision": right[given].mean() if given.any() else float("nan"),
        "animal_recall": given[right].mean(),
        "animal_chance": right.mean(),
        "animal_average_precision": average_precision_score(right, scores),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="every third question")
    parser.add_argument("--library", type=Path, help="use this library of the film, or make it")
    given = parser.parse_args()
    every = [entry for entry in read_entries() if entry.kind in ("plain", "absent")]
    questions = every[:: QUICK_EVERY if given.quick else 1]
    figures: dict[str, float] = {}
    with library_at(given.library) as library:
        [manifest] = library.titles()
        shots = library.shots(manifest.title_id)
        spans = list(zip(shots["start_s"], shots["end_s"], strict=True))
        sure, evidence = judged(library, questions)
        right = np.array([truth_of(spans, q.spans) for q in questions]).T
        for kept_back, half in HALVES.items():
            ours = np.array([q.kept_back == kept_back for q in questions])
            present = np.array([q.kind == "plain" for q in questions])[ours]
            told = figures_of(half, sure[:, ours], evidence[:, ours], right[:, ours], present)
            figures |= {f"{half.replace(' ', '_')}_{name}": v for name, v in told.items()}
        figures |= animal_figures(library, every, spans)
    told_figures = {
        name: {
            "value": None if np.isnan(value) else round(float(value), 3),
            "target": None,
            "ok": True,
        }
        for name, value in figures.items()
    }
    report("tags", told_figures)


if __name__ == "__main__":
    main()
