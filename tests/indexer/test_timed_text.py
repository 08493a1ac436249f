from pathlib import Path

import pytest

from indexer.media.timed_text import Cue, dialogue_of, read_cues, sidecar_of
from qdrant.errors import InputError

SRT = "1\n00:00:01,000 --> 00:00:02,500\n<i>Where is</i>\nthe boat?\n"


def write(folder: Path, name: str, text: str = SRT, *, encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_text(text, encoding=encoding)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1"])
def test_a_cue_is_one_line_without_markup_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    text = SRT.replace("boat", "båten på sjøen") * 3
    content = ("\ufeff" if encoding == "utf-16-le" else "") + text
    write(tmp_path, "film.srt", content, encoding=encoding)
    sidecar = sidecar_of(tmp_path / "film.mp4", languages=["en"])
    assert sidecar is not None
    assert read_cues(sidecar)[0] == Cue(1.0, 2.5, "Where is the båten på sjøen?")


def test_webvtt_with_entities(tmp_path: Path) -> None:
    write(tmp_path, "film.vtt", "WEBVTT\n\n00:01.000 --> 00:02.000\n<v Ann>Salt &amp; bread\n")
    sidecar = sidecar_of(tmp_path / "film.mp4", languages=["en"])
    assert sidecar is not None
    assert [cue.text for cue in read_cues(sidecar)] == ["Salt & bread"]


def test_the_language_the_profile_knows_is_chosen(tmp_path: Path) -> None:
    for name in ("film.ru.srt", "film.en.srt", "film.srt", "other.en.srt"):
        write(tmp_path, name)
    chosen = sidecar_of(tmp_path / "film.mp4", languages=["en"])
    assert chosen is not None
    assert (chosen.path.name, chosen.language) == ("film.en.srt", "en")
    (tmp_path / "film.en.srt").unlink()
    chosen = sidecar_of(tmp_path / "film.mp4", languages=["en"])
    assert chosen is not None
    assert (chosen.path.name, chosen.language) == ("film.srt", None)


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("film.en.srt", "en"),
        ("film.EN.SRT", "en"),
        ("film.eng.srt", "en"),
        ("film.en-GB.srt", "en-gb"),
        ("film.en.sdh.srt", "en"),
        ("film.forced.en.vtt", "en"),
        ("film.en.hi.srt", "en"),
        ("film.hi.srt", "hi"),
        ("film.sdh.srt", None),
    ],
)
def test_a_name_tells_language_and_flags(tmp_path: Path, name: str, language: str | None) -> None:
    write(tmp_path, name)
    sidecar = sidecar_of(tmp_path / "film.mp4", languages=["en"])
    assert sidecar is not None
    assert (sidecar.path.name, sidecar.language) == (name, language)


@pytest.mark.parametrize(
    "name", ["film.3.srt", "film.2024.en.srt", "film.part.srt", "film.en.fr.srt", "film2.srt"]
)
def test_a_name_with_more_in_it_is_of_another_film(tmp_path: Path, name: str) -> None:
    write(tmp_path, name)
    assert sidecar_of(tmp_path / "film.mp4", languages=["en"]) is None


def test_subtitles_of_the_film_beside_are_left_to_it(tmp_path: Path) -> None:
    for name in ("Alien.3.srt", "Up.en.srt", "Up.en.sdh.srt"):
        write(tmp_path, name)
    for name in ("Alien.mp4", "Alien.3.mp4", "Up.mp4", "Up.en.mkv"):
        (tmp_path / name).touch()
    found = {
        name: sidecar and sidecar.path.name
        for name in ("Alien.mp4", "Alien.3.mp4", "Up.mp4", "Up.en.mkv")
        for sidecar in [sidecar_of(tmp_path / name, languages=["en"])]
    }
    assert found == {
        "Alien.mp4": None, "Alien.3.mp4": "Alien.3.srt", "Up.mp4": None, "Up.en.mkv": "Up.en.srt",
    }  # fmt: skip


def test_full_subtitles_go_before_forced_ones(tmp_path: Path) -> None:
    for name in ("film.en.forced.srt", "film.en.srt"):
        write(tmp_path, name)
    chosen = sidecar_of(tmp_path / "film.mp4", languages=["en"])
    assert chosen is not None
    assert chosen.path.name == "film.en.srt"


def test_a_sidecar_that_cannot_be_read_is_told_by_the_reader(tmp_path: Path) -> None:
    (tmp_path / "film.srt").mkdir()
    sidecar = sidecar_of(tmp_path / "film.mp4", languages=["en"])
    assert sidecar is not None
    assert sidecar.content_hash == ""
    with pytest.raises(InputError, match=r"film\.srt"):
        read_cues(sidecar)


def test_a_film_without_subtitles_has_none(tmp_path: Path) -> None:
    assert sidecar_of(tmp_path / "film.mp4", languages=["en"]) is None


@pytest.mark.parametrize(
    "text", ["", "not subtitles at all", "1\n00:00:02,000 --> 00:00:01,000\nx"]
)
def test_a_file_without_cues_is_named(tmp_path: Path, text: str) -> None:
    write(tmp_path, "film.srt", text)
    sidecar = sidecar_of(tmp_path / "film.mp4", languages=["en"])
    assert sidecar is not None
    with pytest.raises(InputError, match=r"film\.srt"):
        read_cues(sidecar)


def test_a_cue_across_a_cut_is_in_both_shots_and_a_graze_in_one() -> None:
    shots = [(0.0, 2.0), (2.0, 4.0), (4.0, 9.0)]
    cues = [Cue(1.0, 3.0, "across"), Cue(3.0, 4.1, "graze"), Cue(5.0, 6.0, "inside")]
    assert dialogue_of(shots, cues) == [("across",), ("across", "graze"), ("inside",)]
