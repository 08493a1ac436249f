"""What the promotion tools are worth, against chance.

On a simulated world (SIMULATION, see `world`): how well surprise, and a probe on contextual
vectors, tell the clips that show a title well from the others; how well scenes are parted, by the
price of a scene and by what is looked at. On Big Buck Bunny: how much of what is picked without
labels did the trailer of moviepy's tutorial use, against picks that nobody weighed.

Usage: promotion.py --labels FOLDER [--quick] [--library FOLDER]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

sys.path.insert(0, str(Path(__file__).parents[1]))

from app.demo import fetch_film
from app.promotion.moments import BEFORE, COUNT, LENGTH_S
from app.studio import open_studio
from benchmarks.clip_questions import TRUTH, segments_of
from benchmarks.figures import report
from benchmarks.ladder import mean_over, of_clips, sequence_of
from benchmarks.probes import probe, stacked
from benchmarks.world import MODALITIES, Catalogue, Title, World
from indexer import environment
from indexer.context.config import ContextConfig
from indexer.context.train import train
from indexer.context.vectors import contextualise
from indexer.library import Library
from indexer.manifest import Manifest
from indexer.pipeline import index
from indexer.probes.rows import shot_vectors
from indexer.promotion.fitting import Shots, best_stretches
from indexer.promotion.scenes import PRICE, parted
from indexer.promotion.worth import WEIGHTS, stands_out, surprise, worth_of

Floats = NDArray[np.float64]
Figures = dict[str, dict[str, Any]]
SIZES = {"model": 40, "train": 30, "validation": 8, "test": 24}
QUICK_SIZES = {"model": 12, "train": 8, "validation": 3, "test": 5}
STEPS, QUICK_STEPS = 150, 40
SECONDS_LIMIT = 900.0
PRICES = (1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0)
SLACK_SHOTS = 1
SHOWN = "shots alone"
"""By what scenes are parted in use."""
DRAWS, QUICK_DRAWS = 1000, 200


def figure(value: float, *, target: float | None = None) -> dict[str, Any]:
    return {"value": round(value, 4), "target": target, "ok": target is None or value >= target}


# The simulated world


def simulated(sizes: Mapping[str, int], steps: int, seed: int) -> Figures:
    catalogue = Catalogue(World(seed=seed))
    config = ContextConfig(dims=dict.fromkeys(MODALITIES, World.dim), global_dim=World.dim)
    seen = [sequence_of(title) for title in catalogue.titles(0, sizes["model"])]
    model = train(seen, config, steps=steps, seconds_limit=SECONDS_LIMIT, seed=seed).model
    parts, first = {}, sizes["model"]
    for part in ("train", "validation", "test"):
        titles = list(catalogue.titles(first, first + sizes[part]))
        parts[part] = [(title, contextualise(model, sequence_of(title)).shots) for title in titles]
        first += sizes[part]
    return {**worthy(parts), **scenes(parts)}


Part = Sequence[tuple[Title, NDArray[np.float32]]]


def worthy(parts: Mapping[str, Part]) -> Figures:
    """Return average precision of what tells worthy clips, its chance, and 95 % intervals."""
    asked = [
        stacked(
            "retrieval",
            [(t.number, of_clips(shots, t), t.labels["retrieval"]) for t, shots in parts[part]],
        )
        for part in ("train", "validation", "test")
    ]
    probed = probe(*asked)
    surprised = []
    for title, shots in parts["test"]:
        of_shots = surprise(*np.split(shots, 2, axis=1))
        surprised += [float(np.nanmean(of_shots[a:b])) for a, b in title.clips]
    labels, titles = probed.labels[:, 0], probed.title
    figures = {"worthy clips, chance": figure(float(labels.mean()))}
    for name, said in (("surprise", np.array(surprised)), ("probe", probed.said[:, 0])):
        value = float(average_precision_score(labels, said))
        low, high = interval(titles, labels, said)
        print(f"SIMULATION worthy clips by {name}: AP {value:.3f} [{low:.3f}, {high:.3f}]")
        figures[f"worthy clips, {name}"] = figure(value)
        figures[f"worthy clips, {name}, low"] = figure(low)
        figures[f"worthy clips, {name}, high"] = figure(high)
    return figures


def interval(
    titles: NDArray[np.int32], labels: NDArray[Any], said: NDArray[Any], draws: int = 200
) -> tuple[float, float]:
    """Return the 95 % interval of average precision over titles drawn anew."""
    random, drawn = np.random.default_rng(0), []
    of_title = {int(t): np.flatnonzero(titles == t) for t in np.unique(titles)}
    for _ in range(draws):
        chosen = random.choice([*of_title], size=len(of_title))
        picks = np.concatenate([of_title[int(t)] for t in chosen])
        drawn.append(average_precision_score(labels[picks], said[picks]))
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)


def scenes(parts: Mapping[str, Part]) -> Figures:
    """Print how well scenes begin where they were written to, by price and by what is looked at."""
    looks: dict[str, Callable[[NDArray[np.float32]], NDArray[np.float32]]] = {
        "context": lambda shots: shots,
        "shots alone": lambda shots: shots[:, : shots.shape[1] // 2],
        "expectation": lambda shots: shots[:, shots.shape[1] // 2 :],
        "mean of 3": lambda shots: mean_over(shots[:, : shots.shape[1] // 2], 1),
    }
    figures: Figures = {}
    for name, look in looks.items():
        told = []
        for price in PRICES:
            score = {p: begun_right(parts[p], look, price) for p in ("validation", "test")}
            told.append(f"{price:g}: {score['validation']:.3f}/{score['test']:.3f}")
            if name == SHOWN:
                figures[f"scenes, F1 at price {price:g}"] = figure(score["test"])
        print(f"SIMULATION scenes by {name}, F1 on validation/test by price  {'  '.join(told)}")
    every = float(np.mean([even(title) for title, _ in parts["test"]]))
    print(f"SIMULATION scenes of even length, as many as there are: F1 {every:.3f}")
    in_use = begun_right(parts["test"], looks[SHOWN], PRICE)
    figures["scenes, F1 of even lengths"] = figure(every)
    figures["scenes, F1 in use"] = figure(in_use)
    return figures


def begun_right(
    part: Part, look: Callable[[NDArray[np.float32]], NDArray[np.float32]], price: float
) -> float:
    scores = []
    for title, shots in part:
        found = [first for first, _ in parted(look(shots), price=price)][1:]
        scores.append(f1(found, beginnings(title)))
    return float(np.mean(scores))


def beginnings(title: Title) -> list[int]:
    """Return the shots with which a scene is seen first: where two are cut into each other, two."""
    return sorted({int(np.argmax(title.scene == scene)) for scene in np.unique(title.scene)} - {0})


def even(title: Title) -> float:
    truth = beginnings(title)
    found = np.linspace(0, title.num_shots, len(truth) + 2)[1:-1].round().astype(int)
    return f1(found.tolist(), truth)


def f1(found: Sequence[int], truth: Sequence[int]) -> float:
    """Return the F1 of boundaries, each matched once, at most `SLACK_SHOTS` away."""
    left, hits = list(truth), 0
    for boundary in found:
        near = [t for t in left if abs(t - boundary) <= SLACK_SHOTS]
        if near:
            left.remove(min(near, key=lambda t: abs(t - boundary)))
            hits += 1
    return 2 * hits / (len(found) + len(truth)) if found or truth else 1.0


# The real film


def against_trailer(library: Library, manifest: Manifest, labels: Path, draws: int) -> Figures:
    """Return how much of the picks the trailer used, against picks that nobody weighed."""
    table = library.shots(manifest.title_id)
    used = [(s.film_start_s, s.film_end_s) for s in segments_of(labels)]
    rate = float(manifest.frame_rate)
    worth = worth_of(library, manifest)
    allowed = (table["end_s"] <= BEFORE * manifest.duration_s).to_numpy()
    shots = Shots(
        bounds=table[["start_frame", "end_frame"]].to_numpy(np.int64),
        worth=stands_out(worth.told),
        usable=worth.showable & allowed,
        vectors=shot_vectors(library, manifest, "context"),
    )

    def share(weighed: Floats) -> float:
        found = best_stretches(
            replace(shots, worth=weighed), count=COUNT, num_frames=int(LENGTH_S * rate)
        )
        spans = [(one.start_frame / rate, one.end_frame / rate) for one in found]
        shared = sum(max(0.0, min(e, b) - max(s, a)) for s, e in spans for a, b in used)
        return shared / sum(e - s for s, e in spans)

    random = np.random.default_rng(0)
    chance = np.array([share(random.random(len(table))) for _ in range(draws)])
    low, high = np.quantile(chance, [0.025, 0.975])
    figures: Figures = {}
    told = {"measures": shots.worth, **{name: worth.told[name] for name in WEIGHTS}}
    spans = zip(table["start_s"], table["end_s"], strict=True)
    in_trailer = np.array(
        [any(min(e, b) - max(s, a) > 0.5 * (e - s) for a, b in used) for s, e in spans]
    )
    for name, weighed in told.items():
        if np.isnan(weighed).all():
            print(f"{name:10} not measured in this film")
            continue
        value = share(np.nan_to_num(weighed, nan=0.5))
        above = float(np.mean(chance < value) + np.mean(chance == value) / 2)
        known = shots.usable & ~np.isnan(weighed)
        auc = float(roc_auc_score(in_trailer[known], weighed[known]))
        auc_low, auc_high = auc_interval(in_trailer[known], weighed[known])
        print(
            f"{name:10} {value:.1%} of the picks' seconds are in the trailer, above {above:.0%} of "
            f"draws; shots told apart, AUC {auc:.2f} [{auc_low:.2f}, {auc_high:.2f}]"
        )
        figures[f"{name}, share in trailer"] = figure(value)
        figures[f"{name}, above draws"] = figure(above)
        figures[f"{name}, AUC"] = figure(auc)
    some = f"{in_trailer[shots.usable].sum()} of {shots.usable.sum()}"
    print(f"chance     {chance.mean():.1%} [{low:.1%}, {high:.1%}], {draws} draws")
    print(f"{some} shots that may be shown are in the trailer")
    figures["chance, share in trailer"] = figure(float(chance.mean()))
    figures["chance, share in trailer, high"] = figure(float(high))
    return figures


def auc_interval(truth: NDArray[np.bool_], said: Floats, draws: int = 500) -> tuple[float, float]:
    """Return the 95 % interval over shots drawn anew: neighbours are alike, so it is too narrow."""
    random, drawn = np.random.default_rng(0), []
    for _ in range(draws):
        picks = random.integers(len(truth), size=len(truth))
        if 0 < truth[picks].sum() < len(picks):
            drawn.append(roc_auc_score(truth[picks], said[picks]))
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--labels", type=Path, default=os.environ.get("TRIMBIN_LABELS"))
    parser.add_argument("--library", type=Path, help="use this library of the film, or make it")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=["world", "film"])
    given = parser.parse_args()
    torch.set_num_threads(1)
    figures: Figures = {}
    if given.only != "film":
        sizes, steps = (QUICK_SIZES, QUICK_STEPS) if given.quick else (SIZES, STEPS)
        figures.update(simulated(sizes, steps, given.seed))
    has_labels = given.labels and (Path(given.labels) / TRUTH).is_file()
    if not has_labels:
        print(f"{TRUTH} is not in --labels: THE TRAILER IS NOT MEASURED.", file=sys.stderr)
    elif given.only != "world":
        quick_one = environment.user_cache() / "trailer-library"
        kept = given.library or (quick_one if given.quick else None)
        with tempfile.TemporaryDirectory(prefix="trimbin-bench-") as folder:
            library = Library.open(kept or Path(folder) / "library", create=True, profile="offline")
            with open_studio(library) as studio:
                [result] = index([fetch_film()], studio)
            manifest = library.manifest(result.title_id)
            draws = QUICK_DRAWS if given.quick else DRAWS
            figures.update(against_trailer(library, manifest, Path(given.labels), draws))
    report("promotion", figures)


if __name__ == "__main__":
    main()
