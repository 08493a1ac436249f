"""What labels are good for: the gate that keeps worse versions out. SIMULATION (see `world`).

Usage: labels.py [--quick] [--seed N]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.figures import report
from benchmarks.gate_trials import FULL, QUICK, figures_of_gate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    torch.set_num_threads(1)
    report("labels", figures_of_gate(QUICK if given.quick else FULL, seed=given.seed))


if __name__ == "__main__":
    main()
