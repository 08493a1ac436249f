"""Labels: answers kept, taken back, agreed on; the command as people type it."""

from __future__ import annotations

import json
import multiprocessing
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from heaps import is_dark, make_heaps
from shelf import SHOT_FRAMES

from app.cli import main
from app.labels.agreement import agreements
from app.labels.book import Labels, settled
from app.labels.command import label as label_command
from indexer.labelling.kept import names_kept
from indexer.library import Library
from indexer.probes.label import Label
from indexer.tagging.tags import known_names
from qdrant.errors import StoreUnavailable, UsageError

SHOT = (0, SHOT_FRAMES)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Library:
    return make_heaps(tmp_path_factory.mktemp("labels"))


@pytest.fixture
def library(made: Library, tmp_path: Path) -> Library:
    shutil.copytree(made.root, tmp_path / "library")
    return Library.open(tmp_path / "library")


def run(library: Library, *words: object, expect: int = 0) -> str:
    done = CliRunner().invoke(main, ["label", *map(str, words), "--library", str(library.root)])
    assert done.exit_code == expect, done.output
    return done.output if expect else done.stdout


def test_the_last_word_counts_and_can_be_taken_back(library: Library) -> None:
    ana, ben = (Labels.of(library, who=who) for who in ("Ana", "Ben"))
    ana.begin("Dark", "little light")
    ana.answer("dark", "t", SHOT, holds=True)
    ben.answer("Dark", "t", SHOT, holds=True)
    ana.answer("Dark", "t", SHOT, holds=False)
    assert [(a.value, a.by) for a in ana.answers("Dark")] == [(1.0, "Ben"), (0.0, "Ana")]
    found = ana.look("Dark")
    assert found
    assert (found.description, found.num_yes, found.num_no, found.people) == (
        "little light",
        1,
        1,
        2,
    )
    taken = ana.take_back("Dark")
    assert taken
    assert taken.value == 0.0
    assert [(a.value, a.by) for a in ana.answers("Dark")] == [(1.0, "Ana"), (1.0, "Ben")]
    assert ana.take_back("Dark") is not None
    assert ana.take_back("Dark") is None


def test_what_most_say_counts_and_a_draw_does_not() -> None:
    said = [("a", 1), ("a", 1), ("a", 0), ("b", 1), ("b", 0), ("c", 0)]
    answers = [Label(title, *SHOT, "dark", float(value)) for title, value in said]
    assert [(one.title_id, one.value) for one in settled(answers)] == [("a", 1.0), ("c", 0.0)]


def test_names_are_taken_once_and_a_deleted_label_is_gone(library: Library) -> None:
    labels = Labels.of(library)
    assert labels.names() == []
    assert labels.begin("  Slow   burn ") == "Slow burn"
    with pytest.raises(UsageError, match="already"):
        labels.begin("slow BURN")
    with pytest.raises(UsageError, match="1 to 80"):
        labels.begin(" ")
    with pytest.raises(UsageError, match="cannot hold"):
        labels.answer("Slow burn", "t", (5, 5), holds=True)
    labels.answer("Slow burn", "t", SHOT, holds=True)
    labels.delete("Slow burn")
    assert labels.names() == []
    with pytest.raises(UsageError, match="no label 'Slow burn'"):
        labels.answers("Slow burn")
    labels.begin("Slow burn")
    assert labels.answers("Slow burn") == []


def test_agreement_is_what_chance_would_not_give() -> None:
    """Ten shots; both say yes to 4, no to 4, and differ on 2: kappa (0.8 - 0.5) / 0.5."""
    ana = [1, 1, 1, 1, 0, 0, 0, 0, 1, 0]
    ben = [1, 1, 1, 1, 0, 0, 0, 0, 0, 1]
    answers = [
        Label("t", shot, shot + 1, "dark", float(value), who)
        for who, said in (("Ana", ana), ("Ben", ben))
        for shot, value in enumerate(said)
    ]
    [found] = agreements(answers)
    assert (found.num_both, found.share) == (10, 0.8)
    assert found.kappa == pytest.approx(0.6)
    assert found.apart == (("t", 8, 9), ("t", 9, 10))
    assert found.told == "Ana and Ben agree on 80% of 10 shots, kappa 0.60."
    [same] = agreements([Label("t", 0, 1, "dark", 1.0, who) for who in ("Ana", "Ben")])
    assert (same.share, same.kappa) == (1.0, None)
    assert agreements([Label("t", 0, 1, "dark", 1.0, "Ana")]) == []


def _answer_many(root: Path, who: str) -> None:
    labels = Labels(root / "labels.sqlite", who)
    for shot in range(40):
        labels.answer("Dark", "t", (shot, shot + 1), holds=shot % 2 == 0)


def test_two_processes_that_answer_at_once_lose_nothing(library: Library) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_answer_many, args=(library.root, who)) for who in "AB"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    found = Labels.of(library).look("Dark")
    assert found
    assert (found.num_yes, found.num_no, found.people) == (40, 40, 2)


def test_a_damaged_file_is_a_sentence(library: Library) -> None:
    (library.root / "labels.sqlite").write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreUnavailable, match=r"The labels in .* cannot be read"):
        Labels.of(library).names()


