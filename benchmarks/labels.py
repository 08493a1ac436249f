"""Labels: what fifty clicks teach, asked by the feeds or of chance; how long learning takes; the
gate that keeps worse versions out.

SIMULATION (see `clicks`, `gate_trials`, `world`); the time is measured on as many made vectors as a
library of 100,000 shots has.

Usage: labels.py [--quick] [--only clicks | gate] [--seeds N ...]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.clicks import WAYS, gains, learning_time
from benchmarks.figures import report
from benchmarks.gate_trials import FULL, QUICK, figures_of_gate

SEEDS = (3, 4, 5)
TARGET_GAIN = 0.10
TARGET_MS = 1000.0


def figures_of_clicks(seeds: Sequence[int], *, quick: bool) -> dict[str, dict[str, Any]]:
    """Return what fifty clicks teach on these worlds, and how long learning takes."""
    found = gains(seeds[:1] if quick else seeds, quick=quick)
    chance = np.array(found["chance"])
    figures = {}
    for way in WAYS:
        gain = np.array(found[way]) / chance - 1
        print(f"{way:20} mean AP {np.mean(found[way]):.3f}, median gain over chance "
              f"{np.median(gain):+.1%}, quartiles {np.quantile(gain, 0.25):+.1%} "
              f"{np.quantile(gain, 0.75):+.1%}", file=sys.stderr)  # fmt: skip
        figures[f"{way}: mean AP"] = _figure(float(np.mean(found[way])))
        if way != "chance":
            target = TARGET_GAIN if way == "feeds" else None
            figures[f"{way}: median gain over chance"] = _figure(float(np.median(gain)), target)
    median_ms, worst_ms = learning_time(quick=quick)
    for name, value in (("median", median_ms), ("slowest", worst_ms)):
        ok = value < TARGET_MS
        figures[f"learn and score, {name} ms"] = {
            "value": round(value, 1), "target": TARGET_MS, "ok": ok,
        }  # fmt: skip
    return figures


def _figure(value: float, target: float | None = None) -> dict[str, Any]:
    return {"value": round(value, 4), "target": target, "ok": target is None or value >= target}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", choices=("clicks", "gate"))
    parser.add_argument("--seeds", nargs="*", type=int, help="[3 4 5; of the gate 0]")
    given = parser.parse_args()
    torch.set_num_threads(1)
    figures = {}
    if given.only != "gate":
        figures |= figures_of_clicks(given.seeds or SEEDS, quick=given.quick)
    if given.only != "clicks":
        seed = (given.seeds or (0,))[0]
        figures |= figures_of_gate(QUICK if given.quick else FULL, seed=seed)
    report("labels", figures)


if __name__ == "__main__":
    main()
