"""Indexing killed with SIGKILL at random moments, then run to its end: nothing lost, nothing half.

Three films of edited photographs with subtitles. After each kill a reader looks at the library as
it is: a title is there with all of its shots, or not at all. In the end the points are those of a
library that nobody disturbed. Usage: killed.py [--quick]
"""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from figures import report
from reel import make_reel

from indexer.catalogue import open_catalogue
from indexer.library import Library
from indexer.publish import records_of

KILLS, QUICK_KILLS = 20, 4
NUM_FILMS = 3
SEED = 20_261_124
EARLIEST_S = 0.3
"""Before this, Python itself is still starting."""
TIME_BOUND_S = 300


def command(films: Path, library: Path) -> list[str]:
    return [sys.executable, "-m", "app", "index", str(films), "--library", str(library),
            "--profile", "offline"]  # fmt: skip


def run_to_the_end(films: Path, library: Path) -> float:
    """Index and return how many seconds it took."""
    started = time.perf_counter()
    subprocess.run(command(films, library), check=True, capture_output=True, timeout=TIME_BOUND_S)
    return time.perf_counter() - started


def run_and_kill(films: Path, library: Path, *, after_s: float) -> bool:
    """Index and kill it; whether it was still running."""
    process = subprocess.Popen(command(films, library), stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)  # fmt: skip
    try:
        process.wait(timeout=after_s)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
        return True
    return False


def make_films(folder: Path) -> Path:
    """Write films that differ: the same photographs with other containers and other words."""
    for number in range(NUM_FILMS):
        suffix = (".mp4", ".mkv", ".mov")[number % 3]
        make_reel(folder / str(number), name=f"Reel {number}{suffix}", sound=number != 1)
    return folder


def points(root: Path) -> dict[str, dict[int, Any]]:
    """Return all that is visible: generation -> shot -> (payload, vectors by space)."""
    library = Library.open(root)
    found: dict[str, dict[int, Any]] = {}
    with open_catalogue(library, command="killed.py") as catalogue:
        for title_id, generation in catalogue.generations().items():
            records = records_of(library, library.manifest(title_id))
            found[generation] = {
                record.shot: (record.payload, catalogue.vectors(title_id, record.shot))
                for record in records
            }
    return found


def half_titles(root: Path) -> int:
    """Return how many visible titles lack shots, or have points no finished folder explains."""
    if not (root / "trimbin.toml").is_file():
        return 0
    library = Library.open(root)
    with open_catalogue(library, command="killed.py") as catalogue:
        visible, finished = catalogue.generations(), {m.title_id: m for m in library.titles()}
        stray = [t for t, g in visible.items() if t not in finished or finished[t].publication != g]
        expected = sum(finished[t].num_shots for t in visible if t in finished)
        return len(stray) + (catalogue.count() != expected)


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> int:
    """Return in how many shots two libraries differ, in any number of any vector or payload."""
    keys = {(g, s) for found in (one, other) for g, shots in found.items() for s in shots}
    return sum(not _same(one.get(g, {}).get(s), other.get(g, {}).get(s)) for g, s in keys)


def _same(one: Any, other: Any) -> bool:
    if one is None or other is None or one[0] != other[0] or one[1].keys() != other[1].keys():
        return False
    return all(np.array_equal(one[1][space], other[1][space]) for space in one[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    kills = QUICK_KILLS if parser.parse_args().quick else KILLS
    dice = random.Random(SEED)
    with tempfile.TemporaryDirectory(prefix="trimbin-bench-") as name:
        films, whole = make_films(Path(name, "films")), Path(name, "whole")
        run_to_the_end(films, whole)  # derives weights, where this machine has not yet
        shutil.rmtree(whole)
        length_s = run_to_the_end(films, whole)
        undisturbed = points(whole)
        halves = hits = differ = 0
        for number in range(kills):
            killed = Path(name, f"killed-{number}")
            hits += run_and_kill(films, killed, after_s=dice.uniform(EARLIEST_S, length_s))
            halves += half_titles(killed)
            run_to_the_end(films, killed)
            differ += differences(undisturbed, points(killed))
            shutil.rmtree(killed)
            print(f"{number + 1} of {kills}: {halves} half, {differ} differ", file=sys.stderr)
    figures = {
        "killed_while_running": {"value": hits, "target": None, "ok": True},
        "shots": {"value": sum(map(len, undisturbed.values())), "target": None, "ok": True},
        "half_titles_seen": {"value": halves, "target": 0, "ok": halves == 0},
        "shots_that_differ": {"value": differ, "target": 0, "ok": differ == 0},
    }
    report("killed", figures)


if __name__ == "__main__":
    main()
