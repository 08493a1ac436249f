"""The ladder on a simulated world: single modalities, concatenated, contextual; and the ablations.

A context model learns titles without labels; linear probes learn the five tasks on other titles,
choose on others still, and are tested on the last. Beside every row stand the controls that need no
training: the mean of the neighbours' vectors, its width chosen on validation, alone and beside the
shot's own. SIMULATION throughout (see `world`).

Usage: ladder.py [--quick | --fewer] [--variants NAME ...] [--strengths S ...] [--seeds N ...]
                 [--steps N] [--record FILE]
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.figures import report
from benchmarks.probes import Probed, difference, probe, stacked
from benchmarks.world import MODALITIES, TASKS, Catalogue, Title, World
from indexer.context.config import ContextConfig, faithful
from indexer.context.model import ContextModel
from indexer.context.sequence import TitleSequence
from indexer.context.train import Trained, train
from indexer.context.vectors import NUM_PASSES, predict
from indexer.context.windows import most_central, overlapping_windows
from indexer.encoders.fuse import fuse
from indexer.encoders.protocol import unit

Floats = NDArray[np.float32]
Features = list[Floats]
"""A title each: (num_clips, dim)."""

NUM_TITLES = {"model": 600, "train": 240, "validation": 40, "test": 120}
FEWER_TITLES = {"model": 120, "train": 100, "validation": 24, "test": 50}
QUICK_TITLES = {"model": 6, "train": 6, "validation": 3, "test": 4}
STEPS, FEWER_STEPS, QUICK_STEPS = 3000, 400, 8
SECONDS_LIMIT = 600.0
WIDTHS = (1, 2, 4, 8)
"""Shots on either side of which the controls take the mean."""
TARGET_RETRIEVAL_GAIN, TARGET_TASKS = 1.15, 4
MIDDLE = 0.5

FAITHFUL = "as published"
VARIANTS: dict[str, dict[str, Any]] = {
    "default": {},
    FAITHFUL: {},
    "without [GLOBAL]": {"without_global": True},
    "learned positions": {"positions": "learned"},
    "rotary positions": {"positions": "rotary"},
    "relative positions": {"positions": "relative"},
    "whole shots hidden": {"modality_share": 0.0},
    "every modality hidden apart": {"modality_share": 1.0},
    "no loss in sight": {"visible_weight": 0.0},
    "loss in sight .2": {"visible_weight": 0.2},
    "loss in sight .5": {"visible_weight": 0.5},
    "loss a modality 0": {"modality_weight": 0.0},
    "loss a modality .5": {"modality_weight": 0.5},
    "loss a modality 1": {"modality_weight": 1.0},
    "modality dropout .2": {"modality_dropout": 0.2},
    "q, k, v together": {"projections": "together"},
    "AdamW": {"optimiser": "adamw"},
    "AdamW, 2e-3": {"optimiser": "adamw", "adamw_lr": 2e-3},
    "AdamW, 1e-3": {"optimiser": "adamw", "adamw_lr": 1e-3},
    "mask 10": {"mask_share": 0.1},
    "mask 30": {"mask_share": 0.3},
    "mask 40": {"mask_share": 0.4},
    "1 layer": {"layers": 1},
    "6 layers": {"layers": 6},
}
"""What each changes in our own default; the published recipe changes whatever differs from it."""


@dataclass
class Split:
    """The probes' titles of one part."""

    titles: list[Title]
    rows: dict[str, Features]

    def asked(self, task: str, row: Callable[[dict[str, Features], int], Floats]) -> Any:
        return stacked(task, [
            (title.number, row(self.rows, n), title.labels[task])
            for n, title in enumerate(self.titles)
        ])  # fmt: skip


def sequence_of(title: Title, *, with_global: bool = True) -> TitleSequence:
    fused = fuse([title.parts[modality] for modality in MODALITIES])
    return TitleSequence(str(title.number), fused, title.about if with_global else None)


def of_clips(features: Floats, title: Title) -> Floats:
    """Return each clip's vector, the mean of its shots': (num_clips, dim), unit length."""
    return unit(np.stack([features[a:b].mean(axis=0) for a, b in title.clips]))


