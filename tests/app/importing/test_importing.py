"""Selects of other programs land on the right frames of the right title."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import opentimelineio as otio
import pytest
from click.testing import CliRunner
from shelf import add_title, make_film, make_library

from app.cli import main
from app.importing.bring import Imported, import_selects
from app.importing.reading import MAX_BYTES, read_selects, selects_in
from app.shortlist import Shortlists
from indexer.library import Library
from qdrant.errors import InputError, UsageError


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return make_film(tmp_path_factory.mktemp("film") / "film.mp4", seconds=4).read_bytes()


@pytest.fixture
def library(film: bytes, tmp_path: Path) -> Library:
    """Three long titles by their manifests: 25, 23.976 and 29.97 drop-frame."""
    made = make_library(tmp_path / "library")
    titles: list[tuple[str, dict[str, Any]]] = [
        ("Rain_Day_A001.mov", {"rate": "25/1", "metadata": {"reel": "A001C003_0412"}}),
        ("Night.mov", {"rate": "24000/1001", "title": "The Night"}),
        ("Harbour.mov", {"rate": "30000/1001", "drop_frame": True}),
    ]
    for number, (name, changes) in enumerate(titles):
        path = tmp_path / name
        path.write_bytes(film + bytes(number))
        start = "01:00:00;00" if changes.get("drop_frame") else "01:00:00:00"
        add_title(made, path, start_timecode=start, num_frames=100_000, **changes)
    return made


def bring(library: Library, content: str | bytes, *, title: str | None = None) -> Imported:
    data = content if isinstance(content, bytes) else content.encode()
    origin = "from elsewhere"
    return import_selects(
        library, selects_in(data, origin), origin=origin, name="Selects", title=title
    )


def spans(imported: Imported) -> list[tuple[str, int, int]]:
    return [(item.title, item.start_frame, item.end_frame) for item in imported.items]


EDL = """TITLE: TRAILER V3
FCM: NON-DROP FRAME

001  A001C003 V     C        01:00:10:00 01:00:12:00 01:00:00:00 01:00:02:00
* FROM CLIP NAME: RAIN_DAY_A001.MOV
* LOC: 01:00:01:00 RED     caf\xe9, slow
002  A001C003 AA    C        01:00:10:00 01:00:12:00 01:00:00:00 01:00:02:00
003  AX       V     C        01:00:01:00 01:00:01:00 01:00:02:00 01:00:02:00
003  AX       V     D    024 01:00:02:00 01:00:04:00 01:00:02:00 01:00:04:00
* FROM CLIP NAME: Rain_Day_A001.mov
* TO CLIP NAME: Night.mov
M2   AX       024.0                01:00:02:00
004  BL       V     C        00:00:00:00 00:00:01:00 01:00:04:00 01:00:05:00
005  HARBOUR  V     C        01:01:00;02 01:10:00;00 01:00:05:00 01:09:05:00
* SOURCE FILE: ../../etc/passwd
006  A001C003 NONE  C        01:00:10:00 01:00:12:00 01:00:00:00 01:00:02:00
"""


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_an_edl(library: Library, encoding: str, line_end: str) -> None:
    imported = bring(library, EDL.replace("\n", line_end).encode(encoding))
    assert imported.problems == ()
    # 25: 10 s -> 250. 23.976: 2 s on the clock -> 48. Drop-frame: a minute is 1800 - 2 + 2 numbers
    # on from ;02, so 1:00;02 is frame 1800; ten minutes are 17982.
    assert spans(imported) == [
        ("Rain_Day_A001", 250, 300),
        ("The Night", 48, 96),
        ("Harbour", 1800, 17982),
    ]
    assert imported.items[0].note == "caf\xe9, slow"


def test_the_same_file_again_adds_nothing(library: Library) -> None:
    assert bring(library, EDL).added == 3
    assert bring(library, EDL).added == 0
    assert len(Shortlists.of(library).items("Selects")) == 3


def event(reel: str, start: str, end: str, number: int = 1) -> str:
    return f"{number:03}  {reel} V C {start} {end} 01:00:00:00 01:00:01:00\n"


def test_an_import_is_one_change_that_one_undo_takes_back(library: Library) -> None:
    imported = bring(library, EDL)
    lists = Shortlists.of(library)
    assert lists.history("Selects")[0].what == "Imported from elsewhere"
    lists.undo("Selects")
    assert lists.items("Selects") == []
    lists.redo("Selects")
    assert lists.items("Selects") == list(imported.items)


def test_marks_come_along_and_stay_as_somebody_set_them(library: Library) -> None:
    """The first event's marker is red; what has a colour or stars already keeps them."""
    imported = bring(library, EDL)
    first, second = imported.items[:2]
    assert (first.colour, second.colour) == ("red", "")
    Shortlists.of(library).colour(first.item_id, "cyan")
    assert bring(library, EDL).items[0].colour == "cyan"

    table = "title,in,out,stars,colour\nThe Night,01:00:00:00,01:00:02:00,{},{}\n"
    [night] = bring(library, table.format(4, "Fuchsia")).items
    assert (night.stars, night.colour) == (4, "pink")
    [night] = bring(library, table.format(99, "no colour")).items
    assert (night.stars, night.colour) == (4, "pink")


