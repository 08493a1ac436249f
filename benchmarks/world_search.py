"""Search in a simulated catalogue as the product searches: store, evidence, moments, the floor.

The questions are those of `context_query`, about titles that neither the context model nor the
tower has learned; here they go the whole way that `trimbin search` goes: each space proposes shots,
similarities become evidence, evidence adds up, a line helps the wordless shots near it, neighbours
become a moment. Beside it the same without the tower's space, without lines that are passed on, and
both. Each space's band of evidence is learned on validation titles: it begins where all but one in
a hundred shots of chance lie below, and ends at the median of the right ones. So is the floor.
Questions of another world have no answer here: how often is that said? SIMULATION (see `world`).

Usage: world_search.py [--quick] [--seeds N ...]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from app.asking import LEAST_CANDIDATES, NEAR
from benchmarks.context_query import TOWER, Pool, Towers, pool_of, train_towers
from benchmarks.figures import report
from benchmarks.ladder import MIDDLE, SECONDS_LIMIT, sequence_of
from benchmarks.questions import ITSELF, KINDS, Question, ask
from benchmarks.world import MODALITIES, Catalogue, Title, World
from indexer.context.config import ContextConfig
from indexer.context.train import train
from indexer.encoders.fuse import fuse
from indexer.tower.train import ask as ask_tower
from qdrant.calibration import Calibration
from qdrant.language import Query
from qdrant.language import Question as Asked
from qdrant.moments import Moment, merge_neighbours
from qdrant.ranking import score_shots, scoring
from qdrant.record import ShotRecord
from qdrant.schema import TEXT, TOLD, VIDEO, Schema
from qdrant.store import ShotStore, open_store

SIZES = {"model": 200, "validation": 8, "test": 24}
QUICK_SIZES = {"model": 6, "validation": 2, "test": 2}
EACH, QUICK_EACH = 12, 3
STEPS, TOWER_STEPS, QUICK_STEPS = 1000, 3000, 8
TOP = 10
SHOT_S = 4.0
STRANGE = 1000
"""Added to a seed: another world, of whose questions none has an answer here."""
CHANCE, RIGHT = 99.0, 50.0
"""Percentiles of similarity: of shots of chance, where a band begins; of right ones, its end."""
SPACES = (VIDEO, TEXT, TOLD)

Calibrations = Mapping[str, Calibration]


@dataclass(frozen=True)
class Way:
    """A way to ask: which spaces, and how far a line is passed on."""

    spaces: tuple[str, ...]
    reach: int


WAYS = {
    "as the product asks": Way(SPACES, NEAR),
    "without the tower": Way((VIDEO, TEXT), NEAR),
    "no lines passed on": Way(SPACES, 0),
    "neither": Way((VIDEO, TEXT), 0),
}


def words_of(question: Question, towers: Towers) -> dict[str, np.ndarray]:
    """Return what a question is in each space."""
    nothing = np.zeros(World.dim, np.float32)
    fused = fuse([question.words.get(m, nothing)[None] for m in MODALITIES])
    return {**question.words, TOLD: ask_tower(towers[TOWER], fused)[0]}


@contextmanager
def store_of(titles: Sequence[Title], keys: np.ndarray) -> Iterator[ShotStore]:
    dims = {**dict.fromkeys(MODALITIES, World.dim), TOLD: keys.shape[1]}
    schema = Schema("world", dims)
    with (
        tempfile.TemporaryDirectory() as folder,
        open_store(Path(folder), schema, library_id="world", command="world_search.py") as store,
    ):
        done = 0
        for title in titles:
            parts = {**title.parts, TOLD: keys[done : done + title.num_shots]}
            store.publish(str(title.number), "0", records_of(title, parts))
            done += title.num_shots
        yield store


def records_of(title: Title, parts: Mapping[str, np.ndarray]) -> list[ShotRecord]:
    return [
        ShotRecord(
            title_id=str(title.number),
            generation="0",
            shot=shot,
            vectors={space: rows[shot] for space, rows in parts.items() if rows[shot].any()},
            words="",
            payload={"start_s": SHOT_S * shot, "end_s": SHOT_S * (shot + 1)},
        )
        for shot in range(title.num_shots)
    ]


def calibrate(questions: Sequence[Question], pool: Pool, towers: Towers) -> Calibrations:
    """Return each space's band: from what chance seldom reaches to what the right ones reach."""
    stored = {**pool.parts, TOLD: pool.keys[TOWER]}
    chance: dict[str, list[np.ndarray]] = {space: [] for space in SPACES}
    right: dict[str, list[float]] = {space: [] for space in SPACES}
    for question in questions:
        words, shot = words_of(question, towers), pool.index(question)
        for space in SPACES:
            similarities = stored[space] @ words[space]
            chance[space].append(similarities[:: max(1, len(similarities) // 200)])
            # Words say nothing of most spaces; of the tower's they always do.
            if stored[space][shot].any() and (space == TOLD or question.kind == ITSELF):
                right[space].append(float(similarities[shot]))
    found = {}
    for space in SPACES:
        floor = float(np.percentile(np.concatenate(chance[space]), CHANCE))
        above = [value for value in right[space] if value > floor] or [floor]  # learned nothing
        found[space] = Calibration(floor, max(floor + 0.05, float(np.percentile(above, RIGHT))))
    return found


def answer(store: ShotStore, words: dict[str, Any], way: Way, bands: Calibrations) -> list[Moment]:
    asked = Asked({space: words[space] for space in way.spaces})
    query = Query((asked,), (), (), LEAST_CANDIDATES, way.reach)
    calibrations = {"words": bands}
    hits = store.query(query, scoring=scoring(calibrations, query))
    return merge_neighbours(score_shots(hits, calibrations, query))[:TOP]


def best_score(moments: Sequence[Moment]) -> float:
    return moments[0].score if moments else 0.0


def floor_of(answered: Sequence[float], strange: Sequence[float]) -> float:
    """Return the floor that parts the two best: the mean of the shares on the right side."""
    floors = np.unique([*answered, *strange])
    parted = [np.mean(np.array(answered) >= f) + np.mean(np.array(strange) < f) for f in floors]
    return float(floors[int(np.argmax(parted))])


def measure(seed: int, sizes: Mapping[str, int], *, each: int, quick: bool) -> dict[str, Any]:
    """Return every way's figures on the test titles of one world."""
    steps, tower_steps = (QUICK_STEPS, QUICK_STEPS) if quick else (STEPS, TOWER_STEPS)
    catalogue = Catalogue(World(strength=MIDDLE, seed=seed))
    config = ContextConfig(dims=dict.fromkeys(MODALITIES, World.dim), global_dim=World.dim)
    learned = list(catalogue.titles(0, sizes["model"]))
    trained = train([sequence_of(title) for title in learned], config, steps=steps,
                    seconds_limit=SECONDS_LIMIT, seed=seed)  # fmt: skip
    towers = train_towers(learned[:100], trained.model, steps=tower_steps, seed=seed)
    elsewhere = Catalogue(World(strength=MIDDLE, seed=seed + STRANGE))
    first, found = sizes["model"], {}
    bands: Calibrations = {}
    floors: dict[str, float] = {}
    for part in ("validation", "test"):
        titles = list(catalogue.titles(first, first + sizes[part]))
        first += sizes[part]
        questions = ask(catalogue, titles, each=each, seed=seed)
        strange = ask(elsewhere, elsewhere.titles(0, max(1, sizes[part] // 4)), each=each,
                      seed=seed)  # fmt: skip
        pool = pool_of(titles, trained.model, towers)
        scenes = {title.number: title.scene for title in titles}
        if part == "validation":
            bands = calibrate(questions, pool, towers)
        with store_of(titles, pool.keys[TOWER]) as store:
            for name, way in WAYS.items():
                told = [(q, answer(store, words_of(q, towers), way, bands)) for q in questions]
                unmet = [best_score(answer(store, words_of(q, towers), way, bands))
                         for q in strange]  # fmt: skip
                if part == "validation":
                    floors[name] = floor_of([best_score(m) for _, m in told], unmet)
                else:
                    found[name] = figures(told, unmet, scenes, floors[name])
    return {"seed": seed, "steps": trained.metrics.steps, "ways": found, "floors": floors}


def figures(
    told: Sequence[tuple[Question, Sequence[Moment]]],
    unmet: Sequence[float],
    scenes: Mapping[int, np.ndarray],
    floor: float,
) -> dict[str, float]:
    found = {}
    for kind in KINDS:
        of_kind = [(q, moments) for q, moments in told if q.kind == kind]
        hits = [
            (
                any(int(m.title_id) == q.title and m.first <= q.shot < m.end for m in moments),
                any(
                    int(m.title_id) == q.title
                    and scenes[q.title][m.best.shot] == scenes[q.title][q.shot]
                    for m in moments
                ),
            )
            for q, moments in of_kind
        ]
        found[f"{kind}, shot"], found[f"{kind}, scene"] = np.mean(hits, axis=0).tolist()
    found["wrongly silent"] = float(np.mean([best_score(m) < floor for _, m in told]))
    found["rightly silent"] = float(np.mean(np.array(unmet) < floor))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--seeds", nargs="*", type=int, default=[0, 1, 2])
    given = parser.parse_args()
    torch.set_num_threads(1)
    sizes, each = (QUICK_SIZES, QUICK_EACH) if given.quick else (SIZES, EACH)
    records = []
    for seed in given.seeds[:1] if given.quick else given.seeds:
        records.append(measure(seed, sizes, each=each, quick=given.quick))
        print(f"\nSIMULATION seed {seed}: model of {records[-1]['steps']} steps; recall among "
              f"{TOP} moments of the shot, of its scene", file=sys.stderr)  # fmt: skip
        for name, measured in records[-1]["ways"].items():
            told = "  ".join(f"{what} {value:.3f}" for what, value in measured.items())
            print(f"{name:24}{told}", file=sys.stderr)
    means = {
        f"{name}: {what}": {
            "value": round(float(np.mean([r["ways"][name][what] for r in records])), 4),
            "target": None,
            "ok": True,
        }
        for name in WAYS
        for what in records[0]["ways"][name]
    }
    report("world_search", means)


if __name__ == "__main__":
    main()
