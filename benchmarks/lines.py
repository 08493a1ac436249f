"""Lines as somebody remembers them: is the cue found first, with a typo in it?

Every subtitle file of a folder is published as a title, a shot a cue, into a store in memory and
an embedded one. Each cue of one film is asked for by its own words, as they are and with one letter
wrong (left out, put in, put for another, changed about with its neighbour) in a word of four
letters or more. Found is what comes first of all cues of all files. Cues of four words or more that
are said once are what the target is set for; shorter ones, and those said more than once (where any
of the same words is right), are told apart.

Usage: lines.py [--quick] [--subtitles FOLDER] [--film STEM]; by default subs/ in TRIMBIN_MEDIA
"""

from __future__ import annotations

import argparse
import os
import random
import re
import string
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.figures import report
from indexer.query import encode_line
from indexer.words.languages import is_language, language_of
from indexer.words.subtitles import SUBTITLE_SUFFIXES, read_subtitles
from qdrant.language import Query
from qdrant.ranking import ScoredShot, score_shots
from qdrant.record import ShotRecord
from qdrant.schema import Schema
from qdrant.spelling import Vocabulary
from qdrant.store import ShotStore, open_store
from qdrant.wording import words_said

FILM = "tears_of_steel_full.en"
WORDS_OF_A_LINE = 4
LONG_WORD = re.compile(r"[^\W\d_]{4,}")
KINDS = ("unique", "shorter", "repeated")
Figures = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Spoken:
    """A cue, as it is published."""

    title_id: str  # its file's name
    shot: int
    text: str
    language: str | None

    @property
    def words(self) -> tuple[str, ...]:
        """Its words, by which it is the same as another."""
        return tuple(words_said(self.text))


def spoken_in(folder: Path) -> list[Spoken]:
    """Return the cues with words of every subtitle file of a folder, numbered in each file."""
    files = sorted(p for p in folder.iterdir() if p.suffix.lower() in SUBTITLE_SUFFIXES)
    spoken = []
    for path in files:
        tags = path.stem.lower().split(".")[1:]
        language = next((language_of(tag) for tag in tags if is_language(tag)), None)
        texts = [cue.text for cue in read_subtitles(path, language=language) if cue.text]
        spoken += [Spoken(path.stem, n, text, language) for n, text in enumerate(texts)]
    return spoken


def publish(spoken: Sequence[Spoken], store: ShotStore) -> None:
    for title_id in dict.fromkeys(cue.title_id for cue in spoken):
        records = [
            ShotRecord(
                title_id,
                "g",
                cue.shot,
                {},
                cue.text,
                {"dialogue": cue.text, **({"language": cue.language} if cue.language else {})},
            )
            for cue in spoken
            if cue.title_id == title_id
        ]
        store.publish(title_id, "g", records)


def search(
    line: str, store: ShotStore, vocabulary: Vocabulary, languages: tuple[str | None, ...]
) -> list[ScoredShot]:
    """Return what is found for a remembered line, best first, as a search finds it."""
    query = Query((encode_line(line, vocabulary=vocabulary, languages=languages),))
    return score_shots(store.query(query), {}, query)


def misspelt(text: str, rng: random.Random) -> str | None:
    """Return the text with one letter wrong in a long word; None where it has no such word."""
    words = list(LONG_WORD.finditer(text))
    if not words:
        return None
    chosen = rng.choice(words)
    while True:
        word = list(chosen[0])
        place = rng.randrange(len(word) - 1)
        match rng.choice(["delete", "insert", "substitute", "transpose"]):
            case "delete":
                del word[place]
            case "insert":
                word.insert(place, rng.choice(string.ascii_lowercase))
            case "substitute":
                word[place] = rng.choice(string.ascii_lowercase)
            case _:
                word[place : place + 2] = reversed(word[place : place + 2])
        wrong = "".join(word)
        if wrong.casefold() != chosen[0].casefold():
            return text[: chosen.start()] + wrong + text[chosen.end() :]


