"""Words against shots whose own words say nothing: what context gives a question.

A context model learns titles without labels, and a tower questions that these titles ask of
themselves; others are asked about, in the four kinds of `questions`. Counted: how often the very
shot, and any shot of its scene, is among the first ten. What has a setting takes the one that is
best on validation titles: the highest mean recall of the very shot over the three kinds that
context answers, among those that lose no more than a fiftieth on the fourth against rank fusion.
SIMULATION (see `world`).

Usage: context_query.py [--quick] [--seeds N ...] [--record FILE]
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.figures import report
from benchmarks.ladder import MIDDLE, SECONDS_LIMIT, STEPS, sequence_of
from benchmarks.questions import FILM, ITSELF, KINDS, SAID, SCENE, Question, ask
from benchmarks.world import MODALITIES, Catalogue, Title, World
from indexer.context.config import ContextConfig
from indexer.context.model import ContextModel
from indexer.context.sequence import TitleSequence
from indexer.context.train import train
from indexer.context.vectors import contextualise, expected
from indexer.encoders.fuse import fuse
from indexer.encoders.protocol import unit
from indexer.tower.lessons import ToldTitle
from indexer.tower.model import Tower, TowerConfig
from indexer.tower.train import ask as ask_tower
from indexer.tower.train import keys_of, train_tower

Floats = NDArray[np.float32]
Scores = NDArray[np.float32]
"""One a shot of the pool."""
Towers = Mapping[str, Tower]
TOWER, BARE = "tower into context", "tower, no context"

NUM_TITLES = {"model": 600, "validation": 16, "test": 30}
QUICK_TITLES = {"model": 6, "validation": 2, "test": 2}
EACH, QUICK_EACH, QUICK_STEPS = 12, 3, 8
TOLD_TITLES = 100
"""Of those the model has learned, how many the towers learn."""
TOWER_STEPS = 3000
FOUND_AMONG = 10
RANK_OFFSET = 60
"""Of reciprocal rank fusion, as Cormack et al. (SIGIR 2009) have it."""
FILLED_FROM = (1, 2, 4)
"""Shots to either side whose words stand in for those of a shot that has none."""
PASSED_ON, DECAYS = 3, (0.8, 0.95)
"""How many shots a line is passed on, and what is left of it with each."""
SHARES = (0.0, 0.3, 0.6, 1.0)
FLOORS, CEILING, EVIDENCE_AT_MOST = (0.1, 0.2, 0.35, 0.5), 0.85, 0.9
"""Of a cosine that says nothing yet, and one that says all it can, as `qdrant.ranking` has it."""
BARELY = 1e-4
"""What decides between shots that no evidence tells apart."""
WORTH_KEEPING = 0.98
TARGET_GAIN = 1.25


@dataclass(frozen=True)
class Pool:
    """All shots of some titles, in a row."""

    title: NDArray[np.int64]
    shot: NDArray[np.int64]
    scene: NDArray[np.int64]
    has_text: NDArray[np.bool_]
    parts: Mapping[str, Floats]  # video, text
    filled: Mapping[int, Floats]  # reach -> text, a neighbours' mean where there is none
    expected: Mapping[str, Floats]  # video, text: of what others let one expect, unit length
    context: Floats  # as it is stored
    keys: Mapping[str, Floats]  # tower -> of every shot

    def index(self, question: Question) -> int:
        return int(np.flatnonzero((self.title == question.title) & (self.shot == question.shot))[0])


def told(title: Title, expected_of_it: Floats) -> ToldTitle:
    lines = {"text": title.parts["text"]}
    about = {"text": title.about}
    return ToldTitle(str(title.number), title.parts, expected_of_it, lines, about)


def train_towers(titles: Sequence[Title], model: ContextModel, *, steps: int, seed: int) -> Towers:
    """Return a tower that sees titles in context, and one that sees each shot by itself."""
    sequences = [(title, sequence_of(title)) for title in titles]
    whole = [told(title, expected(model, sequence)) for title, sequence in sequences]
    bare = [told(title, np.zeros_like(sequence.fused)) for title, sequence in sequences]
    config = TowerConfig(dims=model.config.dims, asked=("video", "text"))
    limits: dict[str, Any] = {"steps": steps, "seconds_limit": SECONDS_LIMIT, "seed": seed}
    return {
        TOWER: train_tower(whole, config, **limits).tower,
        BARE: train_tower(bare, replace(config, layers=0), **limits).tower,
    }


def pool_of(titles: Sequence[Title], model: ContextModel, towers: Towers) -> Pool:
    sequences = [sequence_of(title) for title in titles]
    each = [expected(model, sequence) for sequence in sequences]
    guesses = np.concatenate(each)
    sizes = [model.config.dims[modality] for modality in MODALITIES]
    split = dict(zip(MODALITIES, np.split(guesses, np.cumsum(sizes)[:-1], axis=1), strict=True))
    parts = {m: np.concatenate([title.parts[m] for title in titles]) for m in ("video", "text")}
    return Pool(
        title=np.concatenate([np.full(title.num_shots, title.number) for title in titles]),
        shot=np.concatenate([np.arange(title.num_shots) for title in titles]),
        scene=np.concatenate([title.scene for title in titles]),
        has_text=parts["text"].any(axis=1),
        parts=parts,
        filled={
            reach: np.concatenate([filled(title.parts["text"], reach) for title in titles])
            for reach in FILLED_FROM
        },
        expected={m: unit(split[m]) for m in ("video", "text")},
        context=np.concatenate([contextualise(model, sequence).shots for sequence in sequences]),
        keys={
            name: np.concatenate(
                [
                    keys_of(tower, sequence.fused, guess if name == TOWER else np.zeros_like(guess))
                    for sequence, guess in zip(sequences, each, strict=True)
                ]
            )
            for name, tower in towers.items()
        },
    )


def filled(text: Floats, reach: int) -> Floats:
    """Return text (num_shots, dim), the mean of the neighbours' where a shot has none."""
    sums = np.cumsum(np.vstack([np.zeros((1, text.shape[1])), text.astype(np.float64)]), axis=0)
    shots = np.arange(len(text))
    low, high = np.maximum(0, shots - reach), np.minimum(len(text), shots + reach + 1)
    return np.where(text.any(axis=1, keepdims=True), text, unit(sums[high] - sums[low]))


