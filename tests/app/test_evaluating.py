"""`trimbin evaluate` as people type it, and the labels files it reads."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from labelled import creepy_labels, eerie, make_labelled, popularity_labels
from PIL import Image

from app.cli import main
from app.labels.sheet import labels_in, read_labels, write_labels
from indexer.library import Library
from indexer.probes.kept import kept_probe
from indexer.probes.label import Label
from indexer.versions import register
from qdrant.errors import InputError


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("evaluated")
    library = make_labelled(folder)
    write_labels(folder / "creepy.csv", creepy_labels(), library)
    write_labels(folder / "clicks.csv", popularity_labels(), library)
    return folder


def trimbin(folder: Path, *arguments: object, expect: int = 0) -> Result:
    command = ["evaluate", *map(str, arguments), "--library", str(folder / "library")]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == expect, result.output
    return result


def test_a_table_a_row_of_vectors_a_line(kept: Path, tmp_path: Path) -> None:
    told = trimbin(
        kept, "retrieval", kept / "creepy.csv", "--csv", tmp_path / "t.csv", "--plot",
        tmp_path / "t.png",
    )  # fmt: skip
    first, head, *rows = told.stdout.splitlines()
    assert first == "retrieval: average precision; 96 clips of 8 titles, 8 folds by title"
    assert head.split() == ["row", "value", "95", "%", "over", "95", "%"]
    assert [row.split()[0] for row in rows] == ["video", "audio", "fused"]
    value, low, _, high = rows[0].split()[1:5]
    assert 0.8 < float(low) <= float(value) <= float(high) <= 1
    assert rows[1].split()[5] == "video"
    assert float(rows[1].split()[6]) < -0.3  # the sound does not tell
    assert "has no text vectors of these clips" in told.stderr
    table = list(csv.DictReader(io.StringIO((tmp_path / "t.csv").read_text())))
    assert [row["row"] for row in table] == ["video", "audio", "fused"]
    assert (table[0]["against"], table[1]["against"]) == ("", "video")
    assert float(table[0]["value"]) == pytest.approx(float(value), abs=0.0006)
    with Image.open(tmp_path / "t.png") as picture:
        assert picture.size == (720, 44 + 3 * 34 + 32)


def test_the_winner_and_json(kept: Path) -> None:
    told = json.loads(
        trimbin(kept, "winner", kept / "clicks.csv", "--row", "video", "--json").stdout
    )
    assert (told["task"], told["measure"]) == ("winner", "top-1 over chance")
    [row] = told["rows"]
    assert (row["row"], row["clips"], row["titles"], row["gain"]) == ("video", 96, 8, None)
    assert row["value"] > 0.5


def test_labels_are_kept_and_asked_again(tmp_path: Path) -> None:
    library = make_labelled(tmp_path)
    write_labels(tmp_path / "tones.csv", creepy_labels(), library)
    asked = trimbin(tmp_path, "tone", expect=2)
    assert "keeps no labels for tone; give a file of them" in asked.stderr
    first = trimbin(tmp_path, "tone", tmp_path / "tones.csv", "--keep")
    assert "The probe on video is kept: " in first.stderr
    probe = kept_probe(library, "tone")
    assert probe is not None
    assert (probe.row, probe.classes) == ("video", ("creepy",))
    assert len(probe.labels_hash) == 64
    assert trimbin(tmp_path, "tone").stdout == first.stdout
    trimbin(tmp_path, "tone", "--row", "audio", "--keep")
    probe = kept_probe(library, "tone")
    assert probe is not None
    assert probe.row == "audio"


def test_another_version_beside_the_one_in_use(tmp_path: Path) -> None:
    library = make_labelled(tmp_path)
    write_labels(tmp_path / "creepy.csv", creepy_labels(), library)
    version = register(library, library.profile, anew=True)
    refused = trimbin(
        tmp_path, "retrieval", tmp_path / "creepy.csv", "--version", version.version, expect=1
    )
    assert f"run `trimbin versions backfill {version.version}`" in refused.stderr
    from labelled import vectors_of, write_title

    for number in range(8):
        write_title(version, number, vectors_of(number))
    told = trimbin(
        tmp_path, "retrieval", tmp_path / "creepy.csv", "--version", version.version, "--json"
    )
    rows = json.loads(told.stdout)["rows"]
    assert [(row["version"], row["row"]) for row in rows] == [
        (which.version, row) for which in (library, version) for row in ("video", "audio", "fused")
    ]
    assert [row["gain"] for row in rows[3:]] == [0, 0, 0]  # the same vectors
    assert [row["against"] for row in rows[3:]] == ["video", "audio", "fused"]


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("winner", "clicks.csv", "--keep"), 2, "keep that one: `trimbin evaluate popularity"),
        (("tone", "creepy.csv", "--row", "taste"), 2, "no row 'taste'; there are video, audio"),
        (("tone", "creepy.csv", "--version", "nought"), 2, "no version 'nought'"),
        (("popularity", "creepy.csv"), 2, "Clips differ in popularity in 0 titles"),
        (("taste", "creepy.csv"), 2, "'taste' is not one of 'ads', 'popularity'"),
    ],
)
def test_what_cannot_be_asked(
    kept: Path, arguments: tuple[str, ...], code: int, sentence: str
) -> None:
    task, file, *others = arguments
    if sentence.startswith("Clips differ"):
        (kept / "same.csv").write_text(
            "title,start,end,label\n" + "".join(f"Film {n},0,2,x\n" for n in range(8))
        )
        file = "same.csv"
    told = trimbin(kept, task, kept / file, *others, expect=code)
    assert sentence in " ".join(told.stderr.split())


def test_a_labels_file_is_read_by_seconds_timecode_and_frames(kept: Path) -> None:
    library = Library.open(kept / "library")
    text = (
        "Start;End;Title;Label;Value;By\n"
        "2;0:04;Film 1;creepy;;\n"
        "96f;144f;film-2;'=odd;0,25;Ann\n"
        "\n"
        "00:00:06:00;00:00:08:00;FILM 3;;;\n"
    )
    labels, problems = labels_in(text, library)
    assert problems == []
    assert labels == [
        Label("film-1", 48, 96, "creepy", 1.0, ""),
        Label("film-2", 96, 144, "=odd", 0.25, "Ann"),
        Label("film-3", 144, 192, "", 1.0, ""),
    ]


def test_what_is_written_is_read_back(kept: Path, tmp_path: Path) -> None:
    library = Library.open(kept / "library")
    labels = [
        Label("film-0", 0, 576, 'two, "three"', 0.1234567, "=Ann"),
        Label("film-1", 1, 2, "", 0, "Zoë"),
    ]
    write_labels(tmp_path / "labels.csv", labels, library)
    assert "Film 0,0f,576f," in (tmp_path / "labels.csv").read_text(encoding="utf-8-sig")
    assert read_labels(tmp_path / "labels.csv", library) == labels
    twin = next(m for m in library.titles() if m.title_id == "film-1")
    from dataclasses import replace

    library.finish(replace(twin, title="film 0"))  # now the name is not enough
    try:
        write_labels(tmp_path / "labels.csv", labels, library)
        assert "film-0,0f,576f," in (tmp_path / "labels.csv").read_text(encoding="utf-8-sig")
        assert read_labels(tmp_path / "labels.csv", library)[1] == labels[1]
    finally:
        library.finish(twin)


def test_every_bad_row_is_named_by_its_line(kept: Path, tmp_path: Path) -> None:
    library, path = Library.open(kept / "library"), tmp_path / "bad.csv"
    path.write_text(
        "title,start,end,label,value\n"
        "Film 1,0,2,creepy,\n"
        "Film 99,0,2,creepy,\n"
        "Film 1,4,2,creepy,\n"
        "Film 1,0,900f,creepy,\n"
        "Film 1,0,2,creepy,much\n"
        ",0,2,creepy,\n"
    )
    with pytest.raises(InputError) as raised:
        read_labels(path, library)
    told = str(raised.value)
    assert told.startswith("bad.csv: Line 3: No title is called 'Film 99' here.")
    assert "Line 4: a clip cannot run from 4 to 2." in told
    assert "Line 5: Film 1 has no 900f; it has 576 frames." in told
    assert "Line 6: 'much' is no value; write a number, 1 for yes, 0 for no." in told
    assert "Line 7: it names no title." in told
    path.write_text("title,from,to\n")
    with pytest.raises(
        InputError, match="no column start and none end and none label; the columns"
    ):
        read_labels(path, library)
    path.write_text("title,start,end,label\n")
    with pytest.raises(InputError, match=r"bad\.csv has no labels"):
        read_labels(path, library)


def test_eerie_is_what_the_labels_say() -> None:
    """The hand-made truth itself: a third of each title is creepy."""
    assert sum(label.label == "creepy" for label in creepy_labels(1)) == (eerie(0) > 0.3).sum() == 4
