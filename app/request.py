"""What somebody asks for, as one line of text and as what it means: `parse` and `str` are inverse.

    rain & "we have to go" -night >>10s like:"Big Buck Bunny"@1:10-1:20 position:..0.8

Words are searched by meaning, `"..."` is a line that is said, `a & b` at the same time, `a >> b`
one after the other. `-` before a word, `(several words)`, a line or a field keeps away from it. The
full list is in docs/search.md.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from qdrant.errors import UsageError

MAX_CHARACTERS = 20_000
"""More than anybody types; a text that is pasted by mistake is not searched for."""
MAX_TERMS = 200
MAX_STEPS = 8

FIELD = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*):(?=\S)")
THEN = re.compile(r">>(?:(?P<number>\d+(?:\.\d+)?)(?P<unit>s|shots?))?")
QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)(?:"|\\?\Z)', re.DOTALL)
BARE = re.compile(r"\S+")
SOUNDS = ("silence", "speech", "music")
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")


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


def parse(text: str, **how: object) -> Request:
    """Return the request that a line of text makes; `how` are the fields of `Request`.

    Raises `UsageError` for what cannot be understood: nothing at all, a step or a part without
    terms, a range that is none, a place without a title.
    """
    if len(text) > MAX_CHARACTERS:
        raise UsageError(
            f"A question of {len(text)} characters is too long; {MAX_CHARACTERS} are the most."
        )
    steps: list[Step] = []
    draft = _Draft()
    for token in _tokens(text):
        if isinstance(token, Term):
            draft.add(token)
        elif isinstance(token, _While):
            draft.next_part()
        else:
            steps.append(draft.step())
            draft = _Draft(gap=token.gap)
    steps.append(draft.step(is_only=not steps))
    if len(steps) > MAX_STEPS:
        raise UsageError(f"A question has at most {MAX_STEPS} steps, and this one {len(steps)}.")
    if sum(len(step.terms) for step in steps) > MAX_TERMS:
        raise UsageError(f"A question has at most {MAX_TERMS} terms; ask for less at once.")
    return Request(tuple(steps), **how)  # type: ignore[arg-type]


@dataclass(frozen=True)
class _Then:
    gap: Gap | None


@dataclass(frozen=True)
class _While:
    pass


@dataclass
class _Draft:
    """A step that is being read."""

    gap: Gap | None = None
    parts: list[list[Term]] = field(default_factory=lambda: [[]])

    def add(self, term: Term) -> None:
        """Add a term; words that follow words are one text."""
        part = self.parts[-1]
        last = part[-1] if part else None
        if _are_words(last) and _are_words(term):
            part[-1] = Term(Words(f"{last.what.text} {term.what.text}"))  # type: ignore[union-attr]
        else:
            part.append(term)

    def next_part(self) -> None:
        self._require("before `&`")
        self.parts.append([])

    def step(self, *, is_only: bool = False) -> Step:
        where = "after `&`" if len(self.parts) > 1 else "on either side of `>>`"
        if is_only and self.parts == [[]]:
            raise UsageError(
                "There is nothing to look for; say in a few words what is seen or said."
            )
        self._require(where)
        return Step(tuple(map(tuple, self.parts)), self.gap)

    def _require(self, where: str) -> None:
        if not self.parts[-1]:
            raise UsageError(f"Something is missing {where}; put words there, or quote the sign.")


def _are_words(term: Term | None) -> bool:
    return term is not None and isinstance(term.what, Words) and not term.is_unwanted


def _tokens(text: str) -> Iterator[Term | _Then | _While]:
    """Yield terms and the signs between them, from left to right."""
    at = 0
    while True:
        while at < len(text) and text[at].isspace():
            at += 1
        if at == len(text):
            return
        bare = BARE.match(text, at)
        assert bare is not None
        if bare[0] == "&":
            yield _While()
            at = bare.end()
        elif then := THEN.fullmatch(bare[0]):
            yield _Then(_gap(then))
            at = bare.end()
        else:
            term, at = _term(text, at)
            if term is not None:
                yield term


def _gap(then: re.Match[str]) -> Gap | None:
    if then["number"] is None:
        return None
    most = float(then["number"])
    if not math.isfinite(most):
        raise UsageError("`>>` is followed by too large a number; write `>>10s` or `>>3shots`.")
    return Gap(most, "s" if then["unit"] == "s" else "shots")


def _term(text: str, at: int) -> tuple[Term | None, int]:
    """Return the term that begins here, None for an empty pair of quotes, and where it ends."""
    is_unwanted = text[at] == "-" and at + 1 < len(text) and not text[at + 1].isspace()
    start = at + is_unwanted
    if text[start] == '"':
        value, end = _value(text, start)
        return (Term(Line(value), is_unwanted) if value else None), end
    if is_unwanted and text[start] == "(":
        inner = text[start + 1 :].partition(")")[0]
        words, end = " ".join(inner.split()), min(start + len(inner) + 2, len(text))
        return (Term(Words(words), is_unwanted=True) if words else None), end
    if named := FIELD.match(text, start):
        return _named(named["name"].lower(), text, named.end(), is_unwanted)
    bare = BARE.match(text, start)
    assert bare is not None
    if is_unwanted and not any(map(str.isalnum, bare[0])):
        return Term(Words(text[at : bare.end()])), bare.end()  # an arrow, a dash: no exclusion
    return Term(Words(bare[0]), is_unwanted), bare.end()


def _value(text: str, at: int) -> tuple[str, int]:
    """Return a value that begins here, quoted or up to the next space, and where it ends."""
    if text[at] == '"':
        quoted = QUOTED.match(text, at)
        assert quoted is not None
        return " ".join(re.sub(r"\\(.)", r"\1", quoted[1]).split()), quoted.end()
    bare = BARE.match(text, at)
    assert bare is not None
    return bare[0], bare.end()


def _named(name: str, text: str, at: int, is_unwanted: bool) -> tuple[Term, int]:
    """Return the term of `name:...`, whose value begins here, and where it ends."""
    is_quoted = text[at] == '"'
    if name in ("like", "unlike", "clip", "image"):
        subject, end = _value(text, at) if is_quoted else _up_to_span(text, at)
        span: tuple[str | None, str | None] = (None, None)
        if end < len(text) and text[end] == "@":
            spanned = BARE.match(text, end + 1)
            span, end = _span(spanned[0] if spanned else ""), spanned.end() if spanned else end + 1
        if not subject:
            raise UsageError(f"`{name}:` wants a name after it; put one with spaces in quotes.")
        return _like(name, subject, span, is_unwanted), end
    value, end = _value(text, at)
    if name == "sound":
        is_measured = not is_quoted and value.lower() in SOUNDS
        what = Sound(value.lower() if is_measured else value, is_measured)
        return Term(what, is_unwanted), end
    if is_quoted:
        return Term(Field(name, (value,)), is_unwanted), end
    return Term(_field(name, value), is_unwanted), end


def _up_to_span(text: str, at: int) -> tuple[str, int]:
    bare = BARE.match(text, at)
    assert bare is not None
    subject = bare[0].split("@")[0]
    return subject, at + len(subject)


def _span(text: str) -> tuple[str, str | None]:
    start, dash, end = text.partition("-")
    if not start or (dash and not end):
        raise UsageError(f"`@{text}` is no span; write `@1:10-1:20`, or `@1:10` for a shot.")
    return start, end or None


def _like(name: str, subject: str, span: tuple[str | None, str | None], is_unwanted: bool) -> Term:
    if name == "image":
        if span != (None, None):
            raise UsageError("`image:` takes a picture and no span; for a film's use `clip:`.")
        return Term(Image(subject), is_unwanted)
    if name == "clip":
        return Term(Clip(subject, *span), is_unwanted)
    return Term(Like(Place(subject, *span)), is_unwanted != (name == "unlike"))


def _field(name: str, value: str) -> Field:
    low, dots, high = value.partition("..")
    if not dots:
        values = tuple(filter(None, (part.strip('"') for part in value.split(","))))
        if not values:
            raise UsageError(f"`{name}:{value}` names nothing; write `{name}:value`.")
        return Field(name, values)
    bounds = [_number(name, value, bound) if bound else None for bound in (low, high)]
    if bounds == [None, None]:
        raise UsageError(f"`{name}:{value}` is open on both sides; give one of them a number.")
    if None not in bounds and bounds[0] > bounds[1]:  # type: ignore[operator]
        raise UsageError(f"`{name}:{value}` runs backwards; swap its bounds.")
    return Field(name, (), *bounds)


def _number(name: str, value: str, bound: str) -> float:
    if not NUMBER.fullmatch(bound):
        raise UsageError(f"`{name}:{value}` is no range of numbers; write `{name}:0.2..0.8`.")
    number = float(bound)
    if not math.isfinite(number):
        raise UsageError(f"`{name}:{value}` has too large a number; leave that side open.")
    return number


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
    if len(values) > 1:
        return ",".join(values)
    return _quoted(values[0])


def _told_span(start: str | None, end: str | None) -> str:
    return "" if start is None else f"@{start}" + (f"-{end}" if end else "")


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _plain(number: float | None) -> str:
    if number is None:
        return ""
    return repr(int(number)) if number == int(number) else repr(number)
