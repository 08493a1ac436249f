"""From a line of text to a `Request`, read once from left to right. `str` of it is the way back."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from app.request import (
    FIELD,
    SOUNDS,
    Clip,
    Field,
    Gap,
    Image,
    Like,
    Line,
    Place,
    Request,
    Sound,
    Step,
    Term,
    Words,
)
from qdrant.errors import UsageError

MAX_CHARACTERS = 20_000
"""More than anybody types; a text that is pasted by mistake is not searched for."""
MAX_TERMS = 200
MAX_STEPS = 8

THEN = re.compile(r">>(?:(?P<number>\d+(?:\.\d+)?)(?P<unit>s|shots?))?")
QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)(?:"|\\?\Z)', re.DOTALL)
BARE = re.compile(r"\S+")
PART = re.compile(r"[^\s,]*")
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")


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
    if name == "sound":
        value, end = _value(text, at)
        is_measured = not is_quoted and value.lower() in SOUNDS
        what = Sound(value.lower() if is_measured else value, is_measured)
        return Term(what, is_unwanted), end
    values, end = _values(text, at)
    if len(values) == 1 and not is_quoted and ".." in values[0]:
        return Term(_range(name, values[0]), is_unwanted), end
    if not values:
        raise UsageError(f"`{name}:{text[at:end]}` names nothing; write `{name}:value`.")
    return Term(Field(name, values), is_unwanted), end


def _values(text: str, at: int) -> tuple[tuple[str, ...], int]:
    """Return the values of a list that begins here, each quoted or not, and where it ends."""
    values: list[str] = []
    while True:
        if text[at : at + 1] == '"':
            value, at = _value(text, at)
        else:
            part = PART.match(text, at)
            assert part is not None
            value, at = part[0], part.end()
        values += [value] if value else []
        if text[at : at + 1] != ",":
            return tuple(values), at
        at += 1


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


def _range(name: str, value: str) -> Field:
    low, _, high = value.partition("..")
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
