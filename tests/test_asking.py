"""The query language, from a line of text to moments, on the reel of photographs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from reel import CAT, COFFEE, COINS, LINE_SHOT, ROCKET, STARS, photograph

from app.asking import Asking
from app.parsing import parse
from app.request import Field
from app.search import Answer, search
from app.studio import encoders_of
from indexer.catalogue import Catalogue, open_catalogue
from indexer.encoders.load import EncoderSet
from indexer.library import CONTEXT_RECORD, Library
from qdrant.errors import TrimbinError
from qdrant.language import Question

TITLE = "Photographs"
Ask = Callable[..., Answer]


@pytest.fixture(scope="module")
def ask(reel_library: Path) -> Iterator[Ask]:
    """Ask the reel, models loaded once."""
    library = Library.open(reel_library)
    encoders = encoders_of(library)
    with open_catalogue(library, command="test") as catalogue:

        def ask_reel(text: str, *fields: Field, **dials: object) -> Answer:
            return search(catalogue, encoders, parse(text, **dials).where(*fields))

        yield ask_reel


def shots(answer: Answer) -> list[int]:
    """Return the best shot of every moment, best first."""
    return [moment.best_shot for moment in (*answer.hits, *answer.weak)]


def test_words_find_what_is_seen(ask: Ask) -> None:
    for words, shot in (("a cat", CAT), ("a cup of coffee", COFFEE), ("a rocket", ROCKET)):
        assert shots(ask(words))[0] == shot


@pytest.mark.parametrize(
    "line",
    [
        '"The lighthouse keeper never came home."',
        '"keeper never came home"',
        '"the lighthose keepers never came"',  # a slip, another ending
        '"lighthouse keeper came home"',
    ],
)
def test_a_line_is_found_as_it_is_remembered(ask: Ask, line: str) -> None:
    answer = ask(line)
    assert [moment.best_shot for moment in answer.hits] == [LINE_SHOT]
    (moment,) = answer.hits
    assert moment.why["line"] == 1
    assert moment.sources[0].text == "The lighthouse keeper never came home."


@pytest.mark.parametrize("line", ['"home came never keeper"', '"nobody ever said so"'])
def test_a_line_that_is_not_said_is_not_found(ask: Ask, line: str) -> None:
    answer = ask(line)
    assert not answer.hits and not answer.weak
    assert answer.notes == ("Nothing found.",)


def test_a_line_and_words_must_both_fit(ask: Ask) -> None:
    assert shots(ask('coins & "lighthouse keeper"')) == [COINS]
    assert shots(ask('a cat "lighthouse keeper"')) in ([], [COINS])


def test_like_a_span_finds_others_and_not_itself(ask: Ask) -> None:
    found = shots(ask(f'like:"{TITLE}"@0:00-0:02'))
    assert CAT not in found
    assert shots(ask(f"like:{TITLE}@00:00:00:12")) == found  # the same shot, by timecode
    assert shots(ask(f"like:{TITLE}@12f")) == found


def test_unlike_puts_what_is_alike_behind(ask: Ask) -> None:
    plain = ask("a rocket")
    pressed = ask(f'a rocket unlike:"{TITLE}"@0:04-0:06')
    assert shots(plain)[0] == ROCKET
    assert ROCKET not in shots(pressed)  # shown as an example, so not sought


def test_excluded_words_lower_what_they_fit(ask: Ask) -> None:
    scores = {
        text: next((m.score for m in (*a.hits, *a.weak) if m.best_shot == CAT), 0.0)
        for text in ("a cat", "a cat -cat")
        if (a := ask(text))
    }
    assert 0 < scores["a cat -cat"] < scores["a cat"]


def test_a_picture_finds_where_it_is_seen(ask: Ask, tmp_path: Path) -> None:
    Image.fromarray(photograph("rocket")).save(tmp_path / "a rocket.png")
    answer = ask(f'image:"{tmp_path / "a rocket.png"}"')
    assert shots(answer)[0] == ROCKET and answer.hits[0].why["video"] == 1


def test_a_clip_finds_where_it_is_from(ask: Ask, reel_library: Path) -> None:
    film = reel_library.parent / "films" / "Photographs.mp4"
    assert shots(ask(f'clip:"{film}"@2.2-3.8'))[0] == COFFEE


def test_then_finds_what_follows_soon_enough(ask: Ask) -> None:
    (moment, *_) = ask("a cat >> a rocket").hits
    assert moment.shots == (CAT, ROCKET + 1)
    assert [frames[0] for frames in moment.steps] == [0, 96]
    assert sum(share for share in moment.why.values() if share) == pytest.approx(1, abs=1e-3)
    assert (CAT, ROCKET + 1) not in [m.shots for m in ask("a cat >>1shots a rocket").hits]
    assert (CAT, ROCKET + 1) not in [m.shots for m in ask("a cat >>1s a rocket").hits]
    backwards = ask("a rocket >> a cat")
    assert all(moment.shots[0] < moment.shots[1] - 1 for moment in backwards.hits)
    assert (CAT, ROCKET + 1) not in [moment.shots for moment in backwards.hits]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("position:..0.5", [0, 1, 2]),
        ("-position:..0.5", [3, 4, 5]),
        ("loudness:..-20", [COFFEE]),
        ("-sound:silence -sound:speech length:1.9..2.1", [CAT, COFFEE, ROCKET, COINS]),
        (f"title:{TITLE.upper()} shot:4..5", [4, 5]),
        ("transition:dissolve", [STARS]),
        ("kind:FILM position:0.9..", [STARS]),
    ],
)
def test_fields_alone_give_their_shots_in_order(ask: Ask, text: str, found: list[int]) -> None:
    answer = ask(text)
    assert sorted(shots(answer)) == found
    assert all(moment.shots[1] - moment.shots[0] == 1 for moment in answer.hits)


def test_the_spoiler_guard_holds_for_every_step(ask: Ask) -> None:
    assert shots(ask("a rocket"))[0] == ROCKET
    assert ROCKET not in shots(ask("a rocket position:..0.3"))
    guard = Field("position", high=0.3)
    assert not ask("a cat >> a rocket", guard).hits


def test_dials(ask: Ask) -> None:
    whole = ask("a rocket", top=5)
    assert len(shots(ask("a rocket", top=5, per_title=1))) == 1
    assert len(shots(ask("a rocket", top=1))) == 1
    assert sorted(shots(ask("a rocket", top=5, variety=0.5))) == sorted(shots(whole))
    assert not ask("a rocket", floor=0.999).hits
    assert not ask("a rocket", all_modalities=True).hits  # nobody says it


def test_what_cannot_be_asked_is_said(ask: Ask) -> None:
    answer = ask('sound:"a door slams" a cat')
    assert any(note.startswith("sound: no encoder of profile 'offline'") for note in answer.notes)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            "colour:red",
            "Nothing here has a field `colour`; there are brightness, clipgenre, kind, label, ",
        ),
        ("genre:drama", "Nothing here has a field `genre`"),
        ("kind:opera", "There are: film"),
        ("title:Elsewhere", "No title is called 'Elsewhere' here"),
        (f"title:{TITLE},Elsewhere", "No title is called 'Elsewhere' here"),
        ("like:Elsewhere", "No title is called 'Elsewhere' here"),
        (f"like:{TITLE}@9:00-9:10", "has no 9:00; it is 12.0 s long"),
        (f"like:{TITLE}@0:05-0:03", "swap them"),
        (f"like:{TITLE}@soon", "'soon' is no time"),
        ("speech:much", "is a number; write a range"),
        ("kind:1..2", "is no number"),
        ("rights:soon", "is no day"),
        ("-cat", "says only what to keep away from"),
        ("image:/nowhere.png", "There is no picture /nowhere.png"),
        ("clip:/nowhere.mp4", "/nowhere.mp4"),
    ],
)
def test_what_is_not_here_is_one_sentence(ask: Ask, text: str, why: str) -> None:
    with pytest.raises(TrimbinError, match=re.escape(why)):
        ask(text)


def test_pictures_that_are_none_are_refused(ask: Ask, tmp_path: Path) -> None:
    bomb, text, cut = tmp_path / "bomb.png", tmp_path / "text.png", tmp_path / "cut.png"
    header = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + (60_000).to_bytes(4, "big") * 2
    bomb.write_bytes(header + b"\x08\x02\x00\x00\x00" + b"\x00" * 64)
    text.write_text("no picture")
    Image.fromarray(photograph("rocket")).save(cut)
    cut.write_bytes(cut.read_bytes()[:2000])
    for path in (bomb, text, cut):
        with pytest.raises(TrimbinError, match=re.escape(str(path))):
            ask(f'image:"{path}"')


def test_a_clip_without_a_frame_is_refused(ask: Ask, reel_library: Path) -> None:
    film = reel_library.parent / "films" / "Photographs.mp4"
    for span in ("3-3", "100-101", "4-3"):
        with pytest.raises(TrimbinError):
            ask(f'clip:"{film}"@{span}')


@pytest.mark.parametrize(("loss", "takes_part"), [(0.4, True), (0.6, False)])
def test_context_takes_part_where_its_model_is_worth_it(
    tmp_path: Path, loss: float, takes_part: bool
) -> None:
    library = Library.open(tmp_path, create=True, profile="offline")
    library.context_folder.mkdir(parents=True)
    metrics = {"evaluation": {"loss": loss, "control_loss": 0.5}}
    (library.context_folder / CONTEXT_RECORD).write_text(json.dumps({"metrics": metrics}))
    asking = Asking(
        Catalogue(library, "test"),
        EncoderSet(library.profile, device="cpu", cache_dir=tmp_path, missing={}),
    )
    there = np.ones(2, np.float32)
    question = asking.worthy(Question({"video": there, "context": there}, band="likeness"))
    assert ("context" in question.vectors) is takes_part
    assert bool(asking.notes) is not takes_part
