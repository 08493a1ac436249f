"""The query language: what can be asked of the store, and what it answers.

`Query` is what the indexer's encoders make of an editor's request; `qdrant.compile` alone turns it
into `qdrant_client.models`, which every backend understands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from qdrant.record import Vector

if TYPE_CHECKING:
    from qdrant.phrases import Phrase


@dataclass(frozen=True)
class Equals:
    """The payload field holds this value (or, for a list field, contains it)."""

    name: str
    value: str | int | bool


@dataclass(frozen=True)
class AnyOf:
    """The payload field holds one of these values; of none it holds nothing."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Between:
    """The payload field lies in `[low, high]`; None leaves that side open."""

    name: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Not:
    """The condition is not met; a shot that lacks the field does not meet it either."""

    condition: Equals | AnyOf | Between


Condition = Equals | AnyOf | Between | Not

Band = Literal["words", "likeness"]
"""How similarities count: those of words to shots lie in other bands than those of shots."""


@dataclass(frozen=True)
class Question:
    """One thing a shot may answer: vectors to be near to, a line to be said."""

    vectors: Mapping[str, Vector] = field(default_factory=dict)  # space -> (dim,) unit length
    line: str = ""  # words to look for in what is said, told and written; empty: don't
    phrase: Phrase | None = None  # the line as it must be said; `line` proposes who may say it
    languages: tuple[str | None, ...] = ("en",)  # in which the line's words may be
    band: Band = "words"


@dataclass(frozen=True)
class Query:
    """Questions that a shot must all answer, others that it had better not, conditions to meet."""

    wanted: tuple[Question, ...] = ()
    unwanted: tuple[Question, ...] = ()
    conditions: tuple[Condition, ...] = ()
    candidates: int = 200  # how many shots each space of each wanted question may propose
    reach: int = 0  # shots on either side of the best lines that are scored with them
    also: frozenset[tuple[str, int]] = frozenset()  # (title_id, shot) to be scored whatever is near

    @property
    def questions(self) -> tuple[Question, ...]:
        """All that is asked of a shot: the wanted ones, then the unwanted."""
        return self.wanted + self.unwanted


Answers = tuple[Mapping[str, float], ...]
"""What a shot answers to each of a query's questions: space -> raw similarity"""

Floats = NDArray[np.float64]

Similarities = Sequence[Mapping[str, Floats]]
"""What shots answer to each question: space -> (num_shots,) similarity, NaN where it is absent"""

Near = NDArray[np.intp]
"""(num_pairs, 2) which shots lie within a query's reach: who listens, who says; nearest first"""

Scoring = Callable[[Similarities, Near], Floats]
"""Scores shots by their similarities alone: (num_shots,), the higher the better"""


@dataclass(frozen=True)
class ShotHit:
    """A shot the store found, with its raw similarity in every space that was asked.

    `answers` has, for each of the query's questions, a dense space's cosine (-1..1) or the line's
    BM25 score (>= 0). Every shot found through any space is scored in all of them; a space that
    the shot lacks is left out.
    """

    title_id: str
    shot: int
    answers: Answers
    payload: Mapping[str, Any]