def test_what_lies_outside_is_told_with_the_range(library: Library) -> None:
    imported = bring(library, "TITLE: X\n" + event("A001C003", "05:00:00:00", "05:00:01:00"))
    # 100,000 frames at 25 are 1:06:40.
    assert imported.problems == (
        "Event 001 lies outside of 'Rain_Day_A001', which has 01:00:00:00 to 02:06:40:00.",
    )


def test_handles_past_the_edge_are_cut_and_told(library: Library) -> None:
    imported = bring(library, event("A001C003", "00:59:59:15", "01:00:01:00"))
    assert spans(imported) == [("Rain_Day_A001", 0, 25)]
    assert "10 frames past the edges" in imported.notes[0]
    assert bring(library, event("A001C003", "00:59:57:00", "01:00:01:00")).problems


def test_short_reels_are_told_apart_by_timecode_alone(
    library: Library, film: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "A001C003_0999.mov"
    path.write_bytes(film + b"other")
    add_title(library, path, rate="25/1", start_timecode="04:00:00:00", num_frames=2500)
    assert spans(bring(library, event("A001C003", "04:00:01:00", "04:00:02:00"))) == [
        ("A001C003_0999", 25, 50)
    ]
    twin = tmp_path / "A001C003_1111.mov"
    twin.write_bytes(film + b"twin")
    add_title(library, twin, rate="25/1", start_timecode="04:00:00:00", num_frames=2500)
    problem = bring(library, event("A001C003", "04:00:01:00", "04:00:02:00")).problems[0]
    assert "A001C003_0999" in problem and "A001C003_1111" in problem


def test_an_impossible_drop_frame_number(library: Library) -> None:
    problem = bring(library, event("HARBOUR", "01:01:00;00", "01:02:00;02")).problems[0]
    assert "Event 001 is not on the clock of 'Harbour'" in problem


CSV = (
    "Note;Reel;Source In;Source Out\n"
    "'=good;A001C003_0412;01:00:04:00;01:00:05:00\nbad;nobody;01:00:04:00;01:00:05:00\n"
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_tables(library: Library, encoding: str, delimiter: str) -> None:
    imported = bring(library, CSV.replace(";", delimiter).encode(encoding))
    assert spans(imported) == [("Rain_Day_A001", 100, 125)]
    assert imported.items[0].note == "=good"
    assert imported.problems == (
        "Line 3 is of 'nobody', which no title of the library answers to.",
    )


def test_our_own_table_comes_back(library: Library) -> None:
    from app.export.spreadsheet import to_csv

    first = bring(library, EDL)
    imported = bring(library, to_csv(first.items, library))
    assert (spans(imported), imported.added) == (spans(first), 0)


def test_an_ale(library: Library) -> None:
    ale = (
        "Heading\nFIELD_DELIM\tTABS\nFPS\t23.976\n\nColumn\nName\tTape\tStart\tEnd\n\nData\n"
        "Night\t\t01:00:01:00\t01:00:02:00\n"
    )
    assert spans(bring(library, ale)) == [("The Night", 24, 48)]


FCP7 = """<?xml version="1.0"?><!DOCTYPE xmeml><xmeml version="4"><sequence><media><video><track>
<clipitem><name>Harbour</name><rate><timebase>30</timebase><ntsc>TRUE</ntsc></rate>
<in>60</in><out>90</out><file id="f1"><name>Harbour.mov</name>
<pathurl>file://localhost/Volumes/x/Harbour.mov</pathurl></file></clipitem>
<clipitem><name>sub</name><in>5</in><out>15</out><file id="f1"/>
<subclipinfo><startoffset>100</startoffset></subclipinfo></clipitem>
<clipitem><name>nest</name><in>0</in><out>9</out><sequence><media><video><track>
<clipitem><name>Night.mov</name><in>7</in><out>8</out><file id="f2"><name>Night.mov</name></file>
</clipitem></track></video></media></sequence></clipitem></track></video></media></sequence></xmeml>
"""


def test_fcp7_xml(library: Library) -> None:
    assert spans(bring(library, FCP7)) == [
        ("Harbour", 60, 90),
        ("Harbour", 105, 115),
        ("The Night", 7, 8),
    ]


def test_fcpxml(library: Library) -> None:
    # The asset begins at 1:00:00:00 at 23.976, 86400 frames of 1001/24000 s; 48 frames further in.
    xml = """<?xml version="1.0"?><!DOCTYPE fcpxml><fcpxml version="1.10"><resources>
    <asset id="r1" name="Night" start="86486400/24000s" duration="100100000/24000s" hasVideo="1">
    <media-rep kind="original-media" src="file:///x/Night.mov"/></asset></resources><library>
    <spine><asset-clip ref="r1" name="best" start="86534448/24000s" duration="24024/24000s">
    <note>slow</note></asset-clip></spine></library></fcpxml>"""
    imported = bring(library, xml)
    assert spans(imported) == [("The Night", 48, 72)]
    assert imported.items[0].note == "slow"


def test_otio(library: Library) -> None:
    def clip(name: str, rate: float, available: int | None, start: int, length: int) -> Any:
        def span(first: int, count: int) -> Any:
            time = otio.opentime.RationalTime
            return otio.opentime.TimeRange(time(first, rate), time(count, rate))

        media = otio.schema.ExternalReference(
            f"file:///x/{name}.mov", span(available, 100_000) if available is not None else None
        )
        return otio.schema.Clip(name, media_reference=media, source_range=span(start, length))

    warped = clip("Night", 24000 / 1001, 86400, 86448, 10)
    warped.effects.append(otio.schema.LinearTimeWarp(time_scalar=2))
    nested = otio.schema.Stack(children=[clip("Harbour", 30000 / 1001, None, 107892 + 30, 30)])
    timeline = otio.schema.Timeline()
    timeline.tracks.append(
        otio.schema.Track(
            kind="Video", children=[otio.schema.Gap(), clip("Rain_Day_A001", 25, 0, 5, 20), warped]
        )
    )
    timeline.tracks.append(otio.schema.Track(kind="Video", children=[nested]))
    imported = bring(library, timeline.to_json_string())
    # 01:00:00;00 in drop-frame is count 107892.
    assert spans(imported) == [
        ("Rain_Day_A001", 5, 25),
        ("The Night", 48, 68),
        ("Harbour", 30, 60),
    ]


PREMIERE = (
    "Marker Name\tDescription\tIn\tOut\tDuration\tMarker Type\n"
    "wow\t\t01:00:01:00\t01:00:01:10\t00:00:00:10\tComment\n"
    "shot\tit\t01:00:02:05\t01:00:02:05\t00:00:00:00\tComment\n"
)
RESOLVE = (
    "TITLE: T\nFCM: NON-DROP FRAME\n\n"
    "001  001 V C        01:00:01:00 01:00:01:01 01:00:01:00 01:00:01:01  \n"
    " |C:ResolveColorBlue |M:wow |D:10\n\n"
    "002  001 V C        01:00:02:05 01:00:02:06 01:00:02:05 01:00:02:06  \n"
    "it |C:ResolveColorRed |M:shot |D:1\n"
)
AVID = "Jo\t01:00:01:00\tV1\tred\twow\t10\nJo\t01:00:02:05\tV1\tblue\tshot: it\t1\n"


@pytest.mark.parametrize(
    "content", [PREMIERE.encode("utf-16"), RESOLVE, AVID], ids=["premiere", "resolve", "avid"]
)
def test_markers(library: Library, content: str | bytes) -> None:
    imported = bring(library, content, title="rain_day_a001")
    # A second is 25 frames; frame 55 is in the shot of frames 48 to 96.
    assert spans(imported) == [("Rain_Day_A001", 25, 35), ("Rain_Day_A001", 48, 96)]
    assert [item.note for item in imported.items] == ["wow", "shot: it"]
    assert "--title" in bring(library, content).problems[0]


BOMB = """<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>
<xmeml>&b;</xmeml>"""
OUTSIDE = """<?xml version="1.0"?><!DOCTYPE l [<!ENTITY x SYSTEM "file:///etc/passwd">]>
<fcpxml>&x;</fcpxml>"""


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (BOMB, "entities"),
        (OUTSIDE, "entities"),
        (FCP7[:300], "damaged"),
        ("<html/>", "no edit list"),
        (b"\x00\x01\x02" * 1000, "no text"),
        ("just words", "none of the formats"),
        ("a,b\n1,2\n", "no columns for in and out"),
        ('{"OTIO_SCHEMA": "Timeline.1", ', "cannot be read"),
        ('{"OTIO_SCHEMA":' + "[" * 100_000, "cannot be read"),
        ('{"OTIO_SCHEMA": "Nothing.1"}', "no timeline"),
        ("Heading\nFPS\t25\n", "cut short"),
        ('in,out\n"' + "x" * 200_000, "cannot be read"),
        ("", "none of the formats"),
    ],
)
def test_what_is_no_edit_list_is_one_sentence(tmp_path: Path, content: Any, said: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=said):
        read_selects(path)


