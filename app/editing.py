"""A request taken apart into chips, and a line of text changed by one of its terms. Pure."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from dataclasses import dataclass, replace

from app.parsing import parse
from app.request import Clip, Field, Image, Like, Line, Request, Sound, Step, Term, Words
from qdrant.errors import UsageError

KINDS = {
    Words: "words", Line: "line", Like: "like", Clip: "clip", Image: "picture", Sound: "sound",
    Field: "field",
}  # fmt: skip
OPPOSITES = {"words": "not", "line": "not said", "like": "unlike"}
"""What a kind is called where it is to be kept away from; any other has `not` before it."""


@dataclass(frozen=True)
class Chip:
    """One term of a request as it was understood."""

    chip_id: str  # step.part.term
    kind: str  # "words", "line", "like", "unlike", "not"...
    text: str
    joint: str = ""  # what binds it to the chip before: "while", "then", "then within 5s"


def chips_of(request: Request) -> list[Chip]:
    """Return a request's terms from left to right."""
    return [
        Chip(f"{s}.{p}.{t}", _kind(term), _text(term), _joint(step, s, p, t))
        for s, step in enumerate(request.steps)
        for p, part in enumerate(step.parts)
        for t, term in enumerate(part)
    ]


def without(text: str, chip_id: str) -> str:
    """Return a line of text less one of its chips; "" where that was all. Raises as `parse`."""
    request = parse(text)
    return _text_of(
        _only(
            request,
            lambda s, p, t, _term: f"{s}.{p}.{t}" != chip_id,
        )
    )


def with_term(text: str, term: Term) -> str:
    """Return a line of text with a term more, in its last step. Raises as `parse`."""
    if not text.strip():
        return _told(term)
    request = parse(text)
    last = request.steps[-1]
    last = replace(last, parts=(*last.parts[:-1], (*last.parts[-1], term)))
    return str(replace(request, steps=(*request.steps[:-1], last)))


def with_field(text: str, field: Field) -> str:
    """Return a line of text where a field holds at every step, in the place of one of its name."""
    if not text.strip():
        return _told(Term(field))
    kept = _only(
        parse(text),
        lambda s, p, t, term: not (isinstance(term.what, Field) and term.what.name == field.name),
    )
    return str(kept.where(field)) if kept else _told(Term(field))


def followed(text: str, then: str, *, gap: str = "") -> str:
    """Return a line of text with another step, `then`, within a gap: "", "5s", "2shots".

    Raises as `parse`, and `UsageError` where there is nothing to follow.
    """
    if not text.strip():
        raise UsageError("Say first what is to come before it.")
    return str(parse(f"{text} >>{gap} {then}"))


def at_once(text: str, also: str) -> str:
    """Return a line of text with something that must be there at the same time."""
    return str(parse(f"{text} & {also}")) if text.strip() else str(parse(also))


def _only(request: Request, keeps: Callable[[int, int, int, Term], bool]) -> Request | None:
    """Return the request of the terms that are kept, None where none is."""
    steps: list[Step] = []
    for s, step in enumerate(request.steps):
        kept = [
            tuple(term for t, term in enumerate(part) if keeps(s, p, t, term))
            for p, part in enumerate(step.parts)
        ]
        if parts := tuple(part for part in kept if part):
            steps.append(Step(parts, step.gap if steps else None))
    return replace(request, steps=tuple(steps)) if steps else None


def _text_of(request: Request | None) -> str:
    return str(request) if request else ""


def _kind(term: Term) -> str:
    kind = KINDS[type(term.what)]
    return OPPOSITES.get(kind, f"not {kind}") if term.is_unwanted else kind


def _text(term: Term) -> str:
    match term.what:
        case Words(text) | Line(text):
            return text
        case Clip(path, start, end):
            span = f" {start}–{end or ''}" if start else ""  # noqa: RUF001
            return posixpath.basename(path) + span
        case Image(path):
            return posixpath.basename(path)
        case Like(place):
            span = f" {place.start}" if place.start else ""
            return place.title + span + (f" – {place.end}" if place.end else "")  # noqa: RUF001
        case Sound(what, _):
            return what
        case Field():
            return _told(replace(term, is_unwanted=False))


def _joint(step: Step, s: int, p: int, t: int) -> str:
    if t:
        return ""
    if p:
        return "while"
    if not s:
        return ""
    gap = step.gap
    return f"then within {gap.most:g} {gap.unit}" if gap else "then"


def _told(term: Term) -> str:
    return str(Request((Step(((term,),)),)))