def passed_on(scores: Scores, pool: Pool, *, decay: float) -> Scores:
    """Return the text's scores, those of lines near by among them: the best of all, from 0 up."""
    best = np.where(pool.has_text, scores, 0)
    for far in range(1, PASSED_ON + 1):
        same = pool.title[far:] == pool.title[:-far]
        left = np.where(pool.has_text, scores, 0) * decay**far
        best[far:] = np.maximum(best[far:], np.where(same, left[:-far], 0))
        best[:-far] = np.maximum(best[:-far], np.where(same, left[far:], 0))
    return np.maximum(best, 0)


def ranks(scores: Scores) -> Scores:
    order = np.argsort(-scores, kind="stable")
    found = np.empty(len(scores), np.float32)
    found[order] = np.arange(len(scores))
    return found


@dataclass(frozen=True)
class Asked:
    """A question's similarities with every shot, made when first wanted."""

    question: Question
    pool: Pool
    model: ContextModel
    towers: Towers

    def tower(self, name: str) -> Scores:
        return self.pool.keys[name] @ ask_tower(self.towers[name], self._fused_words())[0]

    def _fused_words(self) -> Floats:
        """Return the words in their slots, as one shot: (1, fused_dim)."""
        nothing = np.zeros(World.dim, np.float32)
        return fuse([self.question.words.get(m, nothing)[None] for m in MODALITIES])

    @cached_property
    def video(self) -> Scores:
        return self.pool.parts["video"] @ self.question.words["video"]

    @cached_property
    def text(self) -> Scores:
        return self.pool.parts["text"] @ self.question.words["text"]

    @cached_property
    def in_context(self) -> Scores:
        return self.tower(TOWER)

    @cached_property
    def passed_on(self) -> dict[float, Scores]:
        return {decay: passed_on(self.text, self.pool, decay=decay) for decay in DECAYS}

    def expected(self) -> Scores:
        words = self.question.words
        return (
            self.pool.expected["video"] @ words["video"]
            + self.pool.expected["text"] @ words["text"]
        ) / 2

    def filled(self, reach: int) -> Scores:
        return self.pool.filled[reach] @ self.question.words["text"]

    def lines(self) -> Scores:
        return np.where(self.pool.has_text, self.text, -1)

    def as_shot(self) -> Scores:
        """Score by what the model makes of the words as a title of one shot."""
        shot = TitleSequence("words", self._fused_words())
        return self.pool.context @ contextualise(self.model, shot).shots[0]


