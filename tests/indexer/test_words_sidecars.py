# ruff: noqa: RUF001 - letters of other scripts are meant
from dataclasses import replace
from pathlib import Path

import pytest

from indexer.words.cues import Cue
from indexer.words.subtitles import read_subtitles
from indexer.words.tracks import Track, chosen, read_all, read_track, tracks_of
from qdrant.errors import InputError

SRT = "1\n00:00:01,000 --> 00:00:02,500\n<i>Where is</i>\nthe boat?\n"
ASS = (
    "[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\n"
    "Format: Name, Fontname, Fontsize, PrimaryColour\nStyle: Default,Arial,20,&H00FFFFFF\n\n"
    "[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
    "Comment: 0,0:00:00.00,0:00:09.00,Default,,0,0,0,,not shown\n"
    "Dialogue: 0,0:00:01.00,0:00:02.50,Default,Ann,0,0,0,,{\\an8}Where is,\\Nthe boat?\n"
    "Dialogue: 1,0:00:01.00,0:00:02.50,Default,Ann,0,0,0,,{\\bord3}Where is,\\Nthe boat?\n"
    "Dialogue: 0,0:00:03.00,0:00:04.00,Default,,0,0,0,,{\\p1}m 0 0 l 9 9{\\p0}\n"
)
VTT = (
    "WEBVTT - made by hand\nKind: captions\nLanguage: en-GB\n\nSTYLE\n::cue { color: red }\n\n"
    "NOTE nobody says\nthis\n\nintro\n00:01.000 --> 00:02.000 align:start\n"
    "<v Ann>Salt &amp; bread\n\nNOTE nor this\n\nsecond one\n"
    "00:00:02.000 --> 00:00:03.000\n- [door slams]\n- Run!\n"
)


def write(folder: Path, name: str, text: str = SRT, *, encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def best(media_path: Path, *languages: str) -> Track | None:
    known = languages or ("en",)
    return chosen(tracks_of(media_path, languages=known), languages=known)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "cp1252"]
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_a_cue_is_one_line_without_markup_in_any_encoding(
    tmp_path: Path, encoding: str, line_end: str
) -> None:
    text = SRT.replace("boat", "båten på sjøen") * 3
    path = write(tmp_path, "film.srt", text.replace("\n", line_end), encoding=encoding)
    assert read_subtitles(path) == (Cue(1.0, 2.5, "Where is the båten på sjøen?"),)


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ("cp1251", "Послушай, мы должны следовать нашим желаниям. У тебя есть твои роботы."),
        ("koi8-r", "Послушай, мы должны следовать нашим желаниям. У тебя есть твои роботы."),
        ("shift_jis", "左に見えるのは、すべて安全、完璧に安全だ。ケガはないか？"),
        ("gb18030", "我们必须追随自己的激情，你有你的机器人。"),
        ("cp1256", "يجب أن نتبع شغفنا"),
        ("cp1255", "אנחנו חייבים ללכת אחרי התשוקות שלנו"),
        ("cp1250", "Musíme následovat své vášně, žluťoučký kůň"),
        ("cp1253", "Πρέπει να ακολουθήσουμε τα πάθη μας, έχεις τα ρομπότ σου."),
    ],
)
def test_other_scripts_are_read_in_the_encodings_of_their_countries(
    tmp_path: Path, encoding: str, words: str
) -> None:
    blocks = (f"{n}\n00:00:{n:02},000 --> 00:00:{n:02},900\n{words}\n" for n in range(1, 21))
    path = write(tmp_path, "film.srt", "\n".join(blocks), encoding=encoding)
    assert read_subtitles(path)[0].text == words


def test_the_language_decides_between_encodings_that_fit_alike(tmp_path: Path) -> None:
    words = "Tutkularımızın peşinden gitmeliyiz"
    write(tmp_path, "film.tr.srt", SRT.replace("the boat", words), encoding="cp1254")
    (track,) = tracks_of(tmp_path / "film.mp4", languages=["en"])
    assert read_track(track)[0].text == f"Where is {words}?"


def test_webvtt_gives_its_cues_without_notes_styles_and_names(tmp_path: Path) -> None:
    assert read_subtitles(write(tmp_path, "film.vtt", VTT)) == (
        Cue(1.0, 2.0, "Salt & bread", "Ann"),
        Cue(2.0, 3.0, "Run!", None, ("door slams",)),
    )


