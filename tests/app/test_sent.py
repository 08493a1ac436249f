"""Files sent along with a question: named, in their place for one search, gone again."""

from pathlib import Path

import pytest
from shelf import make_film

from app.named_files import named_files
from app.parsing import parse
from app.request import Request
from app.sent import Sent, answer_with, asked_for
from qdrant.errors import InputError, UsageError


@pytest.mark.parametrize(
    "name, safe",
    [
        ("temp.mov", "temp.mov"),
        ("../../etc/passwd", "passwd"),
        ("C:\\cut\\my film.mov", "my_film.mov"),
        ('a"b`c.mp4', "a_b_c.mp4"),
        ("..", "file"),
    ],
)
def test_a_name_is_made_safe(name: str, safe: str) -> None:
    assert Sent.of(name, b"").name == safe


def test_a_clip_lies_on_the_disk_only_while_it_is_searched_with(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", seconds=2).read_bytes()
    clip, other = Sent.of("temp.mov", film), Sent.of("other.mov", b"never asked for")
    request = parse('rain clip:"temp.mov"@0-1')
    named = asked_for(request, [clip, other])
    assert named == [clip]
    seen: list[Path] = []

    def search(asked: Request) -> str:
        seen.extend(Path(file.path) for file in named_files(asked))
        assert seen[0].read_bytes() == film
        return "found"

    answer, reach = answer_with(request, named, search)
    assert answer == "found"
    assert not seen[0].exists()
    assert not seen[0].parent.exists()
    assert reach.told(f"{seen[0]} is short") == "temp.mov is short"


def test_what_is_no_film_is_refused_before_it_is_searched_with() -> None:
    with pytest.raises(InputError, match=r"^temp\.mov is not a film or sound") as refused:
        answer_with(
            parse('clip:"temp.mov"'), [Sent.of("temp.mov", b"no film")], lambda _asked: None
        )
    assert "/" not in str(refused.value)


def test_too_long_a_piece_is_refused(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", seconds=2).read_bytes()
    with pytest.raises(UsageError, match="at most 600 s"):
        answer_with(
            parse('clip:"temp.mov"@0-700'), [Sent.of("temp.mov", film)], lambda _asked: None
        )


def test_a_file_that_is_not_held_any_more_is_told_of() -> None:
    with pytest.raises(UsageError, match=r"temp\.mov is not here any more"):
        asked_for(parse('clip:"temp.mov"'), [])
