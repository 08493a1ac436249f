"""A library's store of any size, for measuring searches: titles as long and as alike as films are.

SIMULATION. A shot is like others of its set-up, these like their scene, scenes like their title,
titles like their genre; what differs has few directions, as in real embeddings. A hundred feature
films that were cut by hand give the figures for lengths. Built once, and kept in a folder.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qdrant.record import ShotRecord
from qdrant.schema import Schema
from qdrant.store import open_store

SEED = 20_261_126
LIBRARY, VERSION, LANGUAGE = "benchmark", "offline-benchmark", "en"
ASKED = {"video": 384, "audio": 288, "text": 384}
"""The spaces that questions are put to, as the offline profile has them."""
DIMS = {**ASKED, "context": 2112, "told": 192}
MAX_SHOTS_WITH_ALL = 20_000
"""Beyond this the context vectors, three quarters of all numbers, are left out."""

MEAN_SHOTS, SPREAD_SHOTS, LEAST_SHOTS, MOST_SHOTS = 1276, 668, 107, 3465
"""Of a feature film. Fifty of a hundred have between 739 and 1645."""
LOG_LENGTH, LOG_SPREAD = 1.446, 1.062
"""Of a shot's length in seconds: a log-normal with its median at 4.2 s."""
SCENE_SHOTS = 12  # on average
SETUPS = 3  # a scene's camera positions
SPOKEN, SOUNDLESS = 0.5, 0.03  # shares of shots: with a line; without sound
WORDS_PER_S, MOST_WORDS, VOCABULARY, SCENE_WORDS = 2.3, 40, 20_000, 25
GENRES, FIRST_YEAR, NUM_YEARS = 24, 1970, 50
LATENT = 96  # directions in which shots differ
SPREADS = {"genre": 0.55, "title": 0.6, "scene": 0.6, "setup": 0.4, "shot": 0.25}
NOISE = 0.15  # of a vector's length: what no direction explains

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class BigLibrary:
    """A store on disk, and what a brute-force search needs to know of it."""

    folder: Path
    num_shots: int

    @property
    def schema(self) -> Schema:
        """Return the collection, as the offline profile would make it."""
        dims = DIMS if self.num_shots <= MAX_SHOTS_WITH_ALL else ASKED
        return Schema(VERSION, dims)

    @cached_property
    def vectors(self) -> dict[str, Floats]:
        """Return each asked space's vectors, (num_shots, dim); zeros where a shot has none."""
        return {space: np.load(self.folder / f"{space}.npy", mmap_mode="r") for space in ASKED}

    @cached_property
    def words(self) -> list[str]:
        """Return what is said in every shot; "" where nothing is."""
        return (self.folder / "words.txt").read_text(encoding="utf-8").split("\n")

    @cached_property
    def payloads(self) -> list[dict[str, Any]]:
        """Return every shot's payload, in the order of the vectors."""
        with (self.folder / "payloads.jsonl").open(encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]


def big_library(folder: Path, num_shots: int, say: Callable[[str], None]) -> BigLibrary:
    """Return the library of that size in `folder`, built first where it is not there."""
    library = BigLibrary(folder / f"shots-{num_shots}", num_shots)
    if not library.folder.is_dir():
        unfinished = folder / f"unfinished-{num_shots}"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        _build(BigLibrary(unfinished, num_shots), say)
        unfinished.rename(library.folder)
    return library


def _build(library: BigLibrary, say: Callable[[str], None]) -> None:
    saved = {
        space: np.lib.format.open_memmap(
            library.folder / f"{space}.npy", "w+", np.float32, (library.num_shots, dim)
        )
        for space, dim in ASKED.items()
    }
    started, done = time.perf_counter(), 0
    with (
        open_store(
            library.folder / "store", library.schema, library_id=LIBRARY, command="search_speed.py"
        ) as store,
        (library.folder / "payloads.jsonl").open("w", encoding="utf-8") as payloads,
        (library.folder / "words.txt").open("w", encoding="utf-8") as words,
    ):
        for title in titles(library.num_shots, library.schema.dims):
            store.publish(title[0].title_id, title[0].generation, title)
            for record in title:
                for space in ASKED.keys() & record.vectors.keys():
                    saved[space][done] = record.vectors[space]
                payload = {**record.payload, "title_id": record.title_id, "shot": record.shot}
                payloads.write(json.dumps(payload) + "\n")
                words.write(record.words + "\n")
                done += 1
            say(f"{done} of {library.num_shots} shots, {time.perf_counter() - started:.0f} s")
    for array in saved.values():
        array.flush()


def titles(num_shots: int, dims: dict[str, int] | Any) -> Iterator[list[ShotRecord]]:
    """Yield titles until there are so many shots; the same every time."""
    rng = np.random.default_rng(SEED)
    world = _World(rng, dims)
    left, number = num_shots, 0
    while left:
        length = rng.normal(MEAN_SHOTS, SPREAD_SHOTS)
        title = world.title(number, min(left, int(np.clip(length, LEAST_SHOTS, MOST_SHOTS))))
        left, number = left - len(title), number + 1
        yield title


