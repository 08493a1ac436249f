"""`trimbin conform`: a real reel's trailer comes back; what is none is refused in a sentence."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import pycmx
import pytest
from click.testing import CliRunner
from shelf import add_title, make_film, make_library

from app.cli import main
from app.conforming.conform import Conformed, keep, told
from app.conforming.edl import edl_of, write_edl
from app.importing.edl import read
from app.shortlist import Shortlists
from indexer.conforming.segment import Segment
from indexer.library import Library
from qdrant.errors import CannotRunNow

FOUND: dict[str, Any] = {"title": "Harbour", "confidence": 0.9, "is_exact": True}


@pytest.fixture
def shelf(tmp_path: Path) -> tuple[Library, str]:
    """A library of one film of 288 frames at 24, and the film's id."""
    library = make_library(tmp_path / "library")
    manifest = add_title(
        library, make_film(tmp_path / "harbour.mp4"), title="Harbour", start_timecode="10:00:00:00"
    )
    return library, manifest.title_id


def by_hand(title_id: str) -> Conformed:
    """Two seconds as they are, a crossfade into one at half speed, a card."""
    return Conformed(
        "My trailer.mp4",
        "24/1",
        108,
        (
            Segment(0, 60, title_id, start_frame=24, end_frame=84, **FOUND),
            Segment(48, 84, title_id, start_frame=120, end_frame=138, speed=0.5, pace=0.5,
                    crossfade_frames=12, **FOUND),
            Segment(84, 108),
        ),
    )  # fmt: skip


def test_the_edl_gives_the_trailer_back(shelf: tuple[Library, str]) -> None:
    library, title_id = shelf
    lines = edl_of(by_hand(title_id), library).splitlines()
    assert (
        lines[3] == "001  HARBOUR  V     C        10:00:01:00 10:00:03:00 01:00:00:00 01:00:02:00"
    )
    dissolve = [
        "002  HARBOUR  V     C        10:00:03:00 10:00:03:00 01:00:02:00 01:00:02:00",
        "002  HARBOUR  V     D    012 10:00:05:00 10:00:05:18 01:00:02:00 01:00:03:12",
        "M2   HARBOUR  012.0                10:00:05:00",
        "* FROM CLIP NAME: Harbour",
        "* TO CLIP NAME: Harbour",
    ]
    assert lines[6:11] == dissolve
    assert (
        lines[12] == "003  BL       V     C        00:00:00:00 00:00:01:00 01:00:03:12 01:00:04:12"
    )


def test_others_read_the_edl(shelf: tuple[Library, str], tmp_path: Path) -> None:
    library, title_id = shelf
    path = tmp_path / "cut.edl"
    path.write_text(edl_of(by_hand(title_id), library))
    with path.open() as stream:
        [first, second, third] = pycmx.parse_cmx3600(stream).events
    assert first.edits[0].record_out == second.edits[-1].record_in == "01:00:02:00"
    assert second.edits[-1].transition.dissolve
    assert second.edits[-1].transition.operand == "012"
    assert third.edits[0].black
    spans = [(one.start.timecode, one.end.timecode) for one in read(path.read_text()).selects]
    assert spans == [("10:00:01:00", "10:00:03:00"), ("10:00:05:00", "10:00:05:18")]


def test_an_edl_that_is_there_stays_as_it_is(shelf: tuple[Library, str], tmp_path: Path) -> None:
    library, title_id = shelf
    (tmp_path / "out").mkdir()
    theirs = tmp_path / "out" / "My_trailer.edl"
    theirs.write_text("an editor's own")
    assert write_edl(by_hand(title_id), library, tmp_path / "out").name == "My_trailer_2.edl"
    assert theirs.read_text() == "an editor's own"
    with pytest.raises(CannotRunNow, match="cannot be written"):
        write_edl(by_hand(title_id), library, theirs / "no folder")


def test_what_was_found_is_kept_in_the_trailers_order_and_told(
    shelf: tuple[Library, str],
) -> None:
    library, title_id = shelf
    conformed = by_hand(title_id)
    assert [(i.start_frame, i.end_frame) for i in keep(conformed, library, "T")] == [
        (24, 84), (120, 138)]  # fmt: skip
    notes = [item.note for item in Shortlists.of(library).items("T")]
    assert notes == ["0:00.00 - 0:02.50 of My trailer.mp4",
                     "0:02.00 - 0:03.50 of My trailer.mp4, at 50% of its speed"]  # fmt: skip
    assert list(told(conformed, library)) == [
        "0:00.00 - 0:02.50  Harbour  10:00:01:00 - 10:00:03:12",
        "0:02.00 - 0:03.50  Harbour  10:00:05:00 - 10:00:05:18, 50% speed, crossfade of 12 frames",
        "0:03.50 - 0:04.50 is from nowhere in the library",
    ]
    assert Shortlists.of(library).undo("T") == "Conformed My trailer.mp4"


def ffmpeg(*arguments: object) -> None:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-y", *map(str, arguments)]
    subprocess.run(command, check=True, timeout=120)


def conform(root: Path, path: Path, *options: str, code: int = 0) -> Any:
    result = CliRunner().invoke(
        main, ["conform", str(path), "--library", str(root), "--json", *options]
    )
    assert result.exit_code == code, result.output
    return json.loads(result.stdout) if code == 0 else result.stderr


