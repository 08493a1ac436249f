"""A question taken apart into chips, and put together again with one more or one less."""

import pytest

from app.editing import at_once, chips_of, followed, with_field, with_term, without
from app.parsing import parse
from app.request import Clip, Field, Image, Like, Line, Place, Sound, Term, Words
from qdrant.errors import UsageError

FULL = 'rain & "we have to go" -night >>10s like:"A Film"@1:10-1:20 position:..0.8'


def test_each_term_is_a_chip_with_what_binds_it_to_the_one_before() -> None:
    told = [(chip.chip_id, chip.kind, chip.text, chip.joint) for chip in chips_of(parse(FULL))]
    assert told == [
        ("0.0.0", "words", "rain", ""),
        ("0.1.0", "line", "we have to go", "while"),
        ("0.1.1", "not", "night", ""),
        ("1.0.0", "like", "A Film 1:10 – 1:20", "then within 10 s"),  # noqa: RUF001
        ("1.0.1", "field", "position:..0.8", ""),
    ]


@pytest.mark.parametrize(
    "term, kind, text",
    [
        (Term(Like(Place("A Film")), is_unwanted=True), "unlike", "A Film"),
        (Term(Line("go"), is_unwanted=True), "not said", "go"),
        (Term(Clip("/cut/temp.mov", "3", "7.5")), "clip", "temp.mov 3–7.5"),  # noqa: RUF001
        (Term(Image("/refs/a frame.png")), "picture", "a frame.png"),
        (Term(Sound("speech", is_measured=True), is_unwanted=True), "not sound", "speech"),
        (Term(Field("title", ("A Film",)), is_unwanted=True), "not field", 'title:"A Film"'),
    ],
)
def test_a_chip_says_what_it_is(term: Term, kind: str, text: str) -> None:
    _, chip = chips_of(parse(with_term("rain", term)))
    assert (chip.kind, chip.text) == (kind, text)


@pytest.mark.parametrize(
    "chip_id, left",
    [
        ("0.0.0", '"we have to go" -night >>10s like:"A Film"@1:10-1:20 position:..0.8'),
        ("0.1.1", 'rain & "we have to go" >>10s like:"A Film"@1:10-1:20 position:..0.8'),
        ("1.0.1", 'rain & "we have to go" -night >>10s like:"A Film"@1:10-1:20'),
        ("9.9.9", FULL),
    ],
)
def test_a_chip_taken_away_leaves_the_rest(chip_id: str, left: str) -> None:
    assert without(FULL, chip_id) == left


def test_the_last_term_of_a_step_takes_the_step_along() -> None:
    assert without("rain >> sun", "1.0.0") == "rain"
    assert without("rain >> sun", "0.0.0") == "sun"
    assert without("rain", "0.0.0") == ""


def test_a_term_is_added_to_the_last_step() -> None:
    night = Term(Words("night"), is_unwanted=True)
    assert with_term("", night) == "-night"
    assert with_term("rain >> sun", night) == "rain >> sun -night"
    assert with_term("sun", Term(Words("two dogs"), is_unwanted=True)) == "sun -(two dogs)"


def test_a_field_holds_at_every_step_and_replaces_one_of_its_name() -> None:
    guard = Field("position", high=0.5)
    assert with_field("", guard) == "position:..0.5"
    assert with_field("rain position:..0.8 >> sun", guard) == (
        "rain position:..0.5 >> sun position:..0.5"
    )
    assert with_field("position:..0.8", guard) == "position:..0.5"


def test_a_step_follows_and_a_part_stands_beside() -> None:
    assert followed("rain", "sun", gap="5s") == "rain >>5s sun"
    assert at_once("rain", "sun") == "rain & sun"
    assert at_once(" ", "sun") == "sun"
    with pytest.raises(UsageError, match="Say first what is to come before it"):
        followed("", "sun")


def test_what_cannot_be_understood_is_not_changed() -> None:
    with pytest.raises(UsageError, match="runs backwards"):
        with_term("length:6..2", Term(Words("night")))
