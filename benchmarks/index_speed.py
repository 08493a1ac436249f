"""The whole of `trimbin index` against PySceneDetect's shot detection alone, on the same film.

In turn, so that a machine's drift falls on both. The offline profile, context included with a
checkpoint present; learning the checkpoint is reported apart. Usage: index_speed.py [--quick]
"""

from __future__ import annotations

import argparse
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg
from figures import report

from app.demo import fetch_film

ROUNDS = 3
QUICK_SECONDS = 120
TARGET_RATIO = 1.0
TARGET_REAL_TIME = 20.0


@dataclass(frozen=True)
class Cost:
    wall_s: float
    cpu_s: float


def run(*command: object) -> Cost:
    """Run a command to its end; return its wall time and the CPU time of it and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)  # fmt: skip
    wall_s = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall_s, cpu_s)


def trimbin(film: Path, library: Path) -> Cost:
    return run(sys.executable, "-m", "app", "index", film, "--library", library,
               "--profile", "offline")  # fmt: skip


def scenedetect(film: Path, folder: Path) -> Cost:
    program = Path(sys.executable).parent / "scenedetect"
    return run(program, "--quiet", "-i", film, "-o", folder, "detect-adaptive", "list-scenes")


def decode_floor(film: Path) -> Cost:
    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    return run(ffmpeg, "-threads", 2, "-i", film, "-map", "0:v:0", "-f", "null", "-")


def excerpt(film: Path, folder: Path) -> Path:
    path = folder / film.name
    run(imageio_ffmpeg.get_ffmpeg_exe(), "-i", film, "-t", QUICK_SECONDS, "-c", "copy", path)
    return path


def measure(film: Path, folder: Path, rounds: int) -> dict[str, float]:
    """Return medians and ratios over the rounds; the checkpoint is learned before them."""
    library = folder / "library"
    first = trimbin(film, library)
    ours, rival = [], []
    for _ in range(rounds):
        for done in (library / "titles", library / "qdrant"):
            shutil.rmtree(done)
        (library / "titles").mkdir()
        ours.append(trimbin(film, library))
        rival.append(scenedetect(film, folder))
    floor = decode_floor(film)
    wall_s = statistics.median(cost.wall_s for cost in ours)
    return {
        "wall_ratio": statistics.median(
            a.wall_s / b.wall_s for a, b in zip(ours, rival, strict=True)
        ),
        "cpu_ratio": statistics.median(a.cpu_s / b.cpu_s for a, b in zip(ours, rival, strict=True)),
        "index_wall_s": wall_s,
        "scenedetect_wall_s": statistics.median(cost.wall_s for cost in rival),
        "first_index_with_learning_wall_s": first.wall_s,
        "decode_floor_wall_s": floor.wall_s,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory(prefix="trimbin-bench-") as name:
        folder = Path(name)
        film = excerpt(fetch_film(), folder) if quick else fetch_film()
        measured = measure(film, folder, 1 if quick else ROUNDS)
    measured["times_real_time"] = (QUICK_SECONDS if quick else 596.46) / measured["index_wall_s"]
    targets = {"wall_ratio": TARGET_RATIO, "cpu_ratio": TARGET_RATIO}
    figures = {}
    for figure, value in measured.items():
        target = TARGET_REAL_TIME if figure == "times_real_time" else targets.get(figure)
        at_least = figure == "times_real_time"
        ok = target is None or (value >= target if at_least else value <= target)
        figures[figure] = {"value": round(value, 3), "target": target, "ok": ok}
    report("index_speed", figures)


if __name__ == "__main__":
    main()
