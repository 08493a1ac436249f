"""The query language: what a line of text means, and that it comes back as it was."""

from __future__ import annotations

import random

import pytest

from app.parsing import MAX_CHARACTERS, parse
from app.request import Clip, Field, Gap, Image, Like, Line, Place, Request, Sound, Term, Words
from qdrant.errors import UsageError


def terms(text: str) -> list[Term]:
    (step,) = parse(text).steps
    (part,) = step.parts
    return list(part)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("two  people\nlaughing", [Term(Words("two people laughing"))]),
        ("crème brûlée 猫", [Term(Words("crème brûlée 猫"))]),
        ('"we have  to go"', [Term(Line("we have to go"))]),
        ('"so \\"they\\" said"', [Term(Line('so "they" said'))]),
        ('"not closed', [Term(Line("not closed"))]),
        ("rain -night", [Term(Words("rain")), Term(Words("night"), True)]),
        ("rain -(two people)", [Term(Words("rain")), Term(Words("two people"), True)]),
        ('rain -"go away"', [Term(Words("rain")), Term(Line("go away"), True)]),
        ("before - after -> x", [Term(Words("before - after -> x"))]),
        ("rock'n'roll 5'6\" a&b c>>d", [Term(Words("rock'n'roll 5'6\" a&b c>>d"))]),
        ("note: this", [Term(Words("note: this"))]),
        ("at 12:30", [Term(Words("at 12:30"))]),
        ("like:Sintel", [Term(Like(Place("Sintel")))]),
        ('like:"A Film"@1:10-1:20', [Term(Like(Place("A Film", "1:10", "1:20")))]),
        ("unlike:Sintel@00:01:10:12", [Term(Like(Place("Sintel", "00:01:10:12")), True)]),
        ("-unlike:Sintel", [Term(Like(Place("Sintel")))]),
        ('clip:"/a b.mp4"@3-4.5', [Term(Clip("/a b.mp4", "3", "4.5"))]),
        ("image:/a.png", [Term(Image("/a.png"))]),
        ("sound:Silence", [Term(Sound("silence", True))]),
        ('-sound:"a door slams"', [Term(Sound("a door slams", False), True)]),
        ("genre:drama,comedy", [Term(Field("genre", ("drama", "comedy")))]),
        ('-title:"Big, Bigger"', [Term(Field("title", ("Big, Bigger",)), True)]),
        ('title:"A B",C,"D, E" x', [Term(Field("title", ("A B", "C", "D, E"))), Term(Words("x"))]),
        ('tag:a,"b c"', [Term(Field("tag", ("a", "b c")))]),
        ("year:1990..2000", [Term(Field("year", (), 1990.0, 2000.0))]),
        ("loudness:..-12.5", [Term(Field("loudness", (), None, -12.5))]),
        ("length:2..", [Term(Field("length", (), 2.0, None))]),
    ],
)
def test_what_a_text_means(text: str, meant: list[Term]) -> None:
    assert terms(text) == meant


def test_steps_follow_and_parts_go_together() -> None:
    request = parse('rain & "go" >>5s a door >>2shots dark >> end')
    assert [step.gap for step in request.steps] == [None, Gap(5.0, "s"), Gap(2.0, "shots"), None]
    assert request.steps[0].parts == ((Term(Words("rain")),), (Term(Line("go")),))


def test_fields_hold_at_every_step() -> None:
    request = parse("a >> b", top=3).where(Field("title", ("X",)))
    assert str(request) == 'a title:"X" >> b title:"X"'
    assert request.top == 3


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "nothing to look for"),
        (" \n ", "nothing to look for"),
        ('""', "nothing to look for"),
        ("a >>", "missing on either side"),
        (">> a", "missing on either side"),
        ("a & & b", "missing before `&`"),
        ("a &", "missing after `&`"),
        ("year:2000..1990", "runs backwards"),
        ("year:a..b", "no range of numbers"),
        ("year:nan..1", "no range of numbers"),
        ("year:..", "open on both sides"),
        ("tag:,", "names nothing"),
        ('like:""', "wants a name"),
        ("like:Sintel@", "is no span"),
        ("like:Sintel@-3", "is no span"),
        ("image:/a.png@3", "no span"),
        (" >> ".join("abcdefghi"), "at most 8 steps"),
        ("-x " * 300, "at most 200 terms"),
        ("x" * (MAX_CHARACTERS + 1), "too long"),
        ("x" * 100_000, "too long"),
    ],
)
def test_what_cannot_be_understood_is_told_in_a_sentence(text: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        parse(text)


PIECES = [
    *'"\\-&@() :é\n猫', ">>", ">>5s", ">>2shots", "like:", "unlike:", "clip:", "image:", "-(",
    "field:", "sound:", "silence", "word", "..", "1", "0.5", "1e5", ",", 'x"y', " a ", "\x00",
]  # fmt: skip


def test_every_request_comes_back_as_it_was() -> None:
    rng = random.Random(20)
    understood = 0
    for _ in range(20_000):
        text = "".join(rng.choices(PIECES, k=rng.randint(1, 14)))
        try:
            request = parse(text)
        except UsageError as error:
            assert str(error)[0].isupper() or str(error)[0] == "`"
            continue
        assert parse(str(request)) == request, text
        understood += 1
    assert understood > 10_000


def test_a_request_can_be_kept_and_compared() -> None:
    assert isinstance(hash(parse('a "b" like:c@1-2 d:1..2')), int)
    assert parse("a  b") == parse("a b") == Request(parse("a b").steps)