Row = Callable[[Asked], Scores]


def fusion(*lists: Scores) -> Scores:
    return sum(1 / (RANK_OFFSET + ranks(scores)) for scores in lists)


def rows() -> dict[str, dict[str, Row]]:
    """Return what is compared: name -> setting -> scores."""
    found: dict[str, dict[str, Row]] = {
        RAW: {"": lambda a: fusion(a.video, a.lines())},
        "rank fusion, textless shots filled": {
            f"reach {r}": lambda a, r=r: fusion(a.video, a.filled(r)) for r in FILLED_FROM
        },
        "sum, textless shots filled": {
            f"reach {r}, video {v}": lambda a, r=r, v=v: v * a.video + a.filled(r)
            for r, v in itertools.product(FILLED_FROM, SHARES[1:])
        },
        "words as a shot, untrained": {"": Asked.as_shot},
        "words against what is expected": {"": Asked.expected},
        "sum, lines passed on": {
            f"decay {d}, video {v}": lambda a, d=d, v=v: (
                v * a.video + a.passed_on[d]
            )
            for d, v in itertools.product(DECAYS, SHARES[1:])
        },
        TOWER: {"": lambda a: a.in_context},
        BARE: {"": lambda a: a.tower(BARE)},
        "sum: tower, lines passed on": {
            f"decay {d}, video {v}, tower {w}": lambda a, d=d, v=v, w=w: (
                v * a.video + w * a.in_context + a.passed_on[d]
            )
            for d, v, w in itertools.product(DECAYS, SHARES[1:], SHARES[1:])
        },
        OURS: {
            f"floors: text {t}, tower {c}, video {v}": lambda a, t=t, c=c, v=v: (
                weight(a.passed_on[DECAYS[-1]], t) + weight(a.in_context, c) + weight(a.video, v)
                + BARELY * a.in_context
            )
            for t, c, v in itertools.product(FLOORS, FLOORS, FLOORS)
        },
    }  # fmt: skip
    return found


def weight(scores: Scores, floor: float) -> Scores:
    """Return `-log(1 - evidence)`, which adds up as the product's ranking has it (noisy-or)."""
    share = np.clip((scores - floor) / (CEILING - floor), 0, 1)
    return -np.log1p(-EVIDENCE_AT_MOST * share)


RAW = "rank fusion of raw spaces"
BASELINES = (RAW, "rank fusion, textless shots filled", "sum, textless shots filled",
             "words as a shot, untrained", BARE)  # fmt: skip
OURS = "evidence together: tower, lines passed on"

Found = dict[str, dict[str, float]]
"""kind -> "shot" and "scene" -> recall"""


def recall(
    questions: Sequence[Question],
    pool: Pool,
    model: ContextModel,
    towers: Towers,
    asked_rows: Mapping[str, Row],
) -> dict[str, Found]:
    """Return every row's recall, each question asked once."""
    hits: dict[str, dict[str, list[tuple[bool, bool]]]] = {
        name: {kind: [] for kind in KINDS} for name in asked_rows
    }
    for question in questions:
        asked, right = Asked(question, pool, model, towers), pool.index(question)
        of_scene = (pool.title == question.title) & (pool.scene == pool.scene[right])
        for name, row in asked_rows.items():
            first = np.argpartition(-row(asked), FOUND_AMONG)[:FOUND_AMONG]
            hits[name][question.kind].append((right in first, bool(of_scene[first].any())))
    return {
        name: {
            kind: dict(zip(("shot", "scene"), np.mean(of_kind, axis=0).tolist(), strict=True))
            for kind, of_kind in kinds.items()
            if of_kind
        }
        for name, kinds in hits.items()
    }


def chosen(found: Mapping[str, Found], *, least: float) -> str:
    """Return the setting that is best on validation, by the rule at the top of this file."""
    bearable = {name: f for name, f in found.items() if f[ITSELF]["shot"] >= least} or found
    return max(
        bearable, key=lambda name: sum(bearable[name][k]["shot"] for k in (SAID, SCENE, FILM))
    )


