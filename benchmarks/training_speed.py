"""What training costs: shots a second on this machine, the memory of a step, and a GPU on paper.

Steps of the context model's own trainer on titles of random vectors, whose values change no cost,
a process a setting. The operations of a step are counted by PyTorch as it takes one; from them
follows what 10,000 titles would take on one GPU, stated as arithmetic and not as a measurement.

Usage: training_speed.py [--quick]
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.figures import report

HUB = {"video": 768, "audio": 768, "text": 768}
SIMULATED = {"video": 64, "audio": 64, "text": 64}
SHOTS_OF_A_TITLE = 1273  # the median of 100 features
NUM_TITLES = 20
STEPS, QUICK_STEPS = 60, 4
WARM_UP = 3

PAPER_SHOTS, PAPER_PASSES = 15_000_000, 10
"""10,000 titles, and how often each shot is read before training ends: our choice."""
PAPER_FLOPS, PAPER_SHARE = 312e12, 0.3
"""An A100's bfloat16 peak as its maker states it, and the share of it we take to be usable."""


@dataclass(frozen=True)
class Setting:
    """What is trained, and with how much of the machine."""

    name: str
    dims: dict[str, int]
    hidden: int
    threads: int


@dataclass(frozen=True)
class Cost:
    """What its steps cost."""

    shots_per_s: float
    step_mb: float  # most resident memory during steps, less what there was before the first
    flops_per_shot: float  # forward and backward
    parameters: int


SETTINGS = (
    Setting("simulated, 192 hidden, 1 thread", SIMULATED, 192, 1),
    Setting("simulated, 192 hidden, 2 threads", SIMULATED, 192, 2),
    Setting("hub profiles, 192 hidden, 2 threads", HUB, 192, 2),
    Setting("hub profiles, 768 hidden, 2 threads", HUB, 768, 2),
)


def measure(setting: Setting, steps: int) -> Cost:
    """Return the cost of a setting's steps; to be called in a process of its own."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from indexer.context.config import ContextConfig
    from indexer.context.crops import TrainingTitle
    from indexer.context.fitting import Trainer
    from indexer.context.model import ContextModel
    from indexer.context.sequence import TitleSequence
    from indexer.encoders.protocol import unit

    torch.set_num_threads(setting.threads)
    config = ContextConfig(
        dims=setting.dims, global_dim=setting.dims["text"], hidden=setting.hidden
    )
    random = np.random.default_rng(0)
    titles = []
    for number in range(NUM_TITLES):
        fused = unit(random.standard_normal((SHOTS_OF_A_TITLE, config.fused_dim)))
        sequence = TitleSequence(str(number), fused)
        titles.append(TrainingTitle(sequence, np.ones(SHOTS_OF_A_TITLE, dtype=bool)))
    trainer = Trainer.start(ContextModel(config), seed=0)
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    def take_step() -> int:
        return trainer.take_step(titles, rate=0.1, precision="float32")[1]

    for _ in range(WARM_UP):
        take_step()
    started = time.perf_counter()
    num_shots = sum(take_step() for _ in range(steps))
    took_s = time.perf_counter() - started
    peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    counter = FlopCounterMode(display=False)
    with counter:
        counted = take_step()
    return Cost(
        num_shots / took_s,
        (peak_kb - before_kb) / 1e3,
        counter.get_total_flops() / counted,
        sum(parameter.numel() for parameter in trainer.model.parameters()),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    steps = QUICK_STEPS if parser.parse_args().quick else STEPS
    figures = {}
    for setting in SETTINGS:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            cost = pool.apply(measure, (setting, steps))
        hours = PAPER_SHOTS * PAPER_PASSES * cost.flops_per_shot
        hours /= PAPER_FLOPS * PAPER_SHARE * 3600
        print(f"{setting.name}: {cost.parameters / 1e6:.1f} M parameters, "
              f"{cost.shots_per_s:,.0f} shots/s, {cost.step_mb:.0f} MB a step, "
              f"{cost.flops_per_shot / 1e6:.1f} MFLOP a shot; on paper {hours:.2f} hours on one "
              "GPU", file=sys.stderr)  # fmt: skip
        for what, value in (
            ("shots_per_s", cost.shots_per_s), ("step_mb", cost.step_mb),
            ("mflop_per_shot", cost.flops_per_shot / 1e6), ("paper_gpu_hours", hours),
        ):  # fmt: skip
            figures[f"{setting.name}: {what}"] = {
                "value": round(value, 3), "target": None, "ok": True}  # fmt: skip
    report("training_speed", figures)


if __name__ == "__main__":
    main()
