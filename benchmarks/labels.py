"""Labels: what fifty clicks teach, asked by the four feeds or of chance; how long learning takes.

SIMULATION (see `clicks`, `world`); the time is measured on as many made vectors as a library of
100,000 shots has.

Usage: labels.py [--quick] [--seeds N ...]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.clicks import WAYS, gains, learning_time
from benchmarks.figures import report

SEEDS = (3, 4, 5)
TARGET_GAIN = 0.10
TARGET_MS = 1000.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--seeds", nargs="*", type=int, default=list(SEEDS))
    given = parser.parse_args()
    torch.set_num_threads(1)
    found = gains(given.seeds[:1] if given.quick else given.seeds, quick=given.quick)
    chance = np.array(found["chance"])
    figures = {}
    for way in WAYS:
        gain = np.array(found[way]) / chance - 1
        print(f"{way:20} mean AP {np.mean(found[way]):.3f}, median gain over chance "
              f"{np.median(gain):+.1%}, quartiles {np.quantile(gain, 0.25):+.1%} "
              f"{np.quantile(gain, 0.75):+.1%}", file=sys.stderr)  # fmt: skip
        figures[f"{way}: mean AP"] = (float(np.mean(found[way])), None, True)
        if way != "chance":
            median = float(np.median(gain))
            is_target = way == "feeds"
            figures[f"{way}: median gain over chance"] = (
                median, TARGET_GAIN if is_target else None, not is_target or median >= TARGET_GAIN
            )  # fmt: skip
    median_ms, worst_ms = learning_time(quick=given.quick)
    figures["learn and score, median ms"] = (median_ms, TARGET_MS, median_ms < TARGET_MS)
    figures["learn and score, slowest ms"] = (worst_ms, TARGET_MS, worst_ms < TARGET_MS)
    report("labels", {
        name: {"value": round(value, 4), "target": target, "ok": ok}
        for name, (value, target, ok) in figures.items()
    })  # fmt: skip


if __name__ == "__main__":
    main()
