"""Lists, sheets and markers, read back by programs that are not ours."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import openpyxl
import opentimelineio as otio
import pandas as pd
import pycmx
import pytest
from xml_lists import HOSTILE, PATHS, RATES, make_list, make_source, noted, random_list

from app.export.cutlist import CutList
from app.export.formats import Options, format_named
from indexer.media.timecode import frames_of, timecode_of
from indexer.progress import silent
from qdrant.errors import UsageError

SEEDS = range(200)
TEXTUAL = (
    "csv", "xlsx", "json", "otio", "edl", "edl-long", "ale",
    "markers-premiere", "markers-resolve", "markers-avid",
)  # fmt: skip


def written(cuts: CutList, folder: Path, name: str) -> Path:
    [path] = format_named(name).writer()(cuts, folder, options=Options(), progress=silent)
    return path


def with_picture(cuts: CutList) -> CutList:
    """Return a list without its cuts of sound alone, which have no timecode."""
    return replace(cuts, cuts=tuple(cut for cut in cuts.cuts if cut.source.has_picture))


def spans(cuts: CutList) -> list[tuple[str, str, str, str]]:
    return [
        (cut.source_in, cut.source_out, cuts.record_in(cut), cuts.record_out(cut))
        for cut in cuts.cuts
    ]


@pytest.mark.parametrize("rate", RATES)
def test_an_edl_says_every_frame_as_it_is(rate: str, tmp_path: Path) -> None:
    for seed in SEEDS:
        cuts = with_picture(random_list(seed, rate))
        if not cuts.cuts:
            continue
        for name in ("edl", "edl-long"):
            told = written(cuts, tmp_path, name).read_bytes().decode("ascii")
            events = pycmx.parse_cmx3600(io.StringIO(told, newline=None)).events
            edits = [edit for event in events for edit in event.edits]
            read = [(e.source_in, e.source_out, e.record_in, e.record_out) for e in edits]
            assert read == spans(cuts)
            assert [e.channels.video for e in edits] == [True] * len(edits)
            for edit, cut in zip(edits, cuts.cuts, strict=True):
                assert edit.channels.a1 == (cut.source.channels >= 1)
                assert edit.channels.a3 == (cut.source.channels >= 3)
                if name == "edl-long":
                    assert edit.source == cut.source.reel.replace(" ", "_")


def test_reels_of_eight_characters_are_told_apart(tmp_path: Path) -> None:
    sources = [make_source(number, Fraction(25)) for number in range(12)]
    reels = ["A001C002_long", "A001C002_other", "a001c002", "BL", "AX", "", *["REEL"] * 6]
    sources = [replace(s, reel=reel) for s, reel in zip(sources, reels, strict=True)]
    cuts = make_list([(source, 0, 25) for source in sources], Fraction(25))
    [*lines] = written(cuts, tmp_path, "edl").read_text().splitlines()
    said = [line[5:13].strip() for line in lines if line[:3].isdigit()]
    assert said[:5] == ["A001C002", "A001C0X2", "A001C0X3", "BLX2", "AXX2"]
    assert len(set(said)) == 12


def test_the_out_point_is_the_frame_after_the_last(tmp_path: Path) -> None:
    """In Resolve a cut was a frame too long where this went wrong (PySceneDetect 516)."""
    cuts = make_list([(make_source(1, Fraction(24), start=None), 48, 96)], Fraction(24))
    told = written(cuts, tmp_path, "edl").read_text()
    assert "00:00:02:00 00:00:04:00 01:00:00:00 01:00:02:00" in told


def test_fifteen_minutes_into_ntsc_nothing_has_drifted(tmp_path: Path) -> None:
    """A default of 25 frames a second put cuts off by 20 to 30 s (autoEdit_2 26)."""
    rate = Fraction(30000, 1001)
    frame = round(900 * rate)
    cuts = make_list([(make_source(1, rate, start=None, num_frames=40_000), frame, frame + 30)],
                     rate)  # fmt: skip
    told = written(cuts, tmp_path, "edl").read_text()
    event = next(line for line in told.splitlines() if line.startswith("001"))
    assert event.split()[4] == "00:14:59:03"  # 26,973 frames at a nominal 30 a second


def test_start_timecode_reel_and_rates_reach_the_list(tmp_path: Path) -> None:
    """OpenTimelineIO 1385, 168 and 759: start ignored, reels lost, rates mixed up."""
    source = make_source(1, Fraction(25), start="10:00:00:00")
    cuts = make_list([(source, 50, 100)], Fraction(24))
    told = written(cuts, tmp_path, "edl-long").read_text()
    assert (
        "REEL_001_A_long_one AA/V  C        10:00:02:00 10:00:04:00 01:00:00:00 01:00:02:00" in told
    )
    assert "M2   REEL_001_A_long_one 025.0                10:00:02:00" in told


def test_what_an_edl_cannot_say_is_refused(tmp_path: Path) -> None:
    source = make_source(1, Fraction(25), num_frames=100_000)
    many = make_list([(source, n, n + 1) for n in range(1000)], Fraction(25))
    with pytest.raises(UsageError, match="at most 999 events"):
        written(many, tmp_path, "edl")
    sound = make_source(2, Fraction(1000), start=None, size=(0, 0))
    with pytest.raises(UsageError, match="sound alone"):
        written(make_list([(sound, 0, 1000)], Fraction(25)), tmp_path, "edl")


@pytest.mark.parametrize("rate", RATES)
def test_a_bin_for_avid_says_every_frame_as_it_is(rate: str, tmp_path: Path) -> None:
    for seed in SEEDS:
        cuts = with_picture(random_list(seed, rate))
        cuts = replace(cuts, cuts=tuple(c for c in cuts.cuts if c.source.rate == cuts.rate))
        if not cuts.cuts:
            continue
        lines = written(cuts, tmp_path, "ale").read_text(encoding="utf-8").split("\n")
        columns = lines[lines.index("Column") + 1].split("\t")
        rows = [dict(zip(columns, line.split("\t"), strict=True))
                for line in lines[lines.index("Data") + 1 :] if line]  # fmt: skip
        assert [(r["Start"], r["End"]) for r in rows] == [s[:2] for s in spans(cuts)]
        assert [r["Tape"] for r in rows] == [c.source.reel for c in cuts.cuts]


@pytest.mark.parametrize("rate", RATES)
def test_sheets_say_every_frame_as_it_is(rate: str, tmp_path: Path) -> None:
    for seed in SEEDS:
        cuts = with_picture(random_list(seed, rate))
        if not cuts.cuts:
            continue
        table = pd.read_csv(written(cuts, tmp_path, "csv"), encoding="utf-8-sig")
        told = list(zip(table["in"], table["out"], table["record_in"], table["record_out"],
                        strict=True))  # fmt: skip
        assert told == spans(cuts)
        assert table["in_frame"].tolist() == [cut.start_frame for cut in cuts.cuts]
        document = json.loads(written(cuts, tmp_path, "json").read_text(encoding="utf-8"))
        assert [(c["source_in"], c["source_out"], c["record_in"], c["record_out"])
                for c in document["cuts"]] == spans(cuts)  # fmt: skip
        assert Fraction(document["rate"]) == cuts.rate


@pytest.mark.parametrize("rate", RATES)
def test_markers_stand_where_the_cuts_begin(rate: str, tmp_path: Path) -> None:
    for seed in SEEDS:
        cuts = random_list(seed, rate)
        begins = [cuts.record_in(cut) for cut in cuts.cuts]
        lengths = [cut.record_end - cut.record_start for cut in cuts.cuts]
        told = written(cuts, tmp_path, "markers-premiere").read_text("utf-8")
        premiere = list(csv.DictReader(io.StringIO(told), delimiter="\t", quoting=csv.QUOTE_NONE))
        assert [row["In"] for row in premiere] == begins
        assert [row["Out"] for row in premiere] == [cuts.record_out(cut) for cut in cuts.cuts]
        assert [frames_of(row["Duration"], rate=cuts.rate) for row in premiere] == lengths
        avid_lines = written(cuts, tmp_path, "markers-avid").read_text("utf-8").splitlines()
        avid = [line.split("\t") for line in avid_lines]
        assert [(row[1], int(row[5])) for row in avid] == list(zip(begins, lengths, strict=True))
        resolve = written(cuts, tmp_path, "markers-resolve").read_text("ascii").splitlines()
        assert [line.split()[4] for line in resolve if line[:3].isdigit()] == begins
        assert [int(line.split("|D:")[1]) for line in resolve if "|D:" in line] == lengths


def test_a_workbook_has_numbers_as_numbers_and_no_formula(tmp_path: Path) -> None:
    for rate in RATES:
        cuts = noted(with_picture(random_list(1, rate)), note="=1+1", stars=3, colour="red")
        sheet = openpyxl.load_workbook(written(cuts, tmp_path, "xlsx")).active
        head, *rows = list(sheet.iter_rows(values_only=True))
        told = [dict(zip(head, row, strict=True)) for row in rows]
        assert [row["in_frame"] for row in told] == [cut.start_frame for cut in cuts.cuts]
        assert {(row["note"], row["stars"], row["colour"]) for row in told} == {("=1+1", 3, "red")}
        assert "f" not in {cell.data_type for row in sheet.iter_rows() for cell in row}


def test_an_otio_file_is_read_by_opentimelineio(tmp_path: Path) -> None:
    for rate in RATES:
        cuts = random_list(2, rate)
        timeline = otio.adapters.read_from_file(str(written(cuts, tmp_path, "otio")))
        start = timeline.global_start_time
        read = timecode_of(start.to_frames(), rate=cuts.rate, drop_frame=cuts.drop_frame)
        assert read == cuts.record_timecode(cuts.record_start)
        assert len(timeline.tracks[0]) == len(cuts.cuts)


@pytest.mark.parametrize("name", TEXTUAL)
@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_hostile_words_stay_within_their_line(name: str, number: int, tmp_path: Path) -> None:
    words, path = HOSTILE[number], PATHS[number % len(PATHS)]
    source = replace(make_source(1, Fraction(25), path=path, title=words), reel=words)
    cuts = noted(make_list([(source, 0, 25)] * 2, Fraction(25), name=words), note=words)
    file = written(cuts, tmp_path, name)
    assert file.parent == tmp_path
    content = file.read_bytes()
    if name.startswith("edl") or name == "markers-resolve":
        lines = content.decode("ascii").splitlines()
        assert sum(line[:3].isdigit() for line in lines) == 2
        assert all(line.isprintable() for line in lines)
    if name == "csv":
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
        assert len(rows) == 2
        assert not rows[0]["note"].startswith("=")
    if name in ("markers-avid", "markers-premiere"):
        assert {line.count("\t") for line in content.decode().split("\n") if line} == {5}