@pytest.mark.parametrize("suffix", ["ass", "ssa"])
def test_ass_gives_each_line_once_without_drawings_and_comments(
    tmp_path: Path, suffix: str
) -> None:
    text = ASS if suffix == "ass" else ASS.replace("v4.00+", "v4.00").replace("V4+", "V4")
    path = write(tmp_path, f"film.{suffix}", text)
    assert read_subtitles(path) == (Cue(1.0, 2.5, "Where is, the boat?", "Ann"),)


def test_the_language_the_profile_knows_is_chosen(tmp_path: Path) -> None:
    for name in ("film.ru.srt", "film.en.srt", "film.srt", "other.en.srt"):
        write(tmp_path, name)
    tracks = tracks_of(tmp_path / "film.mp4", languages=["en"])
    assert [track.name for track in tracks] == ["film.en.srt", "film.srt", "film.ru.srt"]
    assert [track.language for track in tracks] == ["en", None, "ru"]
    assert [track.name for track in tracks_of(tmp_path / "film.mp4", languages=["ru", "en"])] == [
        "film.ru.srt", "film.en.srt", "film.srt",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("film.en.srt", "en"),
        ("film.EN.SRT", "en"),
        ("film.eng.srt", "en"),
        ("film.en-GB.srt", "en-gb"),
        ("film.pt_BR.srt", "pt-br"),
        ("film.zh-Hant-TW.srt", "zh-hant-tw"),
        ("film.en.sdh.srt", "en"),
        ("film.forced.en.vtt", "en"),
        ("film.en.hi.srt", "en"),
        ("film.captions.en.vtt", "en"),
        ("film.hi.srt", "hi"),
        ("film.sdh.srt", None),
        ("film.und.srt", None),
    ],
)
def test_a_name_tells_language_and_flags(tmp_path: Path, name: str, language: str | None) -> None:
    write(tmp_path, name)
    (track,) = tracks_of(tmp_path / "film.mp4", languages=["en"])
    flags = {flag for flag in ("forced", "sdh", "captions", "en.hi") if flag in name}
    assert (track.name, track.language, track.source) == (name, language, "sidecar")
    assert (track.forced, track.hearing_impaired) == ("forced" in flags, bool(flags - {"forced"}))


@pytest.mark.parametrize(
    "name",
    ["film.3.srt", "film.2024.en.srt", "film.part.srt", "film.en.fr.srt", "film2.srt",
     "film.chapters.en.vtt"],
)  # fmt: skip
def test_a_name_with_more_in_it_is_of_another_film(tmp_path: Path, name: str) -> None:
    write(tmp_path, name)
    assert tracks_of(tmp_path / "film.mp4", languages=["en"]) == []


def test_subtitles_of_the_film_beside_are_left_to_it(tmp_path: Path) -> None:
    for name in ("Alien.3.srt", "Up.en.srt", "Up.en.sdh.srt"):
        write(tmp_path, name)
    for name in ("Alien.mp4", "Alien.3.mp4", "Up.mp4", "Up.en.mkv"):
        (tmp_path / name).touch()
    found = {
        name: track and track.name
        for name in ("Alien.mp4", "Alien.3.mp4", "Up.mp4", "Up.en.mkv")
        for track in [best(tmp_path / name)]
    }
    assert found == {
        "Alien.mp4": None, "Alien.3.mp4": "Alien.3.srt", "Up.mp4": None, "Up.en.mkv": "Up.en.srt",
    }  # fmt: skip


def test_full_goes_before_hearing_impaired_before_forced(tmp_path: Path) -> None:
    for name in ("film.en.forced.srt", "film.en.cc.srt", "film.en.vtt"):
        write(tmp_path, name, VTT if name.endswith("vtt") else SRT)
    names = [track.name for track in tracks_of(tmp_path / "film.mp4", languages=["en"])]
    assert names == ["film.en.vtt", "film.en.cc.srt", "film.en.forced.srt"]


