"""Fifty clicks for a label: asked by the four feeds, or of chance. SIMULATION (see `world`).

Twenty tones of a world are the labels; clips of titles the model has not learned are clicked on,
and clips of other titles still say how good the classifier is. An editor begins with a search by
words (the label as words would look in pictures, with noise as long as itself) and answers its ten
best; then the feeds ask, in the shares that the page asks in. Beside it fifty clips of chance, and
ten by words with forty of chance. Which shares, how many stand-ins and how much weight was chosen
on the seeds 0 and 1.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from app.labels.asking import ASKED
from benchmarks.ladder import of_clips, sequence_of, trained
from benchmarks.world import TONE, Catalogue, Floats, World
from indexer.context.model import ContextModel
from indexer.context.vectors import contextualise
from indexer.labelling.feeds import Feed, feeds_of
from indexer.labelling.learner import FEWEST_ANSWERS, Learned, learn
from indexer.labelling.pool import MAX_DIRECTIONS, basis_of

TITLES = {"model": 120, "pool": 80, "test": 40}
QUICK_TITLES = {"model": 6, "pool": 8, "test": 6}
STEPS, QUICK_STEPS = 400, 8
CLICKS = 50
BY_WORDS = 10
WAYS = ("feeds", "chance", "words, then chance")
SHOTS = 100_000
TIMES = 20


@dataclass(frozen=True)
class Bench:
    """One world: clips to click on, clips to test on, and how words rank the former."""

    pool: Floats  # (num_clips, num_directions)
    test: Floats
    pool_labels: NDArray[np.bool_]  # (num_clips, num_labels)
    test_labels: NDArray[np.bool_]
    by_words: Floats  # (num_clips, num_labels)


def bench_of(seed: int, titles: dict[str, int], steps: int) -> Bench:
    """Train a context model and return the clips of other titles in context."""
    catalogue = Catalogue(World(seed=seed))
    first, last = titles["model"], titles["model"] + titles["pool"]
    taught = [sequence_of(title) for title in catalogue.titles(0, first)]
    model = trained(taught, "default", steps=steps, seed=seed).model
    pool, pool_seen, pool_labels = _clips(catalogue, model, first, last)
    test, _, test_labels = _clips(catalogue, model, last, last + titles["test"])
    basis = basis_of(pool, "context")
    random = np.random.default_rng([seed, 7])
    asked = catalogue.asked("tone")["tone"].T  # (num_labels, TONE)
    asked = np.hstack([asked / np.linalg.norm(asked, axis=1, keepdims=True),
                       np.zeros((len(asked), 1))])  # fmt: skip
    assert asked.shape[1] == TONE + 1  # and tension, of which the words say nothing
    words = catalogue.view("video", tone=np.float32(asked))
    words = words + random.standard_normal(words.shape) / np.sqrt(words.shape[1])
    return Bench(
        basis.along(pool), basis.along(test), pool_labels, test_labels,
        np.float32(pool_seen @ words.T),
    )  # fmt: skip


def _clips(
    catalogue: Catalogue, model: ContextModel, first: int, end: int
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Return the clips of titles in context, as they look, and which tones hold of them."""
    parts = []
    for title in catalogue.titles(first, end):
        vectors = contextualise(model, sequence_of(title)).shots
        seen = of_clips(title.parts["video"], title)
        parts.append((of_clips(vectors, title), seen, title.labels["tone"] > 0))
    in_context, seen, labels = (np.concatenate(part) for part in zip(*parts, strict=True))
    return in_context, seen, labels


def clicked(bench: Bench, label: int, way: str, *, clicks: int, seed: int) -> float:
    """Return the average precision on the test clips after so many clicks."""
    holds = bench.pool_labels[:, label]
    random = np.random.default_rng(seed)
    done = np.zeros(len(holds), bool)
    places = np.argsort(-bench.by_words[:, label])[:BY_WORDS].tolist() if way != "chance" else []
    done[places] = True
    turns = cycle(_in_shares())
    learned = _learned(bench, holds, places)
    while len(places) < clicks:
        feed: Feed = next(turns) if way == "feeds" and learned else "chance"
        place = _next(bench, done, feed, learned, seed=int(random.integers(1 << 31)))
        places.append(place)
        done[place] = True
        learned = _learned(bench, holds, places)
    truth = bench.test_labels[:, label]
    said = learned.scores(bench.test) if learned else np.zeros(len(truth))
    return float(average_precision_score(truth, said))


def _learned(bench: Bench, holds: NDArray[np.bool_], places: Sequence[int]) -> Learned | None:
    told = holds[places]
    if len(places) < FEWEST_ANSWERS or told.all() or not told.any():
        return None
    return learn(bench.pool[places], told, bench.pool, seed=len(places))


def _next(
    bench: Bench, done: NDArray[np.bool_], feed: Feed, learned: Learned | None, *, seed: int
) -> int:
    """Return the clip that a feed asks next."""
    apart = np.arange(len(done), dtype=np.int32)  # clips do not overlap: none is near another
    scores = learned.scores(bench.pool) if learned else np.zeros(len(done), np.float32)
    [[place]] = feeds_of(scores, apart, done, each={feed: 1}, seed=seed).values()
    return place


def _in_shares() -> Sequence[Feed]:
    """Return the feeds in the page's shares, each spread evenly over the turns."""
    turns = [((n + 0.5) / count, feed) for feed, count in ASKED.items() for n in range(count)]
    return [feed for _, feed in sorted(turns)]


def gains(seeds: Sequence[int], *, quick: bool) -> dict[str, list[float]]:
    """Return each way's average precision, label by label, seed by seed."""
    found: dict[str, list[float]] = {way: [] for way in WAYS}
    for seed in seeds:
        sizes, steps = (QUICK_TITLES, QUICK_STEPS) if quick else (TITLES, STEPS)
        bench = bench_of(seed, sizes, steps)
        for label in range(bench.pool_labels.shape[1]):
            for way in WAYS:
                found[way].append(clicked(bench, label, way, clicks=CLICKS, seed=seed))
    return found


def learning_time(*, quick: bool) -> tuple[float, float]:
    """Return the median and the slowest milliseconds to learn from 50 answers and score 100,000
    shots."""
    random = np.random.default_rng(0)
    shots = random.standard_normal((SHOTS // (10 if quick else 1), MAX_DIRECTIONS), np.float32)
    took = []
    for time_ in range(TIMES):
        places = random.choice(len(shots), CLICKS, replace=False)
        holds = shots[places, 0] > 0
        started = time.perf_counter()
        learn(shots[places], holds, shots, seed=time_).scores(shots)
        took.append(1000 * (time.perf_counter() - started))
    return float(np.median(took)), max(took)
