"""The main job: a film goes in, and each described moment comes out first."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from asking import query_of
from harness import need_offline_profile, run_trimbin
from reel import CAT, COFFEE, COINS, LINE, LINE_SHOT, RATE, ROCKET, SHOT_FRAMES, Reel, make_reel

HIT_FIELDS = {
    "hit_id", "title_id", "title", "path", "shots", "start_frame", "end_frame", "rate", "start_s",
    "end_s", "start_tc", "end_tc", "score", "why", "sources", "dialogue",
}  # fmt: skip
SPACES = {"video", "audio", "text", "line", "context", "sound"}


def answer_to(library: Path, words: str, *options: str) -> Mapping[str, Any]:
    return dict(json.loads(run_trimbin("search", words, "--json", "--library", library, *options)))


@pytest.mark.parametrize(
    ("words", "shot"),
    [("a cat", CAT), ("a rocket", ROCKET), ("lighthouse keeper", COINS), (LINE, COINS)],
)
def test_a_described_moment_is_found_first(reel_library: Path, words: str, shot: int) -> None:
    hit = answer_to(reel_library, words)["hits"][0]
    middle = (shot + 0.5) * SHOT_FRAMES
    assert hit["start_frame"] <= middle < hit["end_frame"]
    assert hit["end_frame"] - hit["start_frame"] == SHOT_FRAMES


def test_the_answer_is_the_documented_one(reel_library: Path) -> None:
    answer = answer_to(reel_library, "a rocket", "--top", "2")
    assert answer.keys() >= {"query", "hits", "notes", "took_ms"}
    hit = answer["hits"][0]
    assert hit.keys() >= HIT_FIELDS
    assert (hit["title"], hit["rate"]) == ("Photographs", "24/1")
    assert (hit["start_tc"], hit["end_tc"]) == ("00:00:04:00", "00:00:06:00")
    assert (hit["start_s"], hit["end_s"]) == (4.0, 6.0)
    assert hit["shots"] == [ROCKET, ROCKET + 1]
    assert hit["why"].keys() == SPACES
    assert sum(share for share in hit["why"].values() if share) == pytest.approx(1, abs=1e-3)
    assert hit["why"]["audio"] is None  # words cannot reach sound in this profile, and
    assert any("audio" in note for note in answer["notes"])  # the answer says so


def test_a_spoken_line_says_where_it_was_found(reel_library: Path) -> None:
    hit = answer_to(reel_library, "lighthouse keeper")["hits"][0]
    assert hit["dialogue"] == LINE
    at_s = LINE_SHOT * SHOT_FRAMES / RATE + 0.3  # when it is said, not when the shot begins
    assert {"kind": "line", "text": LINE, "start_s": pytest.approx(at_s)} in hit["sources"]
    assert hit["why"]["line"] > 0


def test_who_hears_a_line_is_found_with_it(reel_library: Path) -> None:
    """The rocket is seen, and nothing said; the keeper is spoken of in the shot after it."""
    hit, other = answer_to(reel_library, "a rocket, never came home")["hits"][:2]
    assert hit["best_shot"] == ROCKET and hit["shots"] == [ROCKET, LINE_SHOT + 1]
    assert hit["why"]["context"] > 0 and hit["why"]["line"] is None
    at_s = LINE_SHOT * SHOT_FRAMES / RATE + 0.3
    told = {"text": LINE, "start_s": pytest.approx(at_s)}
    assert hit["sources"] == [{"kind": "line", **told}]
    assert other["best_shot"] == COFFEE  # two shots before, and next to nothing to see
    assert other["sources"] == [{"kind": "neighbour", **told}]


def test_nothing_fits_and_the_answer_says_so(reel_library: Path) -> None:
    answer = answer_to(reel_library, "quarterly tax return paperwork")
    assert not any(hit["confident"] for hit in answer["hits"])
    assert any("Nothing good found" in note for note in answer["notes"])


def test_only_the_title_asked_for_is_searched(reel_library: Path) -> None:
    assert answer_to(reel_library, "a cat", "--title", "photographs")["hits"]
    run_trimbin("search", "a cat", "--title", "Elsewhere", "--library", reel_library, expect=2)


def test_indexing_again_does_no_work(reel_library: Path) -> None:
    films = reel_library.parent / "films"
    before = {p: p.stat().st_mtime_ns for p in reel_library.glob("titles/*/*")}
    line = json.loads(run_trimbin("index", films, "--library", reel_library, "--json"))
    assert (line["status"], line["shots"], line["seconds"]) == ("unchanged", 6, 12.0)
    assert before == {p: p.stat().st_mtime_ns for p in reel_library.glob("titles/*/*")}


def test_too_few_shots_get_no_context(reel_library: Path) -> None:
    [manifest] = [json.loads(p.read_text()) for p in reel_library.glob("titles/*/manifest.json")]
    assert manifest["num_shots"] < 8
    assert manifest["checkpoint"] is None


@pytest.fixture(scope="module")
def two_reels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need_offline_profile()
    folder = tmp_path_factory.mktemp("two")
    make_reel(folder / "films", name="One.mp4")
    make_reel(folder / "films", name="Two.mkv", subtitles=False, sound=False)
    (folder / "films" / "titles.csv").write_text(
        "path,title,year,tags,synopsis,reel\n"
        "One.mp4,The First,1999,cat;rocket,Photographs go by.,A001\n"
    )
    run_trimbin("index", folder / "films", "--library", folder / "library", "--profile", "offline")
    return folder


def test_enough_shots_get_context_and_metadata(two_reels: Path) -> None:
    from indexer.catalogue import open_catalogue
    from indexer.library import Library
    from qdrant.language import Equals
    from qdrant.schema import AUDIO, CONTEXT, TEXT, VIDEO

    library = Library.open(two_reels / "library")
    first, second = library.titles()
    assert (first.title, second.title) == ("The First", "Two")
    assert first.checkpoint == second.checkpoint == library.checkpoint_id() is not None
    assert any("no sound" in note for note in second.notes)
    with open_catalogue(library, command="test") as catalogue:
        assert set(catalogue.vectors(first.title_id, COINS)) == {VIDEO, AUDIO, TEXT, CONTEXT}
        assert set(catalogue.vectors(second.title_id, COINS)) == {VIDEO, CONTEXT}
        found = catalogue.query(query_of(conditions=(Equals("year", 1999),)))
        assert {hit.title_id for hit in found} == {first.title_id}
        assert found[0].payload["reel"] == "A001"


def test_an_edited_table_updates_without_decoding(two_reels: Path) -> None:
    table = two_reels / "films" / "titles.csv"
    pictures = next((two_reels / "library").glob("titles/*/pictures.parquet"))
    before = pictures.stat().st_mtime_ns
    table.write_text(table.read_text().replace("The First", "The Very First"))
    lines = run_trimbin("index", two_reels / "films", "--library", two_reels / "library", "--json")
    statuses = {Path(r["path"]).name: r["status"] for r in map(json.loads, lines.splitlines())}
    assert statuses == {"One.mp4": "updated", "Two.mkv": "unchanged"}
    assert pictures.stat().st_mtime_ns == before
    found = answer_to(two_reels / "library", "lighthouse keeper")["hits"][0]
    assert found["title"] == "The Very First"


def test_a_moved_film_keeps_its_id(two_reels: Path) -> None:
    library = two_reels / "library"
    before = {p.parent.name for p in library.glob("titles/*/manifest.json")}
    moved = two_reels / "elsewhere"
    moved.mkdir()
    (two_reels / "films" / "Two.mkv").rename(moved / "Two.mkv")
    line = json.loads(run_trimbin("index", moved, "--library", library, "--json"))
    assert line["status"] == "moved"
    assert line["title_id"] in before
    assert {p.parent.name for p in library.glob("titles/*/manifest.json")} == before


def test_training_again_replaces_the_context(two_reels: Path) -> None:
    library = two_reels / "library"
    metrics = json.loads(run_trimbin("train", "--steps", "5", "--library", library, "--json"))
    assert metrics["steps"] == 5
    manifests = [json.loads(p.read_text()) for p in library.glob("titles/*/manifest.json")]
    assert len({m["checkpoint"] for m in manifests}) == 1


def test_reel_is_what_it_says(tmp_path: Path) -> None:
    reel: Reel = make_reel(tmp_path)
    assert reel.seconds_of(ROCKET) == (4.0, 6.0)