class _World:
    def __init__(self, rng: np.random.Generator, dims: dict[str, int]) -> None:
        self._rng = rng
        fading = np.arange(1, LATENT + 1, dtype=np.float32)[:, None] ** -0.5
        self._bases = {
            space: fading * rng.normal(size=(LATENT, dim)).astype(np.float32)
            for space, dim in dims.items()
        }
        self._genres = {space: self._step(GENRES, SPREADS["genre"]) for space in dims}
        syllables = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "an", "ol")]
        picks = rng.integers(0, len(syllables), size=(VOCABULARY, 3))
        self._words = np.array(["".join(syllables[i] for i in row) for row in picks])
        weights = 1 / np.arange(3, VOCABULARY + 3)
        self._common = weights / weights.sum()

    def title(self, number: int, num_shots: int) -> list[ShotRecord]:
        rng = self._rng
        genre, title_id = int(rng.integers(GENRES)), f"title-{number:06}"
        cuts = np.flatnonzero(rng.random(num_shots) < 1 / SCENE_SHOTS)
        scene_of = np.searchsorted(cuts, np.arange(num_shots), side="right")
        setup_of = scene_of * SETUPS + rng.integers(SETUPS, size=num_shots)
        vectors = {space: self._vectors(space, genre, scene_of, setup_of) for space in self._bases}
        lengths = np.exp(rng.normal(LOG_LENGTH, LOG_SPREAD, size=num_shots)).clip(0.24, 120)
        starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
        speaks, sounds = rng.random(num_shots) < SPOKEN, rng.random(num_shots) >= SOUNDLESS
        scenes_words = rng.choice(self._words, size=(scene_of[-1] + 1, SCENE_WORDS))
        shared = {
            "title": f"Feature {number}",
            "kind": "film",
            "language": LANGUAGE,
            "rate": "24/1",
            "model_version": VERSION,
            "context_model": "0123456789abcdef",
            "year": FIRST_YEAR + int(rng.integers(NUM_YEARS)),
            "genres": [f"genre {genre}"],
            "tags": [f"tag {tag}" for tag in rng.integers(50, size=2)],
            "synopsis": " ".join(rng.choice(self._words, size=30)),
        }
        records = []
        for shot in range(num_shots):
            line = self._line(lengths[shot], scenes_words[scene_of[shot]]) if speaks[shot] else ""
            absent = {*([] if line else ["text"]), *([] if sounds[shot] else ["audio"])}
            records.append(
                ShotRecord(
                    title_id=title_id,
                    generation="0123456789abcdef",
                    shot=shot,
                    vectors={s: v[shot] for s, v in vectors.items() if s not in absent},
                    words=line,
                    payload={
                        **shared,
                        **self._payload(shot, starts[shot], lengths[shot], line),
                        "position": round(float((starts[shot] + lengths[shot] / 2)
                                                / lengths.sum()), 6),
                    },
                )
            )  # fmt: skip
        return records

    def _vectors(
        self, space: str, genre: int, scene_of: NDArray[Any], setup_of: NDArray[Any]
    ) -> Floats:
        scenes = self._step(int(scene_of[-1]) + 1, SPREADS["scene"])
        setups = self._step((int(scene_of[-1]) + 1) * SETUPS, SPREADS["setup"])
        latent = (
            self._genres[space][genre]
            + self._step(1, SPREADS["title"])
            + scenes[scene_of]
            + setups[setup_of]
            + self._step(len(scene_of), SPREADS["shot"])
        )
        found = _unit(latent @ self._bases[space])
        noise = self._rng.normal(size=found.shape).astype(np.float32)
        return _unit(found + NOISE * _unit(noise))

    def _step(self, count: int, spread: float) -> Floats:
        return (spread * self._rng.normal(size=(count, LATENT))).astype(np.float32)

    def _line(self, length_s: float, scene_words: NDArray[Any]) -> str:
        count = int(np.clip(length_s * WORDS_PER_S, 2, MOST_WORDS))
        common = self._rng.choice(self._words, size=count, p=self._common)
        own = self._rng.random(count) < 0.2
        return " ".join(np.where(own, self._rng.choice(scene_words, size=count), common))

    def _payload(self, shot: int, start_s: float, length_s: float, line: str) -> dict[str, Any]:
        rng = self._rng
        end_s = start_s + length_s
        share = {name: round(float(rng.random()), 6) for name in MEASURED}
        return {
            "shot": shot,
            "start_frame": round(start_s * 24),
            "end_frame": round(end_s * 24),
            "start_s": round(float(start_s), 6),
            "end_s": round(float(end_s), 6),
            "length_s": round(float(length_s), 6),
            "transition": "cut" if rng.random() < 0.95 else "dissolve",
            "cut_confidence": 0.98,
            **share,
            "colour": "#7f7f7f",
            "fingerprint": f"{rng.integers(2**63):016x}",
            "loudness": round(float(rng.normal(-27, 8)), 6),
            "silent": False,
            "speech": round(float(rng.uniform(0.2, 1) if line else rng.uniform(0, 0.1)), 6),
            **({"dialogue": line, "dialogue_at_s": [round(float(start_s), 3)]} if line else {}),
        }


MEASURED = ("brightness", "motion", "sharpness", "saturation", "music")


def _unit(vectors: Floats) -> Floats:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / lengths).astype(np.float32)