def kind_of(cue: Spoken, times_said: Counter[tuple[str, ...]]) -> str:
    if times_said[cue.words] > 1:
        return "repeated"
    return "unique" if len(cue.words) >= WORDS_OF_A_LINE else "shorter"


def questions(asked: Sequence[Spoken], seeds: Sequence[int]) -> Iterator[tuple[Spoken, str, bool]]:
    """Yield each cue with how it is asked for, and whether there is a typo in that."""
    for cue in asked:
        yield cue, cue.text, False
        for seed in seeds:
            wrong = misspelt(cue.text, random.Random(f"{seed} {cue.title_id} {cue.shot}"))
            if wrong is not None:
                yield cue, wrong, True


def measure(
    name: str, store: ShotStore, spoken: Sequence[Spoken], asked: Sequence[Spoken], seeds: list[int]
) -> Figures:
    """Ask for every cue and print what was found, by kind, and what was not."""
    publish(spoken, store)
    vocabulary = Vocabulary(cue.text for cue in spoken)
    languages = tuple(sorted({cue.language for cue in spoken}, key=str))
    times_said = Counter(cue.words for cue in spoken)
    right: dict[tuple[str, bool], list[bool]] = {}
    took_ms = []
    for cue, line, is_typo in questions(asked, seeds):
        started = time.perf_counter()
        found = search(line, store, vocabulary, languages)
        took_ms.append((time.perf_counter() - started) * 1000)
        first = found[0].hit.payload["dialogue"] if found else ""
        is_right = tuple(words_said(first)) == cue.words
        kind = kind_of(cue, times_said)
        right.setdefault((kind, is_typo), []).append(is_right)
        if not is_right:
            print(f"  {kind}: {line!r}\n    found {first!r}")
    figures: Figures = {}
    for (kind, is_typo), found_first in sorted(right.items()):
        share, slip = sum(found_first) / len(found_first), "one_typo" if is_typo else "as_said"
        print(f"{name:8} {kind:9} {slip:9} {sum(found_first)} of {len(found_first)}")
        target = 1.0 if kind == "unique" else None
        figures[f"{name}_{kind}_{slip}"] = figure(share, target=target)
        figures[f"{name}_{kind}_{slip}_questions"] = figure(len(found_first))
    figures[f"{name}_median_ms"] = figure(float(np.median(took_ms)))
    figures[f"{name}_p95_ms"] = figure(float(np.percentile(took_ms, 95)))
    return figures


def figure(value: float, *, target: float | None = None) -> dict[str, Any]:
    return {"value": round(value, 4), "target": target, "ok": target is None or value >= target}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="in memory alone, one typo a cue")
    media = os.environ.get("TRIMBIN_MEDIA")
    parser.add_argument("--subtitles", type=Path, default=Path(media) / "subs" if media else None)
    parser.add_argument("--film", default=FILM, help="whose cues are asked for: a file's stem")
    given = parser.parse_args()
    spoken = spoken_in(given.subtitles) if given.subtitles and given.subtitles.is_dir() else []
    asked = [cue for cue in spoken if cue.title_id == given.film]
    if not asked:
        print(f"{given.film} is not in --subtitles: NOTHING IS MEASURED.", file=sys.stderr)
        report("lines", {})
        return
    titles = len({cue.title_id for cue in spoken})
    print(f"{len(spoken)} cues of {titles} files; asked for: {len(asked)} of {given.film}")
    seeds = [0] if given.quick else list(range(10))
    figures: Figures = {}
    with tempfile.TemporaryDirectory(prefix="trimbin-bench-") as folder:
        for name, url in (("memory", ":memory:"), ("edge", None))[: 1 if given.quick else 2]:
            schema = Schema("lines", {})
            with open_store(
                Path(folder), schema, library_id="lines", command="benchmarks/lines.py", url=url
            ) as store:
                figures |= measure(name, store, spoken, asked, seeds)
    report("lines", figures)


if __name__ == "__main__":
    main()
