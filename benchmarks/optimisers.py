"""Muon against AdamW: four learning rates each, and a schedule of each one's own length.

AdamW moves everything in N steps, at each of its rates; Muon moves the hidden matrices in 0.8 N
steps and AdamW the rest, at each of Muon's; the best of those is run again with as many steps as
AdamW had, and with query, key and value orthogonalised together. What counts is the loss at masked
shots of titles held out whole. SIMULATION (see `world`).

Usage: optimisers.py [--quick] [--seeds N ...] [--steps N] [--record FILE]
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.figures import report
from benchmarks.ladder import MIDDLE, SECONDS_LIMIT, sequence_of
from benchmarks.world import MODALITIES, Catalogue, World
from indexer.context.config import ContextConfig
from indexer.context.sequence import TitleSequence
from indexer.context.train import train

ADAMW_RATES = (5e-4, 1e-3, 2e-3, 4e-3)
MUON_RATES = (1.5e-3, 3e-3, 6e-3, 1.2e-2)
MUON_SHARE = 0.8
"""Of AdamW's steps, in which Muon is to be as good."""
NUM_TITLES, QUICK_TITLES = 150, 6
STEPS, QUICK_STEPS = 500, 10

Run = dict[str, Any]


def run(
    titles: Sequence[TitleSequence], name: str, *, steps: int, seed: int, **changes: Any
) -> Run:
    dims = dict.fromkeys(MODALITIES, World.dim)
    config = ContextConfig(dims=dims, global_dim=World.dim, **changes)
    metrics = train(titles, config, steps=steps, seconds_limit=SECONDS_LIMIT, seed=seed).metrics
    found = {
        "name": name, "seed": seed, "steps": metrics.steps, "loss": metrics.evaluation.loss,
        "training_loss": metrics.final_loss, "seconds": metrics.seconds,
    }  # fmt: skip
    print(f"SIMULATION seed {seed}, {name}: held-out loss {metrics.evaluation.loss:.4f} after "
          f"{metrics.steps} steps in {metrics.seconds:.0f} s", file=sys.stderr)  # fmt: skip
    return found


def compare(seed: int, *, num_titles: int, steps: int) -> dict[str, list[Run]]:
    """Return every run of one seed: AdamW's, Muon's, and the best Muon rate in other ways."""
    catalogue = Catalogue(World(strength=MIDDLE, seed=seed))
    titles = [sequence_of(title) for title in catalogue.titles(0, num_titles)]
    fewer = round(MUON_SHARE * steps)
    adamw = [
        run(titles, f"adamw {rate:g}", steps=steps, seed=seed, optimiser="adamw", adamw_lr=rate)
        for rate in ADAMW_RATES
    ]
    muon = [
        run(titles, f"muon {rate:g}", steps=fewer, seed=seed, muon_lr=rate) for rate in MUON_RATES
    ]
    rate = MUON_RATES[int(np.argmin([r["loss"] for r in muon]))]
    whole = run(titles, f"muon {rate:g}, as many steps", steps=steps, seed=seed, muon_lr=rate)
    together = run(titles, f"muon {rate:g}, q, k, v together", steps=fewer, seed=seed,
                   muon_lr=rate, projections="together")  # fmt: skip
    return {"adamw": adamw, "muon": muon, "muon, as many steps": [whole],
            "muon, q, k, v together": [together]}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--seeds", nargs="*", type=int, default=[0, 1, 2])
    parser.add_argument("--steps", type=int)
    parser.add_argument("--record", type=Path, help="a file to which a line a run is added")
    given = parser.parse_args()
    torch.set_num_threads(1)
    num_titles = QUICK_TITLES if given.quick else NUM_TITLES
    steps = given.steps or (QUICK_STEPS if given.quick else STEPS)
    best: dict[str, list[Run]] = {}
    for seed in given.seeds[:1] if given.quick else given.seeds:
        for kind, runs in compare(seed, num_titles=num_titles, steps=steps).items():
            best.setdefault(kind, []).append(min(runs, key=lambda r: r["loss"]))
            if given.record:
                with given.record.open("a") as file:
                    file.writelines(json.dumps({"kind": kind, **r}) + "\n" for r in runs)
    figures: dict[str, dict[str, Any]] = {}
    for kind, runs in best.items():
        for what in ("loss", "seconds"):
            values = [r[what] for r in runs]
            figures[f"{kind}: {what}, mean"] = {"value": float(np.mean(values)), "target": None,
                                                "ok": True}  # fmt: skip
            figures[f"{kind}: {what}, spread"] = {"value": float(np.std(values)), "target": None,
                                                  "ok": True}  # fmt: skip
    for muon, adamw in zip(best["muon"], best["adamw"], strict=True):
        figures[f"seed {muon['seed']}: {muon['name']} at {MUON_SHARE:g} of the steps"] = {
            "value": muon["loss"], "target": adamw["loss"],
            "ok": given.quick or muon["loss"] <= adamw["loss"]}  # fmt: skip
    report("optimisers", figures)


if __name__ == "__main__":
    main()