def mean_over(fused: Floats, width: int) -> Floats:
    """Return the mean over each shot's neighbours and itself: (num_shots, dim)."""
    sums = np.cumsum(np.vstack([np.zeros((1, fused.shape[1])), fused.astype(np.float64)]), axis=0)
    shots = np.arange(len(fused))
    low, high = np.maximum(0, shots - width), np.minimum(len(fused), shots + width + 1)
    return unit((sums[high] - sums[low]) / (high - low)[:, None])


def read(
    model: ContextModel, sequence: TitleSequence, hidden_shots: NDArray[np.bool_] | None = None
) -> tuple[Floats, Floats]:
    """Return a title's contextual outputs and hidden states, (num_shots, dim) each."""
    caught: list[Floats] = []
    hook = model.out_projection.register_forward_hook(
        lambda module, given, output: caught.append(given[0][0].numpy())
    )
    outputs = predict(model, sequence, hidden_shots=hidden_shots).shots
    hook.remove()
    config = model.config
    windows = overlapping_windows(
        sequence.num_shots, size=config.max_shots, overlap=config.window_overlap
    )
    taken = most_central(sequence.num_shots, windows)
    hidden = np.zeros((sequence.num_shots, config.hidden), np.float32)
    for number, window in enumerate(windows):
        here = np.flatnonzero(taken == number)
        hidden[here] = caught[number][here - window.start]
    return outputs, unit(hidden)


def expectations(model: ContextModel, sequence: TitleSequence) -> tuple[Floats, Floats]:
    """Return outputs and hidden states as the other shots alone would have them."""
    phases = np.arange(sequence.num_shots) % NUM_PASSES
    outputs = np.zeros_like(sequence.fused)
    hidden = np.zeros((sequence.num_shots, model.config.hidden), np.float32)
    for phase in range(NUM_PASSES):
        asked = phases == phase
        said = read(model, sequence, asked)
        outputs[asked], hidden[asked] = (vectors[asked] for vectors in said)
    return outputs, hidden


def alone(model: ContextModel, sequence: TitleSequence, title: Title) -> Floats:
    """Return each clip's vector read without its title: (num_clips, dim)."""
    bare = TitleSequence(sequence.title_id, sequence.fused, None)
    return unit(np.stack([
        predict(model, bare.excerpt(a, b)).shots.mean(axis=0) for a, b in title.clips
    ]))  # fmt: skip


def plain_rows(titles: Sequence[Title]) -> dict[str, Features]:
    """Return what needs no model."""
    rows: dict[str, Features] = {m: [of_clips(t.parts[m], t) for t in titles] for m in MODALITIES}
    fused = [sequence_of(title).fused for title in titles]
    rows["concat"] = [of_clips(f, t) for f, t in zip(fused, titles, strict=True)]
    for width in WIDTHS:
        means = zip(fused, titles, strict=True)
        rows[f"mean {width}"] = [of_clips(mean_over(f, width), t) for f, t in means]
    rows["story"] = [told(title) for title in titles]
    scenes = zip(fused, titles, strict=True)
    rows["scene"] = [of_clips(mean_within(f, t.scene), t) for f, t in scenes]
    return rows


def mean_within(fused: Floats, groups: NDArray[np.int32]) -> Floats:
    """Return the mean over the shots of each shot's group: (num_shots, dim)."""
    means = np.zeros_like(fused)
    for group in np.unique(groups):
        means[groups == group] = fused[groups == group].mean(axis=0)
    return unit(means)


def told(title: Title) -> Floats:
    """Return what no model is told: the story of each clip, as it was written."""
    story = np.concatenate([title.mood, title.subject, title.place], axis=1)
    return np.stack([story[a:b].mean(axis=0) for a, b in title.clips])