def test_from_ten_answers_to_a_shortlist(library: Library) -> None:
    run(library, "begin", "Dark", "--describe", "little light")
    told = json.loads(run(library, "ask", "Dark", "--json"))
    assert list(told["feeds"]) == ["chance"]
    assert "there are 0" in CliRunner().invoke(
        label_command, ["ask", "Dark", "--library", str(library.root)]
    ).stderr  # fmt: skip
    run(library, "find", "Dark", expect=2)
    for shot in range(10):
        holds = "--yes" if is_dark(shot) else "--no"
        run(library, "answer", "Dark", "Harbour", f"{SHOT_FRAMES * shot}f", holds)
    assert run(library) == "Dark  (4 yes, 6 no)\n"
    feeds = json.loads(run(library, "ask", "Dark", "--json"))["feeds"]
    assert list(feeds) == ["likely", "borderline", "unlikely", "chance"]
    assert all(is_dark(moment["shots"][0]) for moment in feeds["likely"][:2])
    assert not any(is_dark(moment["shots"][0]) for moment in feeds["unlikely"])

    found = json.loads(run(library, "find", "Dark", "--top", 15, "--list", "Dark ones", "--json"))
    assert len(found) == 15
    assert all(is_dark(moment["shots"][0]) for moment in found)
    assert {moment["title"] for moment in found} == {"Harbour", "Night"}
    listed = CliRunner().invoke(main, ["shortlist", "--library", str(library.root)])
    assert listed.stdout == "Dark ones  (15 moments)\n"


def test_a_label_becomes_a_filter_and_stops_being_one(library: Library) -> None:
    for shot in range(12):
        holds = "--yes" if is_dark(shot) else "--no"
        run(library, "answer", "Dark", "Harbour", f"{SHOT_FRAMES * shot}f", holds)
    assert run(library, "use", "dark") == "Dark: 15 of 45 shots carry it.\n"
    where = ["--library", str(library.root), "--json"]
    found = json.loads(CliRunner().invoke(main, ["search", "label:dark", *where]).stdout)
    assert {hit["title"] for hit in found["hits"]} == {"Harbour", "Night"}
    assert all(hit["shots"][0] % 3 == 0 and hit["shots"][1] % 3 == 1 for hit in found["hits"])
    assert found["hits"][0]["tags"] == {"label": ["Dark"]}
    refused = CliRunner().invoke(main, ["search", "label:action", *where])
    assert "No shot here has been tagged" in refused.stderr  # of what words ask for
    refused = CliRunner().invoke(main, ["search", "label:nothing", *where])
    assert "There are: Dark, " in refused.stderr
    assert "used as a filter" in run(library, "delete", "dark", expect=2)

    run(library, "use", "Dark", "--off")
    refused = CliRunner().invoke(main, ["search", "label:dark", *where])
    assert "No shot here has been tagged" in refused.stderr
    run(library, "use", "Dark", "--off", expect=2)


def test_filters_learn_the_vectors_of_another_context_model(library: Library) -> None:
    for name, asked in (("Dark", is_dark), ("Light", lambda shot: not is_dark(shot))):
        for shot in range(12):
            holds = "--yes" if asked(shot) else "--no"
            run(library, "answer", name, "Harbour", f"{SHOT_FRAMES * shot}f", holds)
        run(library, "use", name)
    for manifest in library.titles():  # as if trained anew
        library.finish(replace(manifest, checkpoint="n"))
    record = library.context_folder / "context.json"
    record.parent.mkdir(parents=True)
    record.write_text(json.dumps({"id": "n"}))
    assert names_kept(library) == {"Dark": False, "Light": False}
    run(library, "use", "Light")
    assert names_kept(library) == {"Dark": True, "Light": True}
    assert known_names(library.titles(), "own") == ["Dark", "Light"]

    Labels.of(library).delete("Dark")  # by hand, past the command
    record.write_text(json.dumps({"id": "o"}))
    told = CliRunner().invoke(
        main, ["tag", "--only", "own", "--library", str(library.root)]
    ).stderr  # fmt: skip
    assert "The label 'Dark' is a filter no longer. There is no label 'Dark'" in told
    assert names_kept(library) == {"Light": True}


def test_values_of_others_become_yes_and_no(library: Library) -> None:
    labels = Labels.of(library)
    told = [Label("t", shot, shot + 1, "Dark", value) for shot, value in enumerate((3.0, 0.3, 1.0))]
    labels.take_over(told)
    assert [one.value for one in labels.answers("Dark")] == [1.0, 0.0, 1.0]


def test_labels_go_out_and_come_back(library: Library, tmp_path: Path) -> None:
    for shot in range(4):
        holds = "--yes" if is_dark(shot) else "--no"
        run(library, "answer", "Dark", "Night", f"{SHOT_FRAMES * shot}f", holds, "--by", "Ana")
    run(library, "export", tmp_path / "out.csv", "Dark")
    before = Labels.of(library).answers("Dark")
    run(library, "delete", "Dark")
    run(library, "import", tmp_path / "out.csv")
    assert Labels.of(library).answers("Dark") == before
    assert {one.by for one in before} == {"Ana"}