@pytest.mark.parametrize(
    "name", ["film.en.ad.srt", "film.dvs.en.srt", "film.descriptions.en.vtt", "film.en.vtt"]
)
def test_a_description_is_no_dialogue_and_names_nobody(tmp_path: Path, name: str) -> None:
    text = SRT.replace("<i>Where is</i>", "DIRECTOR: Ann Lee [cheers]")
    if name == "film.en.vtt":  # only its head tells
        text = "WEBVTT\nKind: descriptions\n\n" + text
    write(tmp_path, name, text)
    (track,) = tracks_of(tmp_path / "film.mp4", languages=["en"])
    assert (track.kind, track.language) == ("description", "en")
    assert best(tmp_path / "film.mp4") is None
    (cue,) = read_track(track)
    assert (cue.text, cue.speaker, cue.sounds) == ("DIRECTOR: Ann Lee the boat?", None, ("cheers",))


def test_what_a_name_leaves_open_the_head_of_the_file_tells(tmp_path: Path) -> None:
    write(tmp_path, "a.vtt", VTT)
    write(tmp_path, "b.xml", '<tt xml:lang="fr-CA" xmlns="http://www.w3.org/ns/ttml"/>')
    languages = [best(tmp_path / f"{name}.mp4") for name in "ab"]
    assert [track and track.language for track in languages] == ["en-gb", "fr-ca"]


def test_ttml_and_scenarist_files_may_count_from_the_films_timecode(tmp_path: Path) -> None:
    body = '<body><div><p begin="3601s" end="3602s">Hi.</p></div></body>'
    write(tmp_path, "film.ttml", f'<tt xmlns="http://www.w3.org/ns/ttml">{body}</tt>')
    (track,) = tracks_of(tmp_path / "film.mp4", languages=["en"])
    assert read_track(replace(track, zero_s=3600.0)) == (Cue(1.0, 2.0, "Hi."),)
    assert read_track(replace(track, zero_s=7200.0)) == (Cue(3601.0, 3602.0, "Hi."),)


def test_a_sidecar_that_cannot_be_read_is_told_by_the_reader(tmp_path: Path) -> None:
    (tmp_path / "film.srt").mkdir()
    write(tmp_path, "film.en.srt")
    good, bad = tracks_of(tmp_path / "film.mp4", languages=["en"])
    assert (good.content_hash != "", bad.content_hash) == (True, "")
    with pytest.raises(InputError, match=r"film\.srt"):
        read_track(bad)
    read = read_all([good, bad])
    assert [(track.name, len(cues), "film.srt" in note) for track, cues, note in read] == [
        ("film.en.srt", 1, False), ("film.srt", 0, True),
    ]  # fmt: skip


def test_a_film_without_subtitles_or_without_a_folder_has_none(tmp_path: Path) -> None:
    assert tracks_of(tmp_path / "film.mp4", languages=["en"]) == []
    assert tracks_of(tmp_path / "nowhere" / "film.mp4", languages=["en"]) == []


@pytest.mark.parametrize(
    ("suffix", "text"),
    [
        ("srt", ""),
        ("srt", "not subtitles at all"),
        ("srt", "1\n00:00:02,000 --> 00:00:01,000\nx"),
        ("srt", "1\n00:00:01,000 --> 00:00:02,000\n<i></i>\n"),
        ("vtt", "WEBVTT\n"),
        ("ass", "[Events]\nDialogue: 0,soon,later,Default,,0,0,0,,x\n"),
        ("ass", "not subtitles at all"),
        ("ttml", "<tt/>"),
        ("xml", "<title>Film</title>"),
        ("scc", "Scenarist_SCC V1.0\n"),
    ],
)
def test_a_file_without_cues_is_named(tmp_path: Path, suffix: str, text: str) -> None:
    path = write(tmp_path, f"film.{suffix}", text)
    with pytest.raises(InputError, match=rf"^film\.{suffix}"):
        read_subtitles(path)


def test_a_file_too_large_for_words_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "film.srt"
    with path.open("wb") as stream:
        stream.truncate(1 << 30)  # a hole: it takes no room on disk
    (track,) = tracks_of(tmp_path / "film.mp4", languages=["en"])
    with pytest.raises(InputError, match="larger than 32 MiB"):
        read_track(track)


@pytest.mark.parametrize("filler", ["\n", " \n", "<a", "< ", "[", "(", "{", "♪", "A: ", "&amp"])
def test_a_file_of_one_thing_over_and_over_is_read_in_a_moment(tmp_path: Path, filler: str) -> None:
    text = SRT.replace("the boat?", f"x\n{filler * 200_000}\nthe boat?")
    (first, *_) = read_subtitles(write(tmp_path, "film.srt", text))
    assert first.text.startswith("Where is")
