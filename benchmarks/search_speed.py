"""How long searches take in large libraries, against NumPy and local mode on the same vectors.

A question is put as `trimbin search` puts it, its vectors given: three spaces, the line, a filter;
shots scored, their neighbours put together. The owner is a process of its own, as `trimbin ui` is;
clients are processes that read through it, as several `trimbin search` do. SIMULATION (see
`big_library`). The libraries are built once and kept: 100,000 shots take 1.3 GB, some minutes to
publish and as many for their index.

What is right is what brute force finds in the same way: each space proposes its best few hundred.
`recall_of_deep` is against a search in which each space proposes five thousand.

Usage: search_speed.py [--quick] [--shots N ...] [--clients N ...] [--cache FOLDER] [--local]
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np

from benchmarks.asking import ASKERS, Found, moments_of, nearest, questions, search
from benchmarks.big_library import ASKED, LIBRARY, VERSION, BigLibrary, big_library, titles
from benchmarks.brute_force import BruteForce
from benchmarks.figures import report
from indexer import environment
from qdrant.schema import Schema
from qdrant.store import open_store

SHOTS, QUICK_SHOTS = (10_000, 100_000), (10_000,)
CLIENTS, QUICK_CLIENTS = (1, 8), (1, 2)
NUM_QUESTIONS, QUICK_QUESTIONS = 100, 15
NUM_COMPARED = 30
"""Questions that are also answered by brute force."""
DEEP = 5000
NUM_LOCAL, MOST_LOCAL = 3, 10_000
CLIENTS_FOR_S, QUICK_CLIENTS_FOR_S = 20.0, 4.0
TARGETS = {
    10_000: {"p50_ms": 30, "p95_ms": 60},
    100_000: {"p50_ms": 30, "p95_ms": 60},
    1_000_000: {"p95_ms": 150, "own_memory_gb": 6},
}
RECALL, FILTERED, THROUGHPUT, WORSE = 0.98, 0.15, 1.7, 8.0

Figures = dict[str, dict[str, Any]]


def say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def measure(library: BigLibrary, args: argparse.Namespace) -> dict[str, float]:
    """Return everything measured in one library, by name."""
    index(library)
    number = QUICK_QUESTIONS if args.quick else NUM_QUESTIONS
    forget(library.folder / "store")
    owner = told(library, "owner", str(number))
    result = {name: value for name, value in owner.items() if not isinstance(value, list)}
    result |= compared(library, owner["found"], owner["near"])
    seconds = QUICK_CLIENTS_FOR_S if args.quick else CLIENTS_FOR_S
    result |= clients(library, args.clients, seconds)
    if args.local and library.num_shots <= MOST_LOCAL:
        result |= local(library)
    return result


def index(library: BigLibrary) -> None:
    """Build the search index where one is due."""
    with opened(library, "search_speed.py") as store:
        if store.index_is_due():
            say(f"building the search index of {library.num_shots} shots")
            started = time.perf_counter()
            store.build_index()
            say(f"built in {time.perf_counter() - started:.0f} s")


def opened(library: BigLibrary, command: str) -> Any:
    return open_store(library.folder / "store", library.schema, library_id=LIBRARY, command=command)


def forget(folder: Path) -> None:
    """Have the system drop what it keeps of these files in memory, where it can be asked to."""
    for path in folder.rglob("*"):
        if path.is_file() and hasattr(os, "posix_fadvise"):
            with path.open("rb") as file:
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def told(library: BigLibrary, role: str, *words: str) -> dict[str, Any]:
    """Run one asker to its end and return what it says."""
    command = [sys.executable, ASKERS, role, library.folder, str(library.num_shots), *words]
    said = subprocess.run([str(w) for w in command], check=True, stdout=subprocess.PIPE, text=True)
    answer: dict[str, Any] = json.loads(said.stdout.splitlines()[-1])
    return answer


def compared(
    library: BigLibrary, found: Sequence[Found], near: Sequence[Found]
) -> dict[str, float]:
    """Answer the same by brute force, and count how much of that the store has found."""
    force = BruteForce(library)
    gc.collect()
    gc.freeze()
    asked = list(questions(library, min(NUM_COMPARED, len(found))))
    took, right, deep, took_near, took_few, right_near, num_near = [], 0, 0, [], [], 0, 0
    for i, query in enumerate(asked):
        moments, ms = timed(lambda query=query: moments_of(query, force.hits(query)))
        took.append(ms)
        right += common(moments, found[i])
        deep += common(moments_of(query, force.hits(replace(query, candidates=DEEP))), found[i])
        tenth = nearest(query)
        allowed = force.allowed(tenth)
        vector = tenth.wanted[0].vectors["video"]
        (best, _), ms = timed(lambda v=vector, a=allowed: force.nearest("video", v, a, 10))
        took_near.append(ms)
        _, ms = timed(lambda v=vector, a=allowed: force.vectors["video"][a] @ v)
        took_few.append(ms)
        num_near += len(best)  # a small library may have fewer in a tenth of its years
        right_near += len({force.place(n) for n in best} & {tuple(m) for m in near[i]})
    return {
        "numpy_p50_ms": float(np.median(took)),
        "numpy_nearest_p50_ms": float(np.median(took_near)),
        "numpy_nearest_of_a_tenth_p50_ms": float(np.median(took_few)),
        "recall_at_10": right / (10 * len(asked)),
        "recall_at_10_nearest": right_near / num_near,
        "recall_of_deep": deep / (10 * len(asked)),
    }


def common(some: Found, others: Found) -> int:
    return len({tuple(place) for place in some} & {tuple(place) for place in others})


def clients(library: BigLibrary, numbers: Sequence[int], seconds: float) -> dict[str, float]:
    """Return throughput and p95 of so many reading processes at once, each asking without pause."""
    result = {}
    with opened(library, "trimbin ui"):
        pass  # nothing is left to be repaired
    with asker(library, "keep") as owner:
        assert owner.stdout is not None and owner.stdout.readline().strip() == "ready"
        for number in numbers:
            readers = [asker(library, "read", str(seed), str(seconds)) for seed in range(number)]
            for reader in readers:
                assert reader.stdout is not None and reader.stdout.readline().strip() == "ready"
            for reader in readers:
                assert reader.stdin is not None
                reader.stdin.close()
            took = [json.loads(r.stdout.read()) for r in readers if r.stdout]
            for reader in readers:
                reader.wait()
            everyone = [ms for each in took for ms in each]
            result[f"clients_{number}_per_s"] = len(everyone) / seconds
            result[f"clients_{number}_p95_ms"] = float(np.percentile(everyone, 95))
        assert owner.stdin is not None
        owner.stdin.close()
    return result


def asker(library: BigLibrary, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, ASKERS, words[0], library.folder, str(library.num_shots), *words[1:]]
    return subprocess.Popen(
        [str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def local(library: BigLibrary) -> dict[str, float]:
    """Ask qdrant-client's local mode the same, in memory, the spaces that are asked alone."""
    with tempfile.TemporaryDirectory() as folder:
        schema = Schema(VERSION, ASKED)
        with open_store(
            Path(folder), schema, library_id=LIBRARY, command="search_speed.py", url=":memory:"
        ) as store:
            for title in titles(library.num_shots, library.schema.dims):
                few = [
                    replace(r, vectors={s: v for s, v in r.vectors.items() if s in schema.dims})
                    for r in title
                ]
                store.publish(title[0].title_id, title[0].generation, few)
            took = [
                timed(lambda query=query: search(store, query))[1]
                for query in questions(library, NUM_LOCAL)
            ]
    return {"local_mode_p50_ms": float(np.median(took))}


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """Return what `work` returns, and its milliseconds."""
    started = time.perf_counter()
    result = work()
    return result, (time.perf_counter() - started) * 1000


