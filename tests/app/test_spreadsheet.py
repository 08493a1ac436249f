"""A shortlist as CSV says the right frames and can do no harm in a spreadsheet."""

import csv
import io
from pathlib import Path

import pytest
from shelf import add_title, make_film, make_library

from app.export.spreadsheet import COLUMNS, harmless, to_csv
from app.proxy import proxy_for
from app.shortlist import Item, Pick, Shortlists, seconds_of
from indexer.library import Library
from indexer.manifest import Manifest

LINES = ("", "=cmd|' /C calc'!A0\nHe said: “née”, \"now\".", 'He said: “née”, "now".\nGo.')


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return make_library(tmp_path / "library")


@pytest.fixture
def film(library: Library, tmp_path: Path) -> Manifest:
    path = make_film(tmp_path / "@film.mp4")
    return add_title(library, path, title="+Amélie", dialogue=LINES, start_timecode="01:00:00:00")


def keep(library: Library, manifest: Manifest, start: int, end: int, **more: str) -> Item:
    return Shortlists.of(library).add("Selects", Pick.of(manifest, start, end, **more))


def read(sheet: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(sheet.decode("utf-8-sig"), newline="")))


def test_every_column_says_what_it_should(library: Library, film: Manifest) -> None:
    item = keep(library, film, 60, 108, note="-slow", query="a bird, flying")
    sheet = to_csv([item], library)
    assert sheet.startswith(b"\xef\xbb\xbftitle,in,out,")
    [row] = read(sheet)
    assert tuple(row) == COLUMNS
    assert row == {
        "title": "'+Amélie",
        "in": "01:00:02:12",
        "out": "01:00:04:12",
        "in_s": "2.5",
        "out_s": "4.5",
        "in_frame": "60",
        "out_frame": "108",
        "frames": "48",
        "duration_s": "2.0",
        "rate": "24",  # never "24/1": a date to Excel
        "path": film.path,
        "dialogue": "'=cmd|' /C calc'!A0 He said: “née”, \"now\". Go.",
        "note": "'-slow",
        "query": "a bird, flying",
        "shortlist": "Selects",
        "title_id": film.title_id,
    }


def test_rows_keep_the_order_of_the_list(library: Library, film: Manifest) -> None:
    items = [keep(library, film, start, start + 24) for start in (96, 0, 48)]
    assert [row["in_frame"] for row in read(to_csv(items, library))] == ["96", "0", "48"]


def test_the_films_own_file_is_named_never_the_preview(library: Library, film: Manifest) -> None:
    proxy_for(library, film, 1.0, 2.0)
    [row] = read(to_csv([keep(library, film, 24, 48)], library))
    assert row["path"] == film.path


def test_ntsc_drop_frame_counts_as_the_film_does(library: Library, tmp_path: Path) -> None:
    path = make_film(tmp_path / "ntsc.mp4", "-r", "30000/1001", "-c:v", "libx264", seconds=2)
    manifest = add_title(library, path, drop_frame=True, start_timecode="00:59:59;28")
    [row] = read(to_csv([keep(library, manifest, 2, 32)], library))
    assert (row["in"], row["out"], row["rate"]) == ("01:00:00;00", "01:00:01;00", "30000/1001")
    assert row["out_s"] == "1.068"


def test_sound_alone_has_seconds_but_no_timecode(library: Library, tmp_path: Path) -> None:
    manifest = add_title(library, make_film(tmp_path / "talk.wav", "-c:a", "pcm_s16le", seconds=1))
    [row] = read(to_csv([keep(library, manifest, 250, 900)], library))
    assert (row["in"], row["out"], row["in_s"], row["duration_s"]) == ("", "", "0.25", "0.65")


def test_frames_of_a_variable_rate_have_the_seconds_they_were_seen_at(
    library: Library, film: Manifest
) -> None:
    """The first shot lasts 4 s and the second 1 s, though both have 48 frames."""
    shots_file = library.folder(film.title_id) / "shots.parquet"
    shots = library.shots(film.title_id).iloc[:2]
    shots.assign(start_s=[0.0, 4.0], end_s=[4.0, 5.0]).to_parquet(shots_file)
    spans = [(0, 48), (24, 72), (48, 96), (72, 120)]
    rows = read(to_csv([keep(library, film, *span) for span in spans], library))
    assert [(row["in_s"], row["out_s"], row["duration_s"]) for row in rows] == [
        ("0.0", "4.0", "4.0"),
        ("2.0", "4.5", "2.5"),
        ("4.0", "5.0", "1.0"),
        ("4.5", "6.0", "1.5"),  # past the last shot: at the title's rate from there on
    ]


def test_an_out_point_on_a_cut_is_where_the_shot_before_it_ends(
    library: Library, film: Manifest
) -> None:
    shots_file = library.folder(film.title_id) / "shots.parquet"
    shots = library.shots(film.title_id).iloc[:2]
    shots.assign(start_s=[0.0, 3.0], end_s=[2.0, 5.0]).to_parquet(shots_file)
    items = [keep(library, film, 0, 48), keep(library, film, 48, 96)]
    assert [seconds_of(item, library) for item in items] == [(0.0, 2.0), (3.0, 5.0)]


def test_a_title_that_has_gone_keeps_its_row(library: Library, film: Manifest) -> None:
    item = keep(library, film, 24, 48)
    for path in sorted(library.folder(film.title_id).rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    [row] = read(to_csv([item], Library.open(library.root)))
    assert (row["title"], row["path"], row["in"], row["in_s"]) == ("'+Amélie", "", "", "1.0")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_formulas_are_disarmed(start: str) -> None:
    assert harmless(f"{start}1+1") == f"'{start}1+1"


def test_numbers_and_ordinary_words_stay_as_they_are() -> None:
    assert harmless(-1.5) == -1.5
    assert harmless("it's = fine") == "it's = fine"
