"""`trimbin shortlist`, from the outside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from shelf import add_title, make_film, make_library

from app.cli import main


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of one film of 288 frames at 24."""
    base = tmp_path_factory.mktemp("command")
    library = make_library(base / "library")
    add_title(library, make_film(base / "harbour.mp4"), title="Harbour")
    return library.root


def trimbin(root: Path, command: str, *arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(main, ["shortlist", command, *arguments, "--library", str(root)])
    assert result.exit_code == code, result.output
    return result.output


def test_a_list_is_built_and_changed(root: Path) -> None:
    trimbin(root, "add", "Harbour", "00:00:01:00", "2.5", "--list", "Cut", "--by", "Ada")
    trimbin(root, "add", "harbour", "120f", "0:06", "--list", "Cut", "--note", "boats")
    shown = json.loads(trimbin(root, "show", "Cut", "--json"))
    spans = [(item["start_frame"], item["end_frame"]) for item in shown["items"]]
    assert spans == [(24, 60), (120, 144)]
    first, second = (str(item["item_id"]) for item in shown["items"])

    told = trimbin(root, "trim", first, "--in", "+5f", "--out", "00:00:03:00")
    assert "00:00:01:05 - 00:00:03:00" in told
    trimbin(root, "star", first, "3")
    trimbin(root, "note", second, "=slow")
    trimbin(root, "move", second, "--before", first)
    lines = trimbin(root, "show", "Cut").splitlines()
    assert [line.split()[0] for line in lines] == [second, first]
    assert lines[0].endswith('Harbour  "=slow"')
    assert lines[1].endswith("Harbour  ***")

    trimbin(root, "remove", second)
    assert "Removed Harbour" in trimbin(root, "undo", "Cut")
    history = trimbin(root, "history", "Cut").splitlines()
    assert "Undone: Removed Harbour [120, 144)" in history[0]
    assert "Ada  Added Harbour [24, 60)" in history[-2]
    trimbin(root, "history", "Cut", "--restore", history[-2].split()[0])
    assert len(trimbin(root, "show", "Cut").splitlines()) == 1

    trimbin(root, "rename", "Cut", "Trailer")
    trimbin(root, "delete", "Trailer")
    assert "No shortlist is called 'Trailer'" in trimbin(root, "show", "Trailer", code=2)
    trimbin(root, "delete", "Trailer", "--recover")
    listed = CliRunner().invoke(main, ["shortlist", "--library", str(root)]).output
    assert listed == "Trailer  (1 moment)\n"


def test_what_cannot_be_is_a_sentence(root: Path) -> None:
    assert "No list has an item 999" in trimbin(root, "remove", "999", code=2)
    assert "Harbour has no 1:00" in trimbin(root, "add", "Harbour", "1", "1:00", code=2)
    assert "No title is called 'Quay'" in trimbin(root, "add", "Quay", "1", "2", code=2)


def test_every_command_ends_with_an_example() -> None:
    for command in main.commands["shortlist"].commands:  # type: ignore[attr-defined]
        told = CliRunner().invoke(main, ["shortlist", command, "--help"]).output
        assert f"Example: trimbin shortlist {command}" in told