def figures_of(shots: int, measured: dict[str, float], numbers: Sequence[int]) -> Figures:
    """Return the measured values beside their targets."""
    limits: dict[str, tuple[float, bool]] = {
        name: (limit, measured[name] <= limit) for name, limit in TARGETS.get(shots, {}).items()
    }
    for name in ("recall_at_10", "recall_at_10_nearest"):
        limits[name] = (RECALL, measured[name] >= RECALL)
    ratio = measured["nearest_p50_ms"] / measured["numpy_nearest_p50_ms"]
    measured["nearest_to_numpy"] = ratio
    limits["nearest_to_numpy"] = (FILTERED, ratio <= FILTERED)
    one, many = min(numbers), max(numbers)
    if many > one == 1:
        measured["throughput_ratio"] = (
            measured[f"clients_{many}_per_s"] / measured["clients_1_per_s"]
        )
        measured["p95_ratio"] = measured[f"clients_{many}_p95_ms"] / measured["clients_1_p95_ms"]
        limits["throughput_ratio"] = (THROUGHPUT, measured["throughput_ratio"] >= THROUGHPUT)
        limits["p95_ratio"] = (WORSE, measured["p95_ratio"] <= WORSE)
    return {
        f"{name}_{shots}": {
            "value": round(value, 3),
            "target": limits[name][0] if name in limits else None,
            "ok": limits[name][1] if name in limits else True,
        }
        for name, value in measured.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--shots", type=int, nargs="+")
    parser.add_argument("--clients", type=int, nargs="+")
    parser.add_argument("--cache", type=Path, default=environment.user_cache() / "search_speed")
    parser.add_argument("--local", action="store_true", help="ask local mode too: slow")
    args = parser.parse_args()
    args.clients = args.clients or (QUICK_CLIENTS if args.quick else CLIENTS)
    figures: Figures = {}
    for shots in args.shots or (QUICK_SHOTS if args.quick else SHOTS):
        library = big_library(args.cache, shots, say)
        measured = figures_of(shots, measure(library, args), args.clients)
        print(f"{shots:,} shots")
        for name, figure in measured.items():
            target = "" if figure["target"] is None else f"   (target {figure['target']})"
            print(f"  {name:45} {figure['value']:>10}{target}")
        figures |= measured
    report("search_speed", figures)


if __name__ == "__main__":
    main()
