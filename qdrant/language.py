"""The query language: what can be asked of the store, and what it answers.

`Query` is what the indexer's encoders make of an editor's words; `qdrant.compile` alone turns it
into `qdrant_client.models`, which every backend understands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from qdrant.record import Vector


@dataclass(frozen=True)
class Equals:
    """The payload field holds this value (or, for a list field, contains it)."""

    name: str
    value: str | int | bool


@dataclass(frozen=True)
class Between:
    """The payload field lies in `[low, high]`; None leaves that side open."""

    name: str
    low: float | None = None
    high: float | None = None


Condition = Equals | Between


@dataclass(frozen=True)
class Query:
    """Vectors to be near to, a line to be said, conditions to be met."""

    vectors: Mapping[str, Vector] = field(default_factory=dict)  # space -> (dim,) unit length
    line: str = ""  # words to look for in the dialogue; empty: don't
    conditions: tuple[Condition, ...] = ()
    candidates: int = 200  # how many shots each space may propose
    reach: int = 0  # shots on either side of the best lines that are scored with them


@dataclass(frozen=True)
class ShotHit:
    """A shot the store found, with its raw similarity in every space that was asked.

    `similarities` has a dense space's cosine (-1..1) or the line's BM25 score (>= 0). Every shot
    found through any space is scored in all of them; a space that the shot lacks is left out.
    """

    title_id: str
    shot: int
    similarities: Mapping[str, float]
    payload: Mapping[str, Any]
