"""`trimbin versions` and `trimbin rebuild` as people type them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from harness import need_offline_profile
from safetensors.numpy import save_file
from shelf import add_title, make_film, make_library

from app.cli import main
from indexer.catalogue import open_catalogue
from indexer.library import Library
from indexer.manifest import Manifest
from qdrant.sparse import copy_folder

DIM = 384
TEXT_FILE = "text@minilm.safetensors"
WORDS = """
name = "words"
description = "What is said, and nothing else."
confidence_floor = 0.2
[encoders.text]
kind = "minilm"
dim = 384
languages = ["en"]
[ranking.text]
floor = 0.2
ceiling = 0.8
[ranking.line]
floor = 0.15
ceiling = 0.75
half = 5.0
"""


@pytest.fixture(scope="module", autouse=True)
def _few_indexes() -> Iterator[None]:
    """Make shards with few payload indexes: all of them take seconds on a slow disk."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("qdrant.edge_types.PAYLOAD_INDEXES", {"title_id": "keyword"})
        yield


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library with one title under the offline profile, and a profile of words alone."""
    need_offline_profile()
    folder = tmp_path_factory.mktemp("kept")
    (folder / "words.toml").write_text(WORDS)
    library = make_library(folder / "library")
    film = make_film(folder / "Day.mp4", seconds=6)
    manifest = add_title(library, film, dialogue=["rain"], spaces={"text": TEXT_FILE})
    vectors = np.eye(manifest.num_shots, DIM, dtype=np.float32)
    save_file({"shots": vectors}, library.folder(manifest.title_id) / TEXT_FILE)
    with open_catalogue(library, command="test"):
        pass
    return library.root


@pytest.fixture
def root(kept: Path, tmp_path: Path) -> Path:
    copy_folder(kept, tmp_path / "library")
    return tmp_path / "library"


def trimbin(root: Path, *arguments: object, expect: int = 0) -> Result:
    command = [*map(str, arguments), "--library", str(root)]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == expect, result.output
    return result


def listed(root: Path) -> list[dict[str, Any]]:
    return list(json.loads(trimbin(root, "versions", "--json").stdout))


def film_in(root: Path) -> Manifest:
    [manifest] = Library.open(root).titles()
    return manifest


def test_a_version_from_registering_to_rolling_back(kept: Path, root: Path) -> None:
    [first] = listed(root)
    assert (first["profile"], first["titles"], first["total"]) == ("offline", 1, 1)
    assert (first["in_use"], first["validated"], first["complete"]) == (True, False, True)

    profile = kept.parent / "words.toml"
    registered = trimbin(root, "versions", "register", "--profile", profile, "--json")
    name = json.loads(registered.stdout)["id"]
    assert name.startswith("words-")
    assert f"Next: trimbin versions backfill {name}" in registered.stderr
    assert [(v["titles"], v["in_use"]) for v in listed(root)] == [(1, True), (0, False)]

    refused = trimbin(root, "versions", "switch", name, expect=2)
    assert "lacks 1 of 1 titles (Day)" in refused.stderr
    assert "has not been validated" in refused.stderr

    backfilled = trimbin(root, "versions", "backfill", name, "--json")
    line = json.loads(backfilled.stdout)
    assert (line["title"], line["shots"], line["status"]) == ("Day", 3, "backfilled")
    assert "0 titles left" in backfilled.stderr
    assert trimbin(root, "versions", "backfill", name).stdout == ""

    validated = json.loads(trimbin(root, "versions", "validate", name, "--json").stdout)
    assert validated["passed"]
    assert {finding["gate"] for finding in validated["findings"]} == {
        "titles",
        "vectors",
        "context",
    }

    trimbin(root, "versions", "switch", name)
    table = trimbin(root, "versions").stdout.splitlines()
    assert [line.startswith("*") for line in table] == [False, True]
    assert "words     1 of 1 titles  in use; validated" in table[1]
    assert Library.open(root).profile.name == "words"

    back = json.loads(trimbin(root, "versions", "roll-back", "--json").stdout)
    assert back == {"in_use": first["id"], "before": name}
    assert "none before it" in trimbin(root, "versions", "roll-back", expect=2).stderr


def test_what_fails_is_named_with_its_exit_code(kept: Path, root: Path) -> None:
    profile = kept.parent / "words.toml"
    registered = trimbin(root, "versions", "register", "--profile", profile, "--json")
    name = json.loads(registered.stdout)["id"]
    manifest = film_in(root)
    (root / "titles" / manifest.title_id / TEXT_FILE).unlink()
    failed = trimbin(root, "versions", "backfill", name, expect=1)
    assert "Day" in failed.stderr and "1 title left" in failed.stderr
    failed = trimbin(root, "versions", "validate", name, expect=1)
    assert "fail  titles" in failed.stdout
    assert f"{name} did not pass" in failed.stdout
    assert "no version 'x'" in trimbin(root, "versions", "validate", "x", expect=2).stderr
    trimbin(root, "versions", "register", "--profile", "offline", expect=2)


def test_the_library_may_be_named_before_the_subcommand(root: Path) -> None:
    result = CliRunner().invoke(main, ["versions", "--library", str(root), "roll-back"])
    assert result.exit_code == 2
    assert "none before it" in result.stderr


def test_rebuild_tells_what_it_did(root: Path) -> None:
    rebuilt = json.loads(trimbin(root, "rebuild", "--json").stdout)
    assert (rebuilt["titles"], rebuilt["shots"], rebuilt["damaged"]) == (1, 3, [])
    manifest = film_in(root)
    (root / "titles" / manifest.title_id / "shots.parquet").write_bytes(b"damaged")
    failed = trimbin(root, "rebuild", expect=1)
    assert "Published anew: 0 titles, 0 shots" in failed.stdout
    assert "Day is left out" in failed.stderr


def test_an_open_server_follows_a_switch(
    kept: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app import opened

    monkeypatch.setattr(opened.Opened, "warm_up", lambda held: None)
    monkeypatch.setattr(opened, "LEAVE_AFTER_S", 0.1)
    held = opened.Opened(lambda: root, command="test")
    first = held.catalogue
    try:
        assert held.encoders.profile.name == first.library.profile.name == "offline"
        assert held.catalogue is first
        register = trimbin(root, "versions", "register", "--profile", kept.parent / "words.toml")
        name = register.stdout.split()[0]
        trimbin(root, "versions", "backfill", name)
        trimbin(root, "versions", "validate", name)
        trimbin(root, "versions", "switch", name)
        assert held.encoders.profile.name == held.library.profile.name == "words"
    finally:
        held.close()
