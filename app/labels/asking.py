"""A label under way: what has been answered, what the classifier makes of it, what to ask next."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from app.labels.book import Labels, settled
from app.moment import Moment, of_shots
from app.places import find_title, frame_of
from indexer.labelling.feeds import Feed, feeds_of
from indexer.labelling.learner import (
    FEWEST_ANSWERS,
    Learned,
    answered,
    calibrated_from,
    learned_from,
)
from indexer.labelling.pool import Pool
from indexer.library import Library
from indexer.probes.label import Label
from qdrant.errors import InputError, UsageError

ASKED: Mapping[Feed, int] = {"likely": 8, "borderline": 8, "unlikely": 2, "chance": 2}
"""How many shots of each feed are asked at a time: in these shares they teach the most
(docs/experiments.md)."""
ASKED_BLINDLY: Mapping[Feed, int] = {"chance": 12}
"""While there is no classifier."""


@dataclass(frozen=True)
class Round:
    """One round of questions about a label."""

    learned: Learned | None  # None while there are too few answers
    missing: str  # a sentence: what is missing for a classifier; empty where there is one
    feeds: Mapping[Feed, tuple[Moment, ...]]  # chance alone, while there is no classifier
    took_ms: float  # to learn and to score every shot


def next_round(library: Library, pool: Pool, labels: Labels, name: str) -> Round:
    """Learn from all answers to a label and return what to ask next.

    Raises `UsageError` for a label that is not there.
    """
    answers = labels.answers(name)
    agreed = settled(answers)
    started = time.perf_counter()
    learned = learned_from(pool, agreed)
    scores = learned.scores(pool.vectors) if learned else np.full(pool.num_shots, 0.5, np.float32)
    took_ms = 1000 * (time.perf_counter() - started)
    places = feeds_of(
        scores,
        pool.title,
        answered(pool, answers),
        each=ASKED if learned else ASKED_BLINDLY,
        seed=len(answers),
    )
    return Round(
        learned,
        "" if learned else _missing(pool, agreed),
        {
            feed: _moments(library, pool, found, scores if learned else None)
            for feed, found in places.items()
        },
        took_ms,
    )


def classifier_of(pool: Pool, labels: Labels, name: str) -> Learned:
    """Return what all answers to a label teach, as sure as it has shown that it may be.

    Raises `UsageError` for a label that is not there, and for one with too few answers.
    """
    agreed = settled(labels.answers(name))
    learned = calibrated_from(pool, agreed)
    if learned is None:
        raise UsageError(_missing(pool, agreed))
    return learned


def likeliest(
    library: Library, pool: Pool, labels: Labels, name: str, *, top: int
) -> tuple[Moment, ...]:
    """Return the shots of which a label most likely holds, best first, those answered included.

    Raises as `classifier_of`.
    """
    learned = classifier_of(pool, labels, name)
    scores = learned.scores(pool.vectors)
    return _moments(library, pool, np.argsort(-scores, kind="stable")[:top].tolist(), scores)


def stretch_of(
    title: str, start: str, end: str | None, library: Library
) -> tuple[str, tuple[int, int]]:
    """Return a stretch of a title: its id, and frames `[start, end)`; without `end`, a shot.

    Raises `UsageError` for a title or a time that is not there, and for an empty stretch.
    """
    manifest = find_title(title, library)
    start_frame = frame_of(start, manifest, library)
    if end is not None:
        return manifest.title_id, (start_frame, frame_of(end, manifest, library))
    shots = library.shots(manifest.title_id)
    shot = max(bisect_right(shots["start_frame"].tolist(), start_frame) - 1, 0)
    first, last = shots[["start_frame", "end_frame"]].iloc[shot]
    return manifest.title_id, (int(first), int(last))


def _missing(pool: Pool, agreed: Sequence[Label]) -> str:
    here = [one for one in agreed if one.title_id in pool.first]
    yes = sum(one.value > 0 for one in here)
    if len(here) < FEWEST_ANSWERS:
        return f"A classifier needs {FEWEST_ANSWERS} answers; there are {len(here)}."
    return f"A classifier needs a {'no' if yes else 'yes'} among its answers, and there is none."


def _moments(
    library: Library, pool: Pool, places: Iterable[int], scores: NDArray[np.float32] | None
) -> tuple[Moment, ...]:
    found = []
    for place in places:
        manifest, shot = pool.shot_of(place)
        try:
            moment = of_shots(library, manifest, shot, shot + 1)
        except (InputError, OSError):  # removed meanwhile
            continue
        score = 0.0 if scores is None else round(float(scores[place]), 4)
        found.append(replace(moment, score=score))
    return tuple(found)
