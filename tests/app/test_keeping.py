"""`trimbin remove`, `relink` and `map`, and what the page may do to a library."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from harness import run_trimbin
from shelf import add_title, make_film, make_library

from app import permission
from app.adding import Adding, Work
from app.cli import main
from app.permission import allow_changes, may_change, need_permission, paths_typed
from app.shortlist import Pick, Shortlists
from indexer.library import Library
from qdrant.errors import CannotRunNow, UsageError


def test_a_removed_title_is_found_no_more_until_it_is_brought_back(
    reel_library: Path, tmp_path: Path
) -> None:
    root = tmp_path / "library"
    shutil.copytree(reel_library, root)
    library = Library.open(root)
    [title] = library.titles()
    shortlists = Shortlists.of(library)
    shortlists.add("Selects", Pick.of(title, 0, 48))
    told = run_trimbin("remove", "photographs", "--library", root, "--json")
    assert json.loads(told)["status"] == "removed"
    assert json.loads(run_trimbin("search", "a cat", "--library", root, "--json"))["hits"] == []
    assert len(shortlists.items("Selects")) == 1
    assert "back" in run_trimbin("remove", "--undo", "Photographs", "--library", root)
    found = json.loads(run_trimbin("search", "a cat", "--library", root, "--json"))["hits"]
    assert found[0]["title"] == "Photographs"

    told = run_trimbin("map", "--library", root, "--json")
    assert json.loads(told)["shots"] == 6


def test_another_export_is_indexed_under_the_same_id(reel_library: Path, tmp_path: Path) -> None:
    root = tmp_path / "library"
    shutil.copytree(reel_library, root)
    [title] = Library.open(root).titles()
    other = make_film(tmp_path / "export.mp4", seconds=4)
    told = run_trimbin("relink", "Photographs", other, "--library", root)
    assert "Index it again" in told
    [line] = run_trimbin("index", other, "--library", root, "--json").splitlines()
    assert json.loads(line)["title_id"] == title.title_id
    assert json.loads(line)["status"] == "updated"
    [now] = Library.open(root).titles()
    assert (now.title_id, now.path, now.notes) == (title.title_id, str(other), now.notes)
    assert now.num_frames == 96
    assert not any("run `trimbin index`" in note for note in now.notes)


def test_names_that_are_none_or_several_are_sentences(tmp_path: Path) -> None:
    library = make_library(tmp_path / "library")
    for number in range(2):
        film = make_film(tmp_path / f"{number}.mp4", seconds=2 + number)
        add_title(library, film, title="Twin")
    options = ["--library", str(library.root)]
    for command in (["remove", "Twin"], ["relink", "Twin", str(tmp_path / "0.mp4")]):
        result = CliRunner().invoke(main, [*command, *options])
        assert result.exit_code in (1, 2)
        assert "2 titles are called 'Twin'; say which by its id" in result.stderr
    result = CliRunner().invoke(main, ["remove", "None", *options])
    assert "No title is called 'None' here. There are: 'Twin', 'Twin'." in result.stderr
    assert len(library.titles()) == 2


@pytest.fixture
def _page_permission(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permission, "_allowed", permission._Allowed())


@pytest.mark.usefixtures("_page_permission")
def test_only_a_page_for_this_machine_changes_the_library_unless_told() -> None:
    assert not may_change()
    for host, names, explicitly, allowed in (
        ("127.0.0.1", (), False, True),
        ("localhost", (), False, True),
        ("0.0.0.0", (), False, False),
        ("192.168.0.2", (), False, False),
        ("127.0.0.1", ("edit.example",), False, False),  # a proxy stands before it
        ("0.0.0.0", (), True, True),
    ):
        allow_changes(host=host, other_names=names, explicitly=explicitly)
        assert may_change() is allowed
    allow_changes(host="0.0.0.0", other_names=(), explicitly=False)
    with pytest.raises(CannotRunNow, match="--allow-changes"):
        need_permission()


def test_typed_paths_are_whole_ones() -> None:
    assert paths_typed(' /films/a b.mp4 \n\n"/films/c"') == [
        Path("/films/a b.mp4"),
        Path("/films/c"),
    ]
    assert paths_typed("~/x") == [Path.home() / "x"]
    for refused in ("--profile", "films/a.mp4", "http://127.0.0.1/a.mp4", "", "../a", "/a\0b"):
        with pytest.raises(UsageError):
            paths_typed(refused)
    with pytest.raises(UsageError, match="At most"):
        paths_typed("/a\n" * 51)


def test_work_is_followed_and_its_trouble_told(tmp_path: Path) -> None:
    root = make_library(tmp_path / "l").root
    asked = ["index", "--library", root, "--json", "--", tmp_path / "no"]
    work = Adding().begin("nothing", asked)
    work.process.wait(60)
    for reader in work._readers:
        reader.join(10)
    assert not work.is_running
    [failed] = work.results
    assert failed["status"] == "failed"
    assert work.trouble is None  # it is told file by file

    refused = Adding().begin("nothing", ["remove", "x", "--library", tmp_path / "none"])
    refused.process.wait(60)
    for reader in refused._readers:
        reader.join(10)
    assert refused.trouble
    assert refused.trouble.startswith("There is no library at")


def test_one_piece_of_work_at_a_time_and_it_can_be_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sleeper = tmp_path / "sleeper"
    sleeper.write_text(f"#!/bin/sh\nexec {sys.executable} -c 'import time; time.sleep(60)'\n")
    sleeper.chmod(0o755)
    monkeypatch.setattr("app.adding.sys.executable", str(sleeper))
    adding = Adding()
    work: Work = adding.begin("a film", [])
    with pytest.raises(CannotRunNow, match="already"):
        adding.begin("another", [])
    adding.put_away()
    assert adding.work is work
    adding.stop()
    for reader in work._readers:
        reader.join(10)
    assert not work.is_running
    assert work.was_stopped
    assert work.trouble is None
    adding.put_away()
    assert adding.work is None
