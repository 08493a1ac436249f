"""What somebody asks for: the terms of a question, and the line of text that `parsing` reads.

    rain & "we have to go" -night >>10s like:"Big Buck Bunny"@1:10-1:20 position:..0.8

Words are searched by meaning, `"..."` is a line that is said, `a & b` at the same time, `a >> b`
one after the other. `-` before a word, `(several words)`, a line or a field keeps away from it. The
full list is in docs/search.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

FIELD = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*):(?=\S)")
PLAIN = re.compile(r"[^\s,\"\\]+")
SOUNDS = ("silence", "speech", "music")


@dataclass(frozen=True)
class Words:
    """Words to be searched by meaning."""

    text: str


@dataclass(frozen=True)
class Line:
    """A line that is said, told or written."""

    text: str


@dataclass(frozen=True)
class Place:
    """A span of a title in the library; times as they were written, none: all of it."""

    title: str
    start: str | None = None
    end: str | None = None  # None beside a start: the shot at that time


@dataclass(frozen=True)
class Like:
    """Moments like this one."""

    place: Place


@dataclass(frozen=True)
class Clip:
    """Moments like this file, or a span of it."""

    path: str
    start: str | None = None
    end: str | None = None


@dataclass(frozen=True)
class Image:
    """Moments that look like this picture."""

    path: str


@dataclass(frozen=True)
class Sound:
    """What is heard: one of `SOUNDS`, or words for it."""

    what: str
    is_measured: bool  # whether `what` is one of the measured sounds


@dataclass(frozen=True)
class Field:
    """What a field of the shot or its title holds: one of these values, or a number in a range."""

    name: str
    values: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Term:
    """One thing that is asked for, or that is to be kept away from."""

    what: Words | Line | Like | Clip | Image | Sound | Field
    is_unwanted: bool = False


@dataclass(frozen=True)
class Gap:
    """How soon the next step must follow."""

    most: float
    unit: Literal["s", "shots"]


@dataclass(frozen=True)
class Step:
    """What is asked for at one time: parts that must all fit, each of terms."""

    parts: tuple[tuple[Term, ...], ...]
    gap: Gap | None = None  # from the step before; None: as for any two steps

    @property
    def terms(self) -> tuple[Term, ...]:
        """The terms of all parts."""
        return tuple(term for part in self.parts for term in part)


@dataclass(frozen=True)
class Request:
    """An immutable question: steps that follow one another, and how the answer is to be."""

    steps: tuple[Step, ...]
    top: int = 10
    per_title: int | None = None  # at most so many moments of a title
    variety: float = 0.0  # 0: the best; towards 1: as different as can be
    all_modalities: bool = False  # seen, heard and said must all fit, where one is enough else
    floor: float | None = None  # the confidence below which a moment is weak; None: the profile's

    def __str__(self) -> str:
        """Return the request as it can be parsed again."""
        return "".join(_told_step(step, is_first=not i) for i, step in enumerate(self.steps))

    def where(self, *fields: Field) -> Request:
        """Return the request with these to hold at every step."""
        terms = tuple(Term(field) for field in fields)
        steps = tuple(replace(s, parts=(s.parts[0] + terms, *s.parts[1:])) for s in self.steps)
        return replace(self, steps=steps)


def _told_step(step: Step, *, is_first: bool) -> str:
    parts = " & ".join(" ".join(map(_told, part)) for part in step.parts)
    if is_first:
        return parts
    gap = f"{_plain(step.gap.most)}{step.gap.unit}" if step.gap else ""
    return f" >>{gap} {parts}"


def _told(term: Term) -> str:
    match term.what:
        case Words(text) if term.is_unwanted:
            return f"-({text})" if _needs_brackets(text) else f"-{text}"
        case Words(text):
            return text
        case Line(text):
            told = _quoted(text)
        case Like(place):
            name = "unlike" if term.is_unwanted else "like"
            return f"{name}:{_quoted(place.title)}{_told_span(place.start, place.end)}"
        case Clip(path, start, end):
            told = f"clip:{_quoted(path)}{_told_span(start, end)}"
        case Image(path):
            told = f"image:{_quoted(path)}"
        case Sound(what, is_measured):
            told = f"sound:{what if is_measured else _quoted(what)}"
        case Field(name, values, None, None):
            told = f"{name}:{_told_values(values)}"
        case Field(name, _, low, high):
            told = f"{name}:{_plain(low)}..{_plain(high)}"
    return f"-{told}" if term.is_unwanted else told


def _needs_brackets(text: str) -> bool:
    is_plain = any(map(str.isalnum, text)) and text[0] not in '"(' and not FIELD.match(text)
    return " " in text or not is_plain


def _told_values(values: tuple[str, ...]) -> str:
    if len(values) == 1:
        return _quoted(values[0])
    return ",".join(value if PLAIN.fullmatch(value) else _quoted(value) for value in values)


def _told_span(start: str | None, end: str | None) -> str:
    return "" if start is None else f"@{start}" + (f"-{end}" if end else "")


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _plain(number: float | None) -> str:
    if number is None:
        return ""
    return repr(int(number)) if number == int(number) else repr(number)
