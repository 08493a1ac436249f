"""Questions to a film with their true seconds, and what a list of answers to them is worth."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from math import comb
from pathlib import Path
from typing import Any, Literal, get_args

FILE = Path(__file__).with_suffix(".toml")
Kind = Literal["plain", "absent", "then", "without", "like"]
KINDS: tuple[Kind, ...] = get_args(Kind)
DEPTHS = (1, 5, 10)
TOP = max(DEPTHS)

Span = tuple[float, float]


@dataclass(frozen=True)
class Entry:
    """One question, and the seconds `[start, end)` of the film that answer it."""

    kind: Kind
    asked: tuple[str, ...]  # words; steps; words and what is unwanted; nothing for a range
    range_s: Span | None  # what `like` asks with
    spans: tuple[Span, ...]
    about: str  # what plain words ask for; for other kinds the kind
    kept_back: bool


@dataclass(frozen=True)
class Found:
    """A moment as an answer, or a shot drawn at random in its place."""

    span: Span
    middles: tuple[float, ...]  # of its best shot, or of each step's shot
    is_sequence: bool = False


def read_entries(path: Path = FILE) -> list[Entry]:
    """Return the questions of a file, kind by kind, in its order."""
    told = tomllib.loads(path.read_text(encoding="utf-8"))
    return [_entry(kind, row) for kind in KINDS for row in told[kind]]


def _entry(kind: Kind, row: dict[str, Any]) -> Entry:
    steps = row.get("steps") or [row[key] for key in ("words", "unwanted") if key in row]
    return Entry(
        kind=kind,
        asked=tuple(steps),
        range_s=tuple(row["range"]) if "range" in row else None,
        spans=tuple((float(start), float(end)) for start, end in row.get("spans", ())),
        about=row.get("about", kind),
        kept_back=row["kept_back"],
    )


def is_right(found: Found, spans: Sequence[Span]) -> bool:
    """Whether a moment answers: its best shot's middle, or half of it, lies in a true span.

    A sequence answers where the middles of all its steps lie in one and the same span.
    """
    if any(all(s <= middle < e for middle in found.middles) for s, e in spans):
        return True
    if found.is_sequence:
        return False
    start, end = found.span
    inside = (max(0.0, min(end, e) - max(start, s)) for s, e in spans)
    return max(inside, default=0.0) >= (end - start) / 2


def recall(firsts: Sequence[int | None], depth: int) -> float:
    """Return the share of questions whose first right answer, from 1, is not below `depth`."""
    return sum(first is not None and first <= depth for first in firsts) / len(firsts)


def mean_reciprocal_rank(firsts: Sequence[int | None]) -> float:
    return sum(1 / first for first in firsts if first) / len(firsts)


def chance_recall(right: int, of: int, depth: int) -> float:
    """Return how likely `depth` candidates of `of`, drawn at random, hold one of the right ones."""
    return 1 - comb(of - right, depth) / comb(of, depth)


def chance_reciprocal_rank(right: int, of: int) -> float:
    """Return the mean of 1 / rank of the first right one among `TOP` in random order."""
    reached = [chance_recall(right, of, depth) for depth in range(TOP + 1)]
    return sum((reached[rank] - reached[rank - 1]) / rank for rank in range(1, TOP + 1))
