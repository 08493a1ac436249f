"""Subtitles inside films that ffmpeg made: found, chosen, and read on the pictures' clock."""

import math
import os
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import imageio_ffmpeg
import pytest
from shelf import make_film

from indexer.media.probe import probe
from indexer.words.captions import CaptionDecoder
from indexer.words.cues import Cue
from indexer.words.embedded import read_streams
from indexer.words.subtitles import read_subtitles
from indexer.words.tracks import chosen, read_all, read_track, tracks_of
from qdrant.errors import InputError

ENGLISH = "1\n00:00:00,500 --> 00:00:01,500\n<i>Where is</i>\nthe boat?\n\n" \
          "2\n00:00:01,500 --> 00:00:02,250\nANN: [door slams] Run!\n"  # fmt: skip
NORWEGIAN = "1\n00:00:00,500 --> 00:00:01,500\nHvor er båten?\n"
ASS = (
    "[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\nFormat: Name, Fontname, Fontsize\n"
    "Style: Default,Arial,20\n\n[Events]\n"
    "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
    "Dialogue: 0,0:00:00.50,0:00:01.50,Default,Bob,0,0,0,,{\\an8}Where is,\\Nthe boat?\n"
    "Dialogue: 0,0:00:01.50,0:00:02.00,Default,,0,0,0,,{\\p1}m 0 0 l 9 9{\\p0}\n"
)
SCC = (
    "Scenarist_SCC V1.0\n\n00:00:00:00\t9420 9420 94f2 94f2 c8e5 ecec ef80 942f 942f\n\n"
    "00:00:02:00\t942c 942c\n"
)
HELLO = bytes.fromhex("fc9420 fc94f2 fcc8e5 fcecec fcef80 fc942f")
SAID = (Cue(0.5, 1.5, "Where is the boat?"), Cue(1.5, 2.25, "Run!", "ANN", ("door slams",)))
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac")


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Subtitle files to be put into films, in a folder where no film lies."""
    folder = tmp_path_factory.mktemp("texts")
    files = {"en.srt": ENGLISH, "no.srt": NORWEGIAN, "en.ass": ASS, "en.scc": SCC}
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def mux(path: Path, film: Path, *options: str | Path, words: Sequence[Path] = ()) -> Path:
    """Put subtitle files into a copy of a film; `options` are ffmpeg's for the output."""
    inputs = [part for source in (film, *words) for part in ("-i", source)]
    maps = [part for number in range(len(words) + 1) for part in ("-map", str(number))]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *inputs, *maps, "-c:v", "copy",
               "-c:a", "copy", *options, path]  # fmt: skip
    subprocess.run([str(part) for part in command], check=True, timeout=60)
    return path