@pytest.fixture(scope="module")
def library_root(reel_library: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("conform") / "library"
    shutil.copytree(reel_library, root)
    return root


@pytest.fixture(scope="module")
def trailer(library_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The coffee, the cat at half speed, and bars of colour; graded, smaller, and silent."""
    film = Library.open(library_root).titles()[0].path
    path = tmp_path_factory.mktemp("trailer") / "teaser.mp4"
    graph = (
        "[0:v]trim=start_frame=54:end_frame=90,setpts=PTS-STARTPTS[a];"
        "[0:v]trim=start_frame=6:end_frame=30,setpts=2*(PTS-STARTPTS),fps=24[b];"
        "smptebars=size=480x270:rate=24:duration=1[c];"
        "[a][b][c]concat=n=3,eq=gamma=0.8:saturation=0.3,scale=320:180[v]"
    )
    ffmpeg("-i", film, "-filter_complex", graph, "-map", "[v]", "-an", "-c:v", "libx264",
           "-crf", "24", path)  # fmt: skip
    return path


def test_a_silent_graded_trailer_comes_back_as_a_list_and_an_edl(
    library_root: Path, trailer: Path, tmp_path: Path
) -> None:
    told = conform(library_root, trailer, "--list", "Back", "-f", "edl", "--into", str(tmp_path))
    coffee, cat, bars = told["segments"]
    # The photographs move half a pixel a frame: a frame or two more or less look the same.
    assert (coffee["clip_start_frame"], coffee["clip_end_frame"]) == (0, 36)
    assert coffee["start_frame"] == pytest.approx(54, abs=4)
    assert 48 <= coffee["start_frame"] < coffee["end_frame"] <= 96
    assert cat["clip_start_frame"] == 36
    assert 0 <= cat["start_frame"] < cat["end_frame"] <= 48
    assert bars["title_id"] is None
    assert told["told"][-1].endswith("is from nowhere in the library")
    assert told["moments"] == len(Shortlists.of(Library.open(library_root)).items("Back")) == 2
    assert "TITLE: teaser" in Path(told["edl"]).read_text()


def test_a_finished_trailer_counts_in_coverage(library_root: Path, trailer: Path) -> None:
    title = Library.open(library_root).titles()[0].title
    result = CliRunner().invoke(
        main, ["coverage", title, str(trailer), "--library", str(library_root), "--json"]
    )
    told = json.loads(result.stdout)
    assert told["assets"] == ["teaser.mp4"]
    assert 1.5 <= told["used_s"] <= 3.5  # the coffee's 36 frames, and 24 of the cat


def test_a_trailer_of_another_film_is_from_nowhere(library_root: Path, tmp_path: Path) -> None:
    other = make_film(tmp_path / "other.mp4", seconds=3)
    told = conform(library_root, other, "-f", "edl", "--into", str(tmp_path / "out"))
    assert (told["list"], told["moments"], told["edl"]) == (None, 0, None)
    assert {segment["title_id"] for segment in told["segments"]} == {None}
    assert "other" not in Shortlists.of(Library.open(library_root)).names()


def test_a_film_that_is_off_line_gives_whole_shots_and_says_so(
    library_root: Path, trailer: Path
) -> None:
    library = Library.open(library_root)
    film = Path(library.titles()[0].path)
    away = film.rename(film.with_suffix(".away"))
    try:
        title = library.titles()[0].title
        told = conform(library_root, trailer, "--list", "Rough", "--title", title)
    finally:
        away.rename(film)
    found = [segment for segment in told["segments"] if segment["title_id"]]
    assert found
    assert not any(segment["is_exact"] for segment in found)
    assert "off line" in told["notes"][0]
    assert "whole shots" in told["told"][0]


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda path: path.write_bytes(b""), "is empty"),
        (lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n" * 9), "not a film or sound"),
        (lambda path: path.write_bytes(make_film(path.with_name("w.mp4")).read_bytes()[:4000]),
         "not a film or sound"),
        (lambda path: ffmpeg("-f", "lavfi", "-i", "sine=duration=1", path), "sound alone"),
        (lambda path: ffmpeg("-f", "lavfi", "-i", "testsrc2=duration=1:rate=1", path),
         "still picture"),
        (lambda path: None, "cannot be opened"),
    ],
    ids=["empty", "a picture", "cut short", "sound", "one frame", "not there"],
)  # fmt: skip
def test_what_is_no_trailer_is_refused_in_a_sentence(
    library_root: Path, tmp_path: Path, make: Any, sentence: str
) -> None:
    path = tmp_path / "file.mp4"
    make(path)
    complaint = conform(library_root, path, code=1)
    assert sentence in complaint
    assert "Traceback" not in complaint


def test_an_unknown_title_and_an_empty_library_are_used_wrongly(
    library_root: Path, trailer: Path, tmp_path: Path
) -> None:
    assert "No title is called 'Quay'" in conform(library_root, trailer, "--title", "Quay", code=2)
    empty = make_library(tmp_path / "empty")
    assert "no titles to compare with" in conform(empty.root, trailer, code=2)
