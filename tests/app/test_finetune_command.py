"""`trimbin finetune` as people call it, and a library indexed with what it wrote."""

import json
from pathlib import Path

import pytest
from captioned import CAPTIONS, write_clip, write_pairs, write_tiny_profile
from click.testing import CliRunner

from app.cli import main
from indexer.library import Library


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("command")
    write_pairs(folder, num_clips=4)
    write_tiny_profile(folder)
    return folder


def test_pairs_become_a_profile_that_a_library_is_indexed_with(
    folder: Path, tmp_path: Path
) -> None:
    command = ["finetune", folder / "pairs.csv", "--out", tmp_path / "tuned", "--profile",
               folder / "tiny.toml", "--epochs", 3, "--batch", 12, "--frames", 2, "--rate", 0.005,
               "--device", "cpu"]  # fmt: skip
    done = CliRunner().invoke(main, [str(word) for word in command])
    assert done.exit_code == 0, done.output
    assert "find their shot first, among 12:" in done.stdout
    assert "Training adapters of rank 8 on 36 pairs; 12 are held out" in done.stderr
    profile = tmp_path / "tuned" / "tiny-tuned.toml"
    assert str(profile) in done.stdout

    write_clip(tmp_path / "film.mp4", CAPTIONS[:4], seed=9)
    index = [
        "index",
        tmp_path / "film.mp4",
        "--profile",
        profile,
        "--library",
        tmp_path / "library",
    ]
    indexed = CliRunner().invoke(main, [str(word) for word in index])
    assert indexed.exit_code == 0, indexed.output
    library = Library.open(tmp_path / "library")
    assert library.profile.name == "tiny-tuned"
    (title,) = library.in_use()
    assert title.num_shots > 1
    assert "video" in title.spaces


def test_what_is_told_to_programs_is_json(folder: Path, tmp_path: Path) -> None:
    command = ["finetune", folder / "pairs.csv", "--out", tmp_path / "tuned", "--profile",
               folder / "tiny.toml", "--epochs", 1, "--adapters", "none", "--pool", "temporal",
               "--frames", 1, "--device", "cpu", "--json"]  # fmt: skip
    done = CliRunner().invoke(main, [str(word) for word in command])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert set(told["before"]) == {"recall_at_1", "recall_at_5", "loss", "num_pairs", "chance_at_1"}
    assert told["epochs"][0]["loss"] is None
    assert Path(told["profile"]).is_file()


def test_what_cannot_be_used_is_one_sentence(folder: Path, tmp_path: Path) -> None:
    table = tmp_path / "pairs.csv"
    table.write_text("film,caption\n")
    done = CliRunner().invoke(main, ["finetune", str(table), "--out", str(tmp_path / "tuned")])
    assert done.exit_code == 2
    assert done.stderr.count("\n") == 1
    assert "has no column 'clip'" in done.stderr
    assert not (tmp_path / "tuned").exists()