def replaced(film: Path, old: bytes, new: bytes) -> None:
    """Change bytes that stand in a film once, for as many others."""
    content = film.read_bytes()
    assert content.count(old) == 1 and len(old) == len(new)
    film.write_bytes(content.replace(old, new))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of three seconds without subtitles."""
    return make_film(tmp_path_factory.mktemp("plain") / "plain.mp4", *H264, seconds=3, size="64x48")


def test_an_mp4_gives_its_languages_apart(tmp_path: Path, plain: Path, texts: Path) -> None:
    film = mux(tmp_path / "film.mp4", plain, "-c:s", "mov_text",
               "-metadata:s:s:0", "language=nor", "-metadata:s:s:1", "language=eng",
               words=[texts / "no.srt", texts / "en.srt"])  # fmt: skip
    tracks = tracks_of(film, languages=["en"])
    assert [(t.source, t.kind, t.language, t.stream, t.unreadable) for t in tracks] == [
        ("embedded", "dialogue", "en", 3, ""), ("embedded", "dialogue", "no", 2, ""),
    ]  # fmt: skip
    assert [(t.language, cues, note) for t, cues, note in read_all(tracks)] == [
        ("en", SAID, ""), ("no", (Cue(0.5, 1.5, "Hvor er båten?"),), ""),
    ]  # fmt: skip
    for known, language in (["en"], "en"), (["no", "en"], "no"), (["de"], "no"):
        best = chosen(tracks, languages=known)
        assert best is not None and best.language == language


def test_a_matroska_film_gives_srt_and_ass_with_what_is_marked(
    tmp_path: Path, plain: Path, texts: Path
) -> None:
    film = mux(tmp_path / "film.mkv", plain, "-c:s:0", "ass", "-c:s:1", "srt", "-c:s:2", "srt",
               "-metadata:s:s:0", "language=eng", "-metadata:s:s:0", "title=English SDH",
               "-metadata:s:s:1", "language=eng", "-disposition:s:1", "forced",
               "-metadata:s:s:2", "language=nor", "-metadata:s:s:2", "title=Director's commentary",
               words=[texts / "en.ass", texts / "en.srt", texts / "no.srt"])  # fmt: skip
    tracks = tracks_of(film, languages=["en"])
    marks = [(t.name, t.hearing_impaired, t.forced, t.commentary) for t in tracks]
    assert marks == [
        ("stream 2 (English SDH)", True, False, False), ("stream 3", False, True, False),
        ("stream 4 (Director's commentary)", False, False, True),
    ]  # fmt: skip
    (_, drawn_out, _), (_, forced, _), (_, commentary, _) = read_all(tracks)
    assert drawn_out == (Cue(0.5, 1.5, "Where is, the boat?", "Bob"),)
    assert (forced, commentary) == (SAID, (Cue(0.5, 1.5, "Hvor er båten?"),))
    assert read_track(tracks[1]) == SAID


def test_cue_times_are_on_the_clock_of_pictures_that_start_late(
    tmp_path: Path, plain: Path, texts: Path
) -> None:
    film = tmp_path / "late.mkv"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-itsoffset", "0.4", "-i", plain,
               "-i", plain, "-i", texts / "en.srt", "-map", "0:v", "-map", "1:a", "-map", "2",
               "-c:v", "copy", "-c:a", "copy", "-c:s", "srt", film]  # fmt: skip
    subprocess.run([str(part) for part in command], check=True, timeout=60)
    assert probe(film).start_s == pytest.approx(0.4, abs=0.03)
    late_s = probe(film).start_s
    (track,) = tracks_of(film, languages=["en"])
    earlier = [replace(c, start_s=c.start_s - late_s, end_s=c.end_s - late_s) for c in SAID]
    assert [(c.start_s, c.end_s) for c in read_track(track)] == [
        pytest.approx((c.start_s, c.end_s), abs=0.002) for c in earlier
    ]


def test_sound_alone_counts_from_its_own_beginning(tmp_path: Path, texts: Path) -> None:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "lavfi", "-itsoffset", "0.25",
               "-i", "sine=duration=3", "-i", texts / "en.srt", "-map", "0", "-map", "1",
               "-c:a", "flac", "-c:s", "srt", tmp_path / "talk.mkv"]  # fmt: skip
    subprocess.run([str(part) for part in command], check=True, timeout=60)
    (track,) = tracks_of(tmp_path / "talk.mkv", languages=["en"])
    assert [c.start_s for c in read_track(track)] == pytest.approx([0.25, 1.25], abs=0.002)


def test_a_film_without_subtitles_has_no_tracks(plain: Path) -> None:
    assert tracks_of(plain, languages=["en"]) == []
    assert chosen([], languages=["en"]) is None
    assert read_streams(plain, [0, 2, 99]) == {}  # no stream of words is asked for


def test_a_sidecar_goes_before_the_same_words_inside(
    tmp_path: Path, plain: Path, texts: Path
) -> None:
    film = mux(tmp_path / "film.mkv", plain, "-c:s", "srt", "-metadata:s:s:0", "language=eng",
               words=[texts / "en.srt"])  # fmt: skip
    (tmp_path / "film.en.srt").write_text(ENGLISH.replace("boat", "ship"), encoding="utf-8")
    tracks = tracks_of(film, languages=["en"])
    assert [track.source for track in tracks] == ["sidecar", "embedded"]
    best = chosen(tracks, languages=["en"])
    assert best is not None and read_track(best)[0].text == "Where is the ship?"


def test_a_caption_track_of_quicktime_is_read(tmp_path: Path, plain: Path, texts: Path) -> None:
    film = mux(tmp_path / "film.mov", plain, "-c:s", "copy", words=[texts / "en.scc"])
    (track,) = tracks_of(film, languages=["en"])
    assert track.hearing_impaired and not track.unreadable
    (cue,) = read_track(track)
    assert cue.text == "Hello"
    # ffmpeg leaves out the last sample, which has no length; the one before stands until then.
    assert (cue.start_s, cue.end_s) == pytest.approx((0.0, 2.0), abs=0.05)


def test_captions_at_a_time_no_film_reaches_are_passed_over() -> None:
    decoder = CaptionDecoder()
    for time_s in (9e18, -9e18, math.inf, math.nan):
        decoder.see(time_s, HELLO)
    assert decoder.cues() == ()
    decoder.see(1.0, HELLO)
    decoder.see(3.0, b"")
    (cue,) = decoder.cues()
    assert (cue.text, cue.start_s) == ("Hello", 1.0)
    assert 3.0 < cue.end_s < 4.0


def test_control_codes_of_damaged_captions_are_not_written() -> None:
    decoder = CaptionDecoder()
    decoder.see(1.0, HELLO.replace(bytes.fromhex("fcef80"), bytes.fromhex("fcef80 fcc110")))
    decoder.see(2.0, b"")
    (cue,) = decoder.cues()
    assert cue.text == "HelloA"


def test_pictures_of_words_are_told_and_never_chosen(
    tmp_path: Path, plain: Path, texts: Path
) -> None:
    film = mux(tmp_path / "film.mkv", plain, "-c:s", "srt", words=[texts / "en.srt"])
    replaced(film, b"S_TEXT/UTF8", b"S_HDMV/PGS\x00")  # as a Blu-ray's is called
    (track,) = tracks_of(film, languages=["en"])
    assert "pictures, not words" in track.unreadable
    assert chosen([track], languages=["en"]) is None
    ((_, cues, note),) = read_all([track])
    assert (cues, note) == ((), f"film.mkv, stream 2, cannot be read: {track.unreadable}.")


def test_a_stream_that_ffmpeg_cannot_decode_is_told(
    tmp_path: Path, plain: Path, texts: Path
) -> None:
    film = mux(tmp_path / "film.mkv", plain, "-c:s", "srt", words=[texts / "en.srt"])
    replaced(film, b"S_TEXT/UTF8", b"S_TEXT/ABCD")
    (track,) = tracks_of(film, languages=["en"])
    assert "no decoder" in track.unreadable
    assert chosen([track], languages=["en"]) is None


def test_a_stream_whose_words_are_gone_is_named(tmp_path: Path, plain: Path, texts: Path) -> None:
    film = mux(tmp_path / "film.mkv", plain, "-c:s", "srt", "-metadata:s:s:0", "title=Signs",
               words=[texts / "no.srt"])  # fmt: skip
    words = "Hvor er båten?".encode()
    replaced(film, words, b" " * len(words))
    (track,) = tracks_of(film, languages=["en"])
    with pytest.raises(InputError, match=r"film\.mkv, stream 2 \(Signs\), holds no subtitles"):
        read_track(track)


def test_a_film_that_vanished_is_told_for_each_of_its_tracks(
    tmp_path: Path, plain: Path, texts: Path
) -> None:
    film = mux(tmp_path / "film.mkv", plain, "-c:s", "srt",
               words=[texts / "en.srt", texts / "no.srt"])  # fmt: skip
    tracks = tracks_of(film, languages=["en"])
    film.unlink()
    assert [(cues, "film.mkv" in note) for _, cues, note in read_all(tracks)] == [((), True)] * 2


@pytest.mark.media
def test_the_words_in_a_real_film_are_those_in_the_file_beside_it() -> None:
    folder = Path(os.environ.get("TRIMBIN_MEDIA", "not set"))
    film, beside = folder / "nasa_13013.mp4", folder / "subs" / "nasa_13013.en.srt"
    if not (film.is_file() and beside.is_file()):
        pytest.skip("set TRIMBIN_MEDIA to a folder with nasa_13013.mp4 and subs/nasa_13013.en.srt")
    outside = read_subtitles(beside)
    inside = [t for t in tracks_of(film, languages=["en"]) if t.source == "embedded"]
    assert [(t.stream, t.language) for t in inside] == [(2, "en"), (5, "en")]
    assert len(outside) == 4
    assert [cues for _, cues, _ in read_all(inside)] == [outside, outside]
