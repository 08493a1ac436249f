"""Those who ask in `search_speed`: the owner of a library, and its readers. A program too.

asking.py owner FOLDER SHOTS QUESTIONS      asks, and says as JSON what it took and what it found
asking.py keep FOLDER SHOTS                 owns the library until its stdin closes
asking.py read FOLDER SHOTS SEED SECONDS    asks through the owner once its stdin closes
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np

from app.asking import LEAST_CANDIDATES, NEAR
from app.following import follow
from benchmarks.big_library import FIRST_YEAR, LIBRARY, BigLibrary
from indexer.profiles import load_profile
from qdrant.language import Between, Query, Question, ShotHit
from qdrant.moments import merge_neighbours
from qdrant.ranking import ScoredShot, score_shots, scoring
from qdrant.sequences import Gap
from qdrant.store import ShotStore, open_store

ASKERS = Path(__file__)
Found = list[Any]
"""[[title_id, shot], ...]: the ten best, best first."""
AWAY = 0.5
"""How far a question lies from the shot that it is made of, as a share of a vector's length."""
MOST_YEARS, A_TENTH = 20, 5  # of the library's 50
NUM_WORDS, TOP, WARM_UP = 3, 10, 20
CALIBRATIONS = {"words": load_profile("offline").ranking}


def questions(library: BigLibrary, number: int, *, seed: int = 0) -> Iterator[Query]:
    """Yield questions about shots that have everything: vectors near theirs, words of theirs."""
    rng = np.random.default_rng([seed, library.num_shots])
    for _ in range(number):
        question = _about(_with_everything(library, rng), library, rng)
        first = FIRST_YEAR + int(rng.integers(50 - MOST_YEARS))
        years = Between("year", first, first + MOST_YEARS - 1)
        yield Query((question,), (), (years,), LEAST_CANDIDATES, NEAR)


def sequences(library: BigLibrary, number: int) -> Iterator[list[Query]]:
    """Yield pairs of questions, the second about a shot two after that of the first."""
    rng = np.random.default_rng([2, library.num_shots])
    for _ in range(number):
        shot = min(_with_everything(library, rng), library.num_shots - 3)
        pair = (_about(shot, library, rng), _about(shot + 2, library, rng))
        yield [Query((question,), (), (), LEAST_CANDIDATES, NEAR) for question in pair]


def _with_everything(library: BigLibrary, rng: np.random.Generator) -> int:
    while True:
        shot = int(rng.integers(library.num_shots))
        if library.words[shot] and library.vectors["audio"][shot].any():
            return shot


def _about(shot: int, library: BigLibrary, rng: np.random.Generator) -> Question:
    vectors = {}
    for space, array in library.vectors.items():
        away = rng.normal(size=array.shape[1])
        vector = array[shot] + AWAY * away / np.linalg.norm(away)
        vectors[space] = (vector / np.linalg.norm(vector)).astype(np.float32)
    said = library.words[shot].split()
    line = " ".join(rng.choice(said, size=min(NUM_WORDS, len(said)), replace=False)) if said else ""
    return Question(vectors, line)


def nearest(query: Query) -> Query:
    """Return the question for the ten nearest pictures in a tenth of the library."""
    [years] = query.conditions
    assert isinstance(years, Between) and years.low is not None
    tenth = replace(years, high=years.low + A_TENTH - 1)
    vector = query.wanted[0].vectors["video"]
    return Query((Question({"video": vector}),), (), (tenth,), candidates=TOP)


def search(store: ShotStore, query: Query) -> Found:
    """Return the best shots of the ten best moments, as `app.search` finds them."""
    return moments_of(query, store.query(query, scoring=scoring(CALIBRATIONS, query)))


def search_in_steps(store: ShotStore, queries: Sequence[Query]) -> Found:
    """Return the last shots of the ten best sequences, as `app.search` finds them."""

    def answers(query: Query) -> list[ScoredShot]:
        hits = store.query(query, scoring=scoring(CALIBRATIONS, query))
        return score_shots(hits, CALIBRATIONS, query)

    moments = follow(queries, [Gap()] * (len(queries) - 1), answers)
    return [[moment.title_id, moment.steps[-1].shot] for moment in moments[:TOP]]


def moments_of(query: Query, hits: Sequence[ShotHit]) -> Found:
    """Return the best shots of the ten best moments among these hits."""
    scored = score_shots(hits, CALIBRATIONS, query)
    moments = merge_neighbours([shot for shot in scored if shot.score > 0])
    return [[moment.title_id, moment.best.shot] for moment in moments[:TOP]]


def own(store: ShotStore, library: BigLibrary, number: int) -> dict[str, Any]:
    """Ask everything as the owner."""
    asked = list(questions(library, number))
    first = took(lambda: search(store, asked[0]))
    for query in questions(library, WARM_UP, seed=1):
        search(store, query)
    gc.collect()
    gc.freeze()
    found: list[Found] = []
    near: list[Found] = []
    ms = [took(lambda q=q: found.append(search(store, q))) for q in asked]
    tenth = [nearest(query) for query in asked]
    near_ms = [took(lambda q=q: near.append(places(store.query(q)))) for q in tenth]
    then_ms = [took(lambda q=q: search_in_steps(store, q)) for q in sequences(library, number // 3)]
    return {
        "cold_first_ms": first,
        "p50_ms": float(np.median(ms)),
        "p95_ms": float(np.percentile(ms, 95)),
        "least_ms": min(ms),
        "nearest_p50_ms": float(np.median(near_ms)),
        "nearest_least_ms": min(near_ms),
        "a_then_b_p50_ms": float(np.median(then_ms)),
        "own_memory_gb": own_memory_gb(),
        "found": found,
        "near": near,
    }


def places(hits: Sequence[ShotHit]) -> Found:
    return [[hit.title_id, hit.shot] for hit in hits[:TOP]]


def took(work: Any) -> float:
    """Return the milliseconds that `work` takes."""
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def own_memory_gb() -> float:
    """Return this process's resident memory that is not a file's, in GB (Linux)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    [kilobytes] = [line.split()[1] for line in status.splitlines() if line.startswith("RssAnon")]
    return int(kilobytes) / 1e6


def main(role: str, folder: str, num_shots: str, *words: str) -> None:
    library = BigLibrary(Path(folder), int(num_shots))
    command = {"read": "trimbin search"}.get(role, "trimbin ui")
    started = time.perf_counter()
    with open_store(
        library.folder / "store", library.schema, library_id=LIBRARY, command=command
    ) as store:
        opened_s = time.perf_counter() - started
        if role == "owner":
            print(json.dumps({"cold_open_s": opened_s, **own(store, library, int(words[0]))}))
        elif role == "keep":
            print("ready", flush=True)
            sys.stdin.read()
        else:
            assert not store.owned
            asked = list(questions(library, 50, seed=10 + int(words[0])))
            for query in asked[:3]:
                search(store, query)
            gc.collect()
            gc.freeze()
            print("ready", flush=True)
            sys.stdin.read()
            ms, until = [], time.perf_counter() + float(words[1])
            while time.perf_counter() < until:
                query = asked[len(ms) % len(asked)]
                ms.append(took(lambda query=query: search(store, query)))
            print(json.dumps(ms))


if __name__ == "__main__":
    main(*sys.argv[1:])