def model_rows(
    model: ContextModel, titles: Sequence[Title], *, clips_alone: bool
) -> dict[str, Features]:
    """Return what a model makes of the titles' clips."""
    rows: dict[str, Features] = {name: [] for name in MODEL_ROWS}
    for title in titles:
        sequence = sequence_of(title)
        said = (*read(model, sequence), *expectations(model, sequence))
        for name, vectors in zip(MODEL_ROWS, said, strict=True):
            rows[name].append(of_clips(vectors, title))
        if clips_alone:
            rows.setdefault("alone", []).append(alone(model, sequence, title))
    return rows


def joined(*names: str) -> Callable[[dict[str, Features], int], Floats]:
    """Return a row that is several side by side."""
    return lambda rows, n: np.concatenate([rows[name][n] for name in names], axis=1)


def summed(one: str, other: str, share: float) -> Callable[[dict[str, Features], int], Floats]:
    """Return a row that is two of the same size in one."""
    return lambda rows, n: unit(rows[one][n] + share * rows[other][n])


def beside(one: str, *others: str) -> Callable[[dict[str, Features], int], Floats]:
    """Return a row that is one beside the mean of others of its size."""
    return lambda rows, n: np.concatenate(
        [rows[one][n], unit(sum(rows[other][n] for other in others))], axis=1
    )


MODEL_ROWS = ("output", "hidden", "expected output", "expected hidden")
PLAIN = {m: joined(m) for m in (*MODALITIES, "concat")}
CEILINGS = {
    "own and mean of its true scene": joined("concat", "scene"),
    "own and the story as written": joined("concat", "story"),
}
"""What nobody knows who has only the shots: how far there is to go."""
CONTROLS = {
    **{f"mean of {2 * w + 1}": joined(f"mean {w}") for w in WIDTHS},
    **{f"own and mean of {2 * w + 1}": joined("concat", f"mean {w}") for w in WIDTHS},
}
CONTEXTUAL = {
    **{name: joined(name) for name in MODEL_ROWS[:3]},
    "own and output": joined("concat", "output"),
    "own and hidden": joined("concat", "hidden"),
    "own and expected": joined("concat", "expected output"),
    "own, hidden and expected": joined("concat", "hidden", "expected hidden"),
    "own, mean of 9 and hidden": joined("concat", "mean 4", "hidden"),
    "own, mean of 9 and expected": joined("concat", "mean 4", "expected hidden"),
    "own, mean of 17 and expected": joined("concat", "mean 8", "expected output"),
    "own + expected in one": summed("concat", "expected output", 1.0),
    "own + half of expected in one": summed("concat", "expected output", 0.5),
    "own, and mean of 9 + expected": beside("concat", "mean 4", "expected output"),
    "own, and mean of 17 + expected": beside("concat", "mean 8", "expected output"),
}


def probed(splits: dict[str, Split], rows: dict[str, Any]) -> dict[str, dict[str, Probed]]:
    """Return every row's probe of every task."""
    return {
        name: {
            task: probe(*(splits[part].asked(task, row)
                          for part in ("train", "validation", "test")))
            for task in TASKS
        }
        for name, row in rows.items()
    }  # fmt: skip


def best_control(found: dict[str, dict[str, Probed]], task: str) -> Probed:
    """Return the control that is best on validation."""
    return max((found[name][task] for name in CONTROLS), key=lambda p: p.validation)


def splits_of(catalogue: Catalogue, sizes: dict[str, int]) -> dict[str, Split]:
    first, splits = sizes["model"], {}
    for part in ("train", "validation", "test"):
        titles = list(catalogue.titles(first, first + sizes[part]))
        splits[part] = Split(titles, plain_rows(titles))
        first += sizes[part]
    return splits


def trained(titles: Sequence[TitleSequence], variant: str, *, steps: int, seed: int) -> Trained:
    dims = dict.fromkeys(MODALITIES, World.dim)
    given = dict(VARIANTS[variant])
    without_global = given.pop("without_global", False)
    make = faithful if variant == FAITHFUL else ContextConfig
    config = make(dims=dims, global_dim=World.dim, **given)
    seen = [TitleSequence(t.title_id, t.fused) for t in titles] if without_global else titles
    return train(seen, config, steps=steps, seconds_limit=SECONDS_LIMIT, seed=seed)