def compare(
    seed: int, sizes: dict[str, int], *, each: int, steps: int, tower_steps: int
) -> dict[str, Any]:
    """Return every row's recall on the test titles of one world."""
    catalogue = Catalogue(World(strength=MIDDLE, seed=seed))
    first, titles = 0, {}
    for part, number in sizes.items():
        titles[part] = list(catalogue.titles(first, first + number)) if part != "model" else []
        first += number
    config = ContextConfig(dims=dict.fromkeys(MODALITIES, World.dim), global_dim=World.dim)
    learned = [sequence_of(title) for title in catalogue.titles(0, sizes["model"])]
    trained = train(learned, config, steps=steps, seconds_limit=SECONDS_LIMIT, seed=seed)
    towers = train_towers(
        list(catalogue.titles(0, min(TOLD_TITLES, sizes["model"]))),
        trained.model, steps=tower_steps, seed=seed,
    )  # fmt: skip
    settings = rows()
    flat = {f"{n}|{s}": row for n, of_row in settings.items() for s, row in of_row.items()}
    pool = pool_of(titles["validation"], trained.model, towers)
    questions = ask(catalogue, titles["validation"], each=each, seed=seed)
    on_validation = recall(questions, pool, trained.model, towers, flat)
    least = WORTH_KEEPING * on_validation[f"{RAW}|"][ITSELF]["shot"]
    picks = {
        name: chosen(
            {s: on_validation[f"{name}|{s}"] for s in of_row},
            least=least if name not in BASELINES else 0.0,
        )
        for name, of_row in settings.items()
    }
    pool = pool_of(titles["test"], trained.model, towers)
    questions = ask(catalogue, titles["test"], each=each, seed=seed + 1)
    best = {name: settings[name][setting] for name, setting in picks.items()}
    found = recall(questions, pool, trained.model, towers, best)
    return {
        "seed": seed, "steps": trained.metrics.steps, "shots": len(pool.shot),
        "questions": len(questions), "settings": picks, "rows": found,
    }  # fmt: skip


def tell(record: dict[str, Any]) -> None:
    print(f"\nSIMULATION seed {record['seed']}: {record['shots']} shots, {record['questions']} "
          f"questions, model of {record['steps']} steps; recall at {FOUND_AMONG} of the shot, of "
          "its scene", file=sys.stderr)  # fmt: skip
    print(f"{'':40}" + "".join(f"{kind:>20}" for kind in KINDS), file=sys.stderr)
    for name, found in record["rows"].items():
        cells = (f"{found[k]['shot']:.3f}, {found[k]['scene']:.3f}" for k in KINDS)
        print(f"{name:40}" + "".join(f"{cell:>20}" for cell in cells)
              + f"   {record['settings'][name]}", file=sys.stderr)  # fmt: skip


def figures_of(records: Sequence[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the mean over seeds of each row, and our gain over the best baseline of each kind."""
    mean = {
        (name, kind, what): float(np.mean([r["rows"][name][kind][what] for r in records]))
        for name in records[0]["rows"] for kind in KINDS for what in ("shot", "scene")
    }  # fmt: skip
    for (name, kind, what), value in mean.items():
        yield f"{name}: {kind}, {what}", {"value": round(value, 4), "target": None, "ok": True}
    targets = {SAID: TARGET_GAIN, SCENE: TARGET_GAIN, FILM: 1.0, ITSELF: WORTH_KEEPING}
    for (kind, target), what in itertools.product(targets.items(), ("shot", "scene")):
        best = max(mean[name, kind, what] for name in BASELINES)
        gain = mean[OURS, kind, what] / max(best, 1e-9)
        yield f"gain over the best baseline: {kind}, {what}", {
            "value": round(gain, 3), "target": target, "ok": gain >= target}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--seeds", nargs="*", type=int, default=[0, 1, 2])
    parser.add_argument("--record", type=Path, help="a file to which a line a seed is added")
    given = parser.parse_args()
    torch.set_num_threads(1)
    sizes, each = (QUICK_TITLES, QUICK_EACH) if given.quick else (NUM_TITLES, EACH)
    records = []
    for seed in given.seeds[:1] if given.quick else given.seeds:
        steps, tower_steps = (QUICK_STEPS,) * 2 if given.quick else (STEPS, TOWER_STEPS)
        records.append(compare(seed, sizes, each=each, steps=steps, tower_steps=tower_steps))
        tell(records[-1])
        if given.record:
            with given.record.open("a") as file:
                file.write(json.dumps(records[-1]) + "\n")
    report("context_query", dict(figures_of(records)))


if __name__ == "__main__":
    main()
