"""Fine-tuning on captioned reels: how many captions find their shot, before and after.

Reels are cut from the photographs of scikit-image (see `captioned_reels`), whole reels are held
out, and a tiny open_clip model begins with random weights: what is measured is the training, not
a model. Captions name what is seen and how it moves, and motion cannot be told by a mean of frames.
Usage: finetune.py [--quick]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.captioned_reels import THINGS, write_reels
from benchmarks.figures import report
from indexer.encoders.weights import quietly, undisturbed
from indexer.finetune.holding_out import hold_out
from indexer.finetune.pairs import Pair, read_pairs
from indexer.finetune.pictures import Pictures, decoded_pictures
from indexer.finetune.towers import load_towers
from indexer.finetune.train import Recipe, Trained, train
from indexer.progress import silent

NUM_REELS, QUICK_REELS = 60, 24
SEEDS, QUICK_SEEDS = (0, 1, 2), (0,)
MODEL = {
    "embed_dim": 64,
    "vision_cfg": {"image_size": 48, "layers": 2, "width": 64, "patch_size": 8, "head_width": 16},
    "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 64, "heads": 4, "layers": 2},
}
STANDARD = Recipe(epochs=30, batch=48, frames=4, rate=3e-3, patience=5)
RECIPES = {
    "projections alone": replace(STANDARD, adapters="none"),
    "adapters": STANDARD,
    "adapters and a temporal pool": replace(STANDARD, pool="temporal"),
}
TARGETS = {"adapters": 0.25, "adapters and a temporal pool": 0.5}
"""Of the captions. There are four motions: who knows the thing alone finds a quarter or so, as not
every thing is held out in all of them."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer reels, one seed")
    quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory() as folder:
        pairs = read_pairs(
            [write_reels(Path(folder), num_reels=QUICK_REELS if quick else NUM_REELS, seed=0)]
        )
        rows: dict[str, list[Trained]] = {name: [] for name in RECIPES}
        for seed in QUICK_SEEDS if quick else SEEDS:
            settings = untrained(Path(folder), seed=seed)
            for name, recipe in RECIPES.items():
                rows[name].append(trained(settings, replace(recipe, seed=seed), pairs))
                show(name, seed, rows[name][-1])
    report("finetune", figures(rows))


def untrained(folder: Path, *, seed: int) -> dict[str, Any]:
    """Write a tiny model with random weights; return an encoder's settings for it."""
    import open_clip
    import torch
    from safetensors.torch import save_file

    own = folder / f"untrained-{seed}"
    own.mkdir()
    (own / "open_clip_config.json").write_text(json.dumps({"model_cfg": MODEL}))
    with quietly(), undisturbed():
        torch.manual_seed(seed)
        model = open_clip.create_model(f"local-dir:{own}", load_weights=False)
    save_file(model.state_dict(), own / "open_clip_model.safetensors")
    return {"model": f"local-dir:{own}", "pretrained": ""}


def trained(settings: dict[str, Any], recipe: Recipe, pairs: list[Pair]) -> Trained:
    """Train one model by a recipe."""
    towers = load_towers(settings, pool=recipe.pool, device="cpu", seed=recipe.seed)
    decoded = decoded_pictures(
        pairs, num_frames=recipe.frames, to_pixels=towers.to_pixels, progress=silent
    )
    with decoded as pictures:
        split = hold_out(pictures.pairs, share=recipe.held_out, seed=recipe.seed)
        return train(towers, of_training(pictures), split, recipe)


def of_training(pictures: Pictures) -> Pictures:
    """Return the pictures held in memory: there are few."""
    return replace(pictures, pixels=np.array(pictures.pixels))


def show(name: str, seed: int, done: Trained) -> None:
    before, after = done.before, done.after
    seconds = sum(epoch.seconds for epoch in done.epochs)
    print(
        f"seed {seed}  {name:<30} recall@1 {before.recall_at_1:.3f} -> {after.recall_at_1:.3f}  "
        f"recall@5 {before.recall_at_5:.3f} -> {after.recall_at_5:.3f}  of {after.num_pairs}  "
        f"epoch {done.best} of {len(done.epochs) - 1}  {seconds:.0f} s",
        file=sys.stderr,
    )


def figures(rows: dict[str, list[Trained]]) -> dict[str, dict[str, Any]]:
    """Return the means over seeds; the spread is beside them."""
    told: dict[str, dict[str, Any]] = {}
    for name, runs in rows.items():
        for when in ("before", "after"):
            found = [getattr(run, when) for run in runs]
            at_1 = [f.recall_at_1 for f in found]
            told[f"recall@1 {when}, {name}"] = figure(
                at_1, TARGETS.get(name) if when == "after" else None
            )
            told[f"recall@5 {when}, {name}"] = figure([f.recall_at_5 for f in found], None)
    return told


def figure(values: list[float], target: float | None) -> dict[str, Any]:
    mean = float(np.mean(values))
    return {
        "value": round(mean, 3), "spread": round(float(np.std(values)), 3), "target": target,
        "ok": target is None or mean >= target,
    }  # fmt: skip


if __name__ == "__main__":
    started = time.perf_counter()
    main()
    print(f"{len(THINGS)} photographs, {time.perf_counter() - started:.0f} s", file=sys.stderr)
