"""Questions to a film, put to search as a user puts them, and how the answers rank."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from app.moment import Moment
from app.parsing import parse
from app.search import search
from benchmarks.film_queries import TOP, Entry, Found, Kind, Span, is_right
from indexer.catalogue import Catalogue
from indexer.encoders.load import EncoderSet
from indexer.manifest import Manifest


@dataclass(frozen=True)
class Film:
    """The film as it was indexed."""

    manifest: Manifest
    shots: list[Span]


@dataclass(frozen=True)
class Asked:
    """A question with its answers."""

    entry: Entry
    query: str
    first: int | None  # rank of the first right moment, from 1
    first_confident: int | None  # the same among those above the floor
    confident: int  # how many are
    ms: float
    right: int  # how many of the candidates of a random draw are
    candidates: int


def plain_query(entry: Entry, film: Film) -> str:
    return entry.asked[0]


def then_query(entry: Entry, film: Film) -> str:
    return " >> ".join(entry.asked)


def without_query(entry: Entry, film: Film) -> str:
    wanted, unwanted = entry.asked
    return f"{wanted} -({unwanted})"


def like_query(entry: Entry, film: Film) -> str:
    assert entry.range_s is not None
    start, end = entry.range_s
    return f'like:"{film.manifest.title}"@{start:g}-{end:g}'


QUERIES: dict[Kind, Callable[[Entry, Film], str]] = {
    "plain": plain_query,
    "absent": plain_query,
    "then": then_query,
    "without": without_query,
    "like": like_query,
}


def ask(entry: Entry, film: Film, catalogue: Catalogue, encoders: EncoderSet) -> Asked:
    """Return a question's answers. Raises `UsageError` where search has no such question."""
    query = QUERIES[entry.kind](entry, film)
    started = time.perf_counter()
    answer = search(catalogue, encoders, parse(query, top=TOP))
    ms = (time.perf_counter() - started) * 1000
    right = [is_right(found_of(m, film), entry.spans) for m in (*answer.hits, *answer.weak)]
    first = right.index(True) + 1 if True in right else None
    confident = len(answer.hits)
    drawn = candidates_of(entry, film)
    return Asked(
        entry=entry,
        query=query,
        first=first,
        first_confident=first if first and first <= confident else None,
        confident=confident,
        ms=ms,
        right=sum(is_right(one, entry.spans) for one in drawn),
        candidates=len(drawn),
    )


def found_of(moment: Moment, film: Film) -> Found:
    """Return a moment by its seconds; each step's middle, where it has steps."""
    rate = float(film.manifest.frame_rate)
    steps = tuple((start + end) / 2 / rate for start, end in moment.steps)
    best = middle(film.shots[moment.best_shot])
    return Found((moment.start_s, moment.end_s), steps or (best,), is_sequence=bool(steps))


def candidates_of(entry: Entry, film: Film) -> list[Found]:
    """Return what could be drawn at random: shots, neighbours for sequences, not what is shown."""
    if entry.kind == "then":
        return [Found((a[0], b[1]), (middle(a), middle(b)), True) for a, b in pairwise(film.shots)]
    start, end = entry.range_s or (0.0, 0.0)
    return [Found(s, (middle(s),)) for s in film.shots if not (s[0] < end and s[1] > start)]


def middle(span: Span) -> float:
    return sum(span) / 2