def climb(
    strength: float, seed: int, variants: Sequence[str], sizes: dict[str, int], steps: int
) -> Iterator[dict[str, Any]]:
    """Yield a record of every variant on one world."""
    catalogue = Catalogue(World(strength=strength, seed=seed))
    splits = splits_of(catalogue, sizes)
    plain = probed(splits, {**PLAIN, **CONTROLS, **CEILINGS})
    titles = [sequence_of(title) for title in catalogue.titles(0, sizes["model"])]
    for variant in variants:
        started = time.perf_counter()
        result = trained(titles, variant, steps=steps, seed=seed)
        for split in splits.values():
            split.rows.update(
                model_rows(result.model, split.titles, clips_alone=variant == "default")
            )
        rows = dict(CONTEXTUAL)
        if variant == "default":
            rows["clip alone"] = joined("alone")
        found = {**plain, **probed(splits, rows)}
        record = {
            "strength": strength, "seed": seed, "variant": variant, "steps": result.metrics.steps,
            "train_s": round(result.metrics.seconds, 1),
            "loss": round(result.metrics.final_loss, 4),
            "held_out": round(result.metrics.evaluation.loss, 4),
            "neighbours": round(result.metrics.evaluation.control_loss, 4),
            "pairwise": round(result.metrics.evaluation.pairwise_cosine, 4),
            "self": round(result.metrics.evaluation.self_cosine, 4),
            "rows": {n: {t: round(p.value, 4) for t, p in row.items()} for n, row in found.items()},
            "validation": {n: {t: round(p.validation, 4) for t, p in row.items()}
                           for n, row in found.items()},
            "over_control": {
                name: {t: [round(x, 4) for x in difference(found[name][t], best_control(found, t))]
                       for t in TASKS}
                for name in CONTEXTUAL
            },
            "best_control": {t: round(best_control(found, t).value, 4) for t in TASKS},
            "took_s": round(time.perf_counter() - started, 1),
        }  # fmt: skip
        tell(record)
        yield record


def tell(record: dict[str, Any]) -> None:
    print(f"\nSIMULATION strength {record['strength']} seed {record['seed']} {record['variant']}: "
          f"{record['steps']} steps in {record['train_s']} s, loss {record['loss']}, held out "
          f"{record['held_out']} against {record['neighbours']}, pairwise {record['pairwise']}, "
          f"self {record['self']}", file=sys.stderr)  # fmt: skip
    print(f"{'':26}" + "".join(f"{task:>12}" for task in TASKS), file=sys.stderr)
    for name, row in {**record["rows"], "BEST CONTROL": record["best_control"]}.items():
        print(f"{name:26}" + "".join(f"{row[t]:12.3f}" for t in TASKS), file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--variants", nargs="*", default=["default"], choices=list(VARIANTS))
    parser.add_argument("--strengths", nargs="*", type=float, default=[MIDDLE])
    parser.add_argument("--seeds", nargs="*", type=int, default=[0])
    parser.add_argument("--fewer", action="store_true", help="fewer titles and steps: ablations")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--record", type=Path, help="a file to which a line a run is added")
    given = parser.parse_args()
    torch.set_num_threads(1)
    sizes, steps = NUM_TITLES, given.steps or STEPS
    if given.quick or given.fewer:
        sizes = QUICK_TITLES if given.quick else FEWER_TITLES
        steps = given.steps or (QUICK_STEPS if given.quick else FEWER_STEPS)
    records = []
    for strength in given.strengths:
        for seed in given.seeds:
            for record in climb(strength, seed, given.variants, sizes, steps):
                records.append(record)
                if given.record:
                    with given.record.open("a") as file:
                        file.write(json.dumps(record) + "\n")
    figures = {
        f"{r['variant']}, strength {r['strength']}, seed {r['seed']}: {name}, {task}": {
            "value": value, "target": None, "ok": True}
        for r in records for name in CONTEXTUAL for task, value in r["rows"][name].items()
    }  # fmt: skip
    report("ladder", figures)


if __name__ == "__main__":
    main()