def test_sizes_are_bounded(tmp_path: Path) -> None:
    with (tmp_path / "large.edl").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(InputError, match="50 MB"):
        read_selects(tmp_path / "large.edl")
    many = tmp_path / "many.edl"
    many.write_text("".join(event("R", "01:00:00:00", "01:00:01:00", n) for n in range(100_000)))
    with pytest.raises(InputError, match="in parts"):
        read_selects(many)
    many.write_text(event("R", "01:00:00:00", "01:00:01:00") + "9" * 1_000_000)
    assert read_selects(many).problems == ("Line 2 is longer than any EDL's.",)


def test_the_command(library: Library, tmp_path: Path) -> None:
    (tmp_path / "cut.edl").write_text(EDL + event("NOBODY", "01:00:00:00", "01:00:01:00", 7))
    words = ["import", str(tmp_path / "cut.edl"), "--library", str(library.root), "--list", "T"]
    done = CliRunner().invoke(main, words)
    assert (done.exit_code, done.stdout) == (1, "T: 3 moments added.\n")
    assert "Event 007 is of 'NOBODY'" in done.stderr
    told = json.loads(CliRunner().invoke(main, [*words, "--json"]).stdout)
    assert (told["added"], len(told["items"]), len(told["problems"])) == (0, 3, 1)


def test_an_unknown_title_is_refused(library: Library) -> None:
    with pytest.raises(UsageError, match="names no single title"):
        bring(library, AVID, title="nobody")
