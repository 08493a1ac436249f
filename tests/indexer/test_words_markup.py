# ruff: noqa: RUF001 - letters of other scripts are meant
import pytest

from indexer.words.cues import Cue
from indexer.words.markup import cues_of, without_overrides, without_tags

Said = tuple[str, str | None, tuple[str, ...]]


def said(text: str, speaker: str | None = None) -> list[Said]:
    cues = cues_of(1.0, 2.0, without_tags(text), speaker=speaker)
    assert all((cue.start_s, cue.end_s) == (1.0, 2.0) for cue in cues)
    return [(cue.text, cue.speaker, cue.sounds) for cue in cues]


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("<i>Where is</i>\nthe <b>boat</b>?", "Where is the boat?"),
        ("<c.yellow.bg_blue>Salt</c> &amp; bread", "Salt & bread"),
        ("<00:00:01.000>Word <00:00:01.500>by word", "Word by word"),
        ("<ruby>漢<rt>かん</rt>字<rt>じ</rt></ruby>", "漢字"),
        ('<font color="#fff">White</font><br/>lie', "White lie"),
        ("I <3 you", "I <3 you"),
        ("5 < 6 &gt; 4", "5 < 6 > 4"),
        ("\u200fשלום\u202c\x07", "שלום"),
        ("- Hello.\n- Hi.", "Hello. Hi."),
        ("It is -5 outside.\n-5 degrees", "It is -5 outside. -5 degrees"),
    ],
)
def test_tags_and_signs_are_gone_and_the_words_stay(text: str, plain: str) -> None:
    assert said(text) == [(plain, None, ())]


@pytest.mark.parametrize(
    ("text", "turns"),
    [
        ("NARRATOR: Once upon\na time", [("Once upon a time", "NARRATOR", ())]),
        (">> JOHN: Hi.", [("Hi.", "JOHN", ())]),
        (">> Hi.", [("Hi.", None, ())]),
        ("JOHN: Hi.\nMARY: Hello.", [("Hi.", "JOHN", ()), ("Hello.", "MARY", ())]),
        ("- JOHN: Hi.\n- Hello.", [("Hi.", "JOHN", ()), ("Hello.", None, ())]),
        ("JOHN (V.O.): It was late.", [("It was late.", "JOHN", ())]),
        ("[JOHN]: Hi.", [("Hi.", "JOHN", ())]),
        ("Dr. Ann Smith: Now!", [("Now!", "Dr. Ann Smith", ())]),
        ("Man #2: Hey.", [("Hey.", "Man #2", ())]),
        ("ТОМ: Привет.", [("Привет.", "ТОМ", ())]),
        ("<v Ann Lee>Salt</v>\n<v.loud Bob>Bread", [("Salt", "Ann Lee", ()), ("Bread", "Bob", ())]),
    ],
)
def test_who_speaks_is_told_apart_from_what_is_said(text: str, turns: list[Said]) -> None:
    assert said(text) == turns


@pytest.mark.parametrize(
    "text",
    [
        "10:30",
        "Meet me at 10:30",
        "MEET ME AT 10:30",
        "The sign says Warning: do not open",
        "The sign says\nWarning: do not open",
        "Warning: do not open",
        "THE ANSWER IS: NO",
        "one thing: run",
        "As Every Child Knows: run",
        "http://example.org: a page",
        "A: yes",
    ],
)
def test_a_colon_alone_makes_no_speaker(text: str) -> None:
    assert said(text) == [(text.replace("\n", " "), None, ())]


@pytest.mark.parametrize(
    ("text", "turn"),
    [
        ("[door slams]", ("", None, ("door slams",))),
        ("[a door\nslams]\nRun!", ("Run!", None, ("a door slams",))),
        ("(thunder)", ("", None, ("thunder",))),
        ("Wait! (gasps)", ("Wait!", None, ("gasps",))),
        ("JOHN: [sighs] No.", ("No.", "JOHN", ("sighs",))),
        ("He was (I think) late.", ("He was (I think) late.", None, ())),
        ("(What is it?)", ("(What is it?)", None, ())),
        ("[1984]", ("[1984]", None, ())),
        ("（ドアの音）", ("", None, ("ドアの音",))),
        ("♪ Over the rainbow ♪", ("Over the rainbow", None, ("music",))),
        ("♪ Over the\nrainbow ♪", ("Over the rainbow", None, ("music",))),
        ("# Over the rainbow #", ("Over the rainbow", None, ("music",))),
        ("♪♪", ("", None, ("music",))),
        ("[♪♪♪]", ("", None, ("music",))),
        ("♪ music ♪", ("", None, ("music",))),
        ("♪ soft piano music playing ♪", ("", None, ("soft piano music playing",))),
    ],
)
def test_what_is_heard_is_told_apart_from_what_is_said(text: str, turn: Said) -> None:
    assert said(text) == [turn]


def test_who_speaks_may_stand_outside_the_text() -> None:
    assert said("Hi.", "Ann") == [("Hi.", "Ann", ())]
    assert said("BOB: Hi.", "Ann") == [("Hi.", "BOB", ())]


def test_ass_gives_its_words_without_drawings() -> None:
    text = r"{\an8\p1}m 0 0 l 10 10{\p0}{\i1}Hello,{\i0}\NAnn\hLee"
    assert without_overrides(text) == "Hello,\nAnn Lee"


def test_a_text_that_says_nothing_makes_no_cue() -> None:
    assert cues_of(1.0, 2.0, " \n ") == []
    assert cues_of(1.0, 2.0, "JOHN:") == []
    assert cues_of(1.0, 2.0, "x") == [Cue(1.0, 2.0, "x")]
