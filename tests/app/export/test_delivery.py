"""Shortlists delivered: into folders and zips, rights asked, what fails told and the rest made."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from harness import run_trimbin
from shelf import add_title, make_film, make_library

from app.export.assembling import Settings
from app.export.delivery import RECORD_FILE, deliver
from app.export.formats import format_named
from app.shortlist import Pick, Shortlists
from indexer.library import Library
from indexer.manifest import Manifest
from qdrant.errors import UsageError


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """A library with a film whose rights have ended, another at 25 frames, and two shortlists."""
    library = make_library(tmp_path / "library")
    ended = {"rights_to": "2020-12-31"}
    old = add_title(library, make_film(tmp_path / "Old Film.mp4", seconds=4), metadata=ended)
    new = add_title(library, make_film(tmp_path / "New Film.mp4", seconds=4, rate=25))
    keep(library, "Old", old, 24, 48)
    keep(library, "New", new, 25, 50)
    return library


def keep(library: Library, name: str, title: Manifest, start_frame: int, end_frame: int) -> None:
    Shortlists.of(library).add(name, Pick.of(title, start_frame, end_frame))


EDL, SHEET, BIN = (format_named(name) for name in ("edl", "csv", "ale"))


def test_one_list_lies_in_the_folder_and_several_in_one_each(
    library: Library, tmp_path: Path
) -> None:
    [edl] = deliver(library, ["New"], [EDL], tmp_path / "out").files
    assert edl == tmp_path / "out" / "New.edl"
    assert "00:00:01:00 00:00:02:00 01:00:00:00 01:00:01:00" in edl.read_text()
    files = deliver(library, ["New", "Old"], [EDL, SHEET], tmp_path / "out",
                    settings=Settings(allow_expired=True)).files  # fmt: skip
    told = [str(path.relative_to(tmp_path / "out")) for path in files]
    assert told == ["New/New.edl", "New/New.csv", "Old/Old.edl", "Old/Old.csv"]


def test_what_is_out_of_its_rights_goes_out_only_when_allowed_and_is_recorded(
    library: Library, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="1 of 1 moments are out of their rights window"):
        deliver(library, ["Old"], [EDL], tmp_path)
    assert not (library.root / RECORD_FILE).exists()
    allowed = deliver(library, ["Old"], [EDL], tmp_path, settings=Settings(allow_expired=True))
    assert "OUT OF ITS RIGHTS WINDOW" in allowed.files[0].read_text()
    [line] = (library.root / RECORD_FILE).read_text(encoding="utf-8").splitlines()
    record = json.loads(line)
    assert (record["lists"], record["formats"]) == (["Old"], ["edl"])
    assert record["expired"] == [{"title": "Old Film", "in": "00:00:01:00", "out": "00:00:02:00"}]


def test_a_list_has_handles_of_its_own_unless_others_are_asked_for(
    library: Library, tmp_path: Path
) -> None:
    Shortlists.of(library).handle("New", 10)
    [edl] = deliver(library, ["New"], [EDL], tmp_path).files
    assert "00:00:00:15 00:00:02:10" in edl.read_text()
    [edl] = deliver(library, ["New"], [EDL], tmp_path, settings=Settings(handles=0)).files
    assert "00:00:01:00 00:00:02:00" in edl.read_text()
    lines = (library.root / RECORD_FILE).read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["settings"]["handles"] for line in lines] == [[10], [0]]


def test_a_files_name_is_the_same_on_any_machine(library: Library, tmp_path: Path) -> None:
    here = f"{tmp_path}/"
    mapped = Settings(maps=((here, "S:\\Films\\"),))
    [edl] = deliver(library, ["New"], [EDL], tmp_path, settings=mapped).files
    assert "* SOURCE FILE: New Film.mp4\n" in edl.read_text()


def test_mixed_rates_are_refused_with_the_way_out_or_conformed(
    library: Library, tmp_path: Path
) -> None:
    allowed = Settings(allow_expired=True)
    with pytest.raises(UsageError, match=r"24 \('Old Film'\), 25 \('New Film'\).*--rate"):
        deliver(library, ["Old", "New"], [EDL], tmp_path, settings=allowed, together="Both")
    conformed = replace(allowed, rate=Library.manifest(library, _title(library, "Old")).frame_rate)
    told = deliver(library, ["Old", "New"], [EDL, BIN], tmp_path, settings=conformed,
                   together="Both")  # fmt: skip
    [edl] = told.files
    assert edl.name == "Both.edl"
    assert "M2   NEWFILM  025.0                00:00:01:00" in edl.read_text()
    [refused] = told.failed
    assert refused.startswith("ale of 'Both': An ALE file has one frame rate")
    assert any("conformed to 24" in note for note in told.notes)


def _title(library: Library, name: str) -> str:
    return Shortlists.of(library).items(name)[0].title_id


def test_a_zip_is_there_whole_and_nothing_beside_it(library: Library, tmp_path: Path) -> None:
    into = tmp_path / "out" / "selects.zip"
    assert deliver(library, ["New"], [EDL, SHEET], into).files == (into,)
    assert [path.name for path in into.parent.iterdir()] == ["selects.zip"]
    with zipfile.ZipFile(into) as packed:
        assert packed.namelist() == ["selects/New.csv", "selects/New.edl"]


def test_the_command_says_what_it_wrote_and_what_it_could_not(
    library: Library, tmp_path: Path
) -> None:
    where = ("--library", library.root, "--into", tmp_path / "out")
    told = json.loads(run_trimbin("export", "New", "-f", "edl", "--handles", 10, *where, "--json"))
    [file] = told["files"]
    assert "00:00:00:15 00:00:02:10" in Path(file).read_text()
    run_trimbin("export", "Nobody's", "-f", "edl", *where, expect=2)
    run_trimbin("export", "New", "-f", "vhs", *where, expect=2)
    run_trimbin("export", "New", "Old", "-f", "ale", "--together", "Both", "--rate", "24",
                "--allow-expired", *where, expect=1)  # fmt: skip
