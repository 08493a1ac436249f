"""A library over time: films renamed, copied, touched, damaged, trained on meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from harness import need_offline_profile
from reel import ROCKET, make_reel

from indexer.catalogue import open_catalogue
from indexer.encoders.load import EncoderSet, load_encoders
from indexer.learning import bring_into_context, learn_context
from indexer.library import Library
from indexer.manifest import Manifest
from indexer.pipeline import TitleResult, index
from indexer.profiles import load_profile
from indexer.studio import Studio
from indexer.workbench import workbench

Open = Callable[[Path], Studio]


@pytest.fixture(scope="module")
def encoders(tmp_path_factory: pytest.TempPathFactory) -> EncoderSet:
    need_offline_profile()
    return load_encoders(
        load_profile("offline"), device="cpu", cache_dir=tmp_path_factory.mktemp("paid")
    )


@pytest.fixture
def studio(tmp_path: Path, encoders: EncoderSet, monkeypatch: pytest.MonkeyPatch) -> Studio:
    monkeypatch.setattr("indexer.context.train.DEFAULT_STEPS", 2)  # a model, not a good one
    library = Library.open(tmp_path / "library", create=True, profile="offline")
    return Studio(library, encoders, say=lambda sentence: None)


@pytest.fixture
def films(tmp_path: Path) -> Iterator[Path]:
    """Two films that differ: one has sound and lines, the other has neither."""
    make_reel(tmp_path / "films", name="A.mp4")
    make_reel(tmp_path / "films", name="B.mkv", sound=False, subtitles=False)
    yield tmp_path / "films"


def run(studio: Studio, *paths: Path) -> dict[str, TitleResult]:
    return {Path(result.path).name: result for result in index(paths, studio)}


def by_name(studio: Studio) -> dict[str, Manifest]:
    return {Path(manifest.path).name: manifest for manifest in studio.library.titles()}


def test_names_that_swap_do_not_swap_titles(studio: Studio, films: Path) -> None:
    run(studio, films)
    before = by_name(studio)
    (films / "A.mp4").rename(films / "C.mp4")
    (films / "B.mkv").rename(films / "A.mp4")
    assert {r.status for r in run(studio, films / "A.mp4", films / "C.mp4").values()} <= {
        "moved", "updated",
    }  # fmt: skip
    after = by_name(studio)
    assert after["C.mp4"].title_id == before["A.mp4"].title_id
    assert after["A.mp4"].title_id == before["B.mkv"].title_id
    assert len(studio.library.titles()) == 2


def test_another_film_at_a_known_path_is_another_title(studio: Studio, films: Path) -> None:
    run(studio, films / "A.mp4")
    kept = by_name(studio)["A.mp4"]
    (films / "B.mkv").replace(films / "A.mp4")
    assert run(studio, films / "A.mp4")["A.mp4"].status == "indexed"
    assert {m.title_id for m in studio.library.titles()} > {kept.title_id}
    left = studio.library.manifest(kept.title_id)
    assert not left.is_online


def test_a_touched_film_is_unchanged(studio: Studio, films: Path) -> None:
    run(studio, films)
    before = {name: m.generation for name, m in by_name(studio).items()}
    for _ in range(2):
        os.utime(films / "A.mp4")
        assert run(studio, films / "A.mp4")["A.mp4"].status == "unchanged"
    assert {name: m.generation for name, m in by_name(studio).items()} == before


def test_a_copy_is_no_failure_and_no_second_title(studio: Studio, films: Path) -> None:
    run(studio, films / "A.mp4")
    (films / "Copy.mp4").write_bytes((films / "A.mp4").read_bytes())
    result = run(studio, films / "Copy.mp4")["Copy.mp4"]
    assert result.status == "unchanged"
    assert "copy of" in result.reason
    assert len(studio.library.titles()) == 1


def test_a_roundabout_path_is_the_same_film(studio: Studio, films: Path) -> None:
    run(studio, films / "A.mp4")
    (films / "odd").mkdir()
    assert run(studio, films / "odd" / ".." / "A.mp4")["A.mp4"].status == "unchanged"


def test_an_odd_name_stops_no_other_film(studio: Studio, films: Path) -> None:
    odd = Path(os.fsdecode(os.fsencode(films) + b"/\xff.mkv"))
    (films / "B.mkv").rename(odd)
    results = {r.path: r for r in index([films], studio)}
    assert sorted(r.status for r in results.values()) == ["failed", "indexed"]
    [failed] = [r for r in results.values() if r.status == "failed"]
    assert r"\xff.mkv" in failed.path
    failed.path.encode()


def test_a_table_that_cannot_be_read_stops_no_film(studio: Studio, films: Path) -> None:
    said: list[str] = []
    studio.say = said.append
    (films / "titles.csv").write_text("nothing,we,know\n1,2,3\n")
    assert run(studio, films / "A.mp4")["A.mp4"].status == "indexed"
    assert any("titles.csv cannot be read" in sentence for sentence in said)


def test_a_damaged_title_leaves_the_others_searchable(
    studio: Studio, films: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run(studio, films)
    titles = by_name(studio)
    (studio.library.folder(titles["B.mkv"].title_id) / "shots.parquet").write_bytes(b"damaged")
    with open_catalogue(studio.library, command="test") as catalogue:
        assert set(catalogue.generations()) == {titles["A.mp4"].title_id}
    assert "B cannot be published" in caplog.text


def test_a_removed_folder_leaves_the_store(studio: Studio, films: Path) -> None:
    run(studio, films)
    gone = by_name(studio)["B.mkv"].title_id
    with open_catalogue(studio.library, command="test") as catalogue:
        assert gone in catalogue.generations()
        (studio.library.folder(gone) / "manifest.json").unlink()
        catalogue.sync()
        assert gone not in catalogue.generations()


def test_a_modality_that_can_be_had_again_arrives(
    studio: Studio, films: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(studio.encoders.missing, "audio", "no wheel here")
    run(studio, films / "A.mp4")
    lacking = by_name(studio)["A.mp4"]
    assert "audio" not in lacking.spaces
    assert any("no wheel here" in note for note in lacking.notes)
    monkeypatch.undo()
    assert run(studio, films / "A.mp4")["A.mp4"].status == "updated"
    assert "audio" in by_name(studio)["A.mp4"].spaces


def test_training_overwrites_no_newer_manifest(studio: Studio, films: Path) -> None:
    """A title changes, another is being worked on, while a model is trained."""
    run(studio, films)
    titles = by_name(studio)
    changed = replace(titles["A.mp4"], title="Changed meanwhile")
    said: list[str] = []
    studio.say = said.append
    learn_context(studio, steps=3)
    studio.library.finish(changed)
    with workbench(studio.library, titles["B.mkv"].title_id):
        bring_into_context(studio)
    after = by_name(studio)
    assert after["A.mp4"].title == "Changed meanwhile"
    assert after["A.mp4"].checkpoint == studio.library.checkpoint_id()
    assert any("B keeps its older context" in sentence for sentence in said)
    bring_into_context(studio)
    assert by_name(studio)["B.mkv"].checkpoint == studio.library.checkpoint_id()
    folder = studio.library.folder(titles["A.mp4"].title_id)
    assert len(list(folder.glob("context@*"))) == 1  # the former model's are gone
    assert len(list(folder.glob("thumbs/*.jpg"))) == titles["A.mp4"].num_shots  # and no picture is


def test_two_first_runs_make_one_library(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from indexer.library import Library\n"
        "print(Library.open(Path(sys.argv[1]), create=True, profile='offline').library_id)\n"
    )
    starts = [
        subprocess.Popen(
            [sys.executable, "-c", code, tmp_path / "library"], stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    assert len({start.communicate(timeout=60)[0] for start in starts}) == 1


def test_every_shot_has_its_picture_and_an_earlier_cut_leaves_none(
    studio: Studio, films: Path
) -> None:
    run(studio, films)
    title = by_name(studio)["A.mp4"]
    pictures = studio.library.folder(title.title_id) / "thumbs"
    assert sorted(p.name for p in pictures.iterdir()) == [f"{n:05d}.jpg" for n in range(6)]
    (pictures / "00006.jpg").write_bytes(b"of an earlier, longer cut")
    (films / "A.srt").unlink()
    assert run(studio, films / "A.mp4")["A.mp4"].status == "updated"
    assert len(list(pictures.iterdir())) == 6
    assert studio.library.shots(title.title_id)["start_frame"][ROCKET] == 96


def test_a_training_that_was_killed_goes_on_where_it_stopped(studio: Studio, films: Path) -> None:
    run(studio, films)
    steps: list[int] = []

    def die_at_30(task: str, done: int, total: int) -> None:
        steps.append(done)
        if done == 30:
            raise KeyboardInterrupt

    studio.progress = die_at_30
    with pytest.raises(KeyboardInterrupt):
        learn_context(studio, steps=40)
    steps.clear()
    studio.progress = lambda task, done, total: steps.append(done)
    metrics = learn_context(studio, steps=40)
    assert steps == list(range(21, 41))
    assert metrics.steps == 40
    assert not list(studio.library.models_folder.glob("*.resume"))


def test_words_reach_context_through_the_library_s_tower(studio: Studio, films: Path) -> None:
    """An untaught tower is put beside the library's model: what counts is that it is asked."""
    from app.parsing import parse
    from app.search import search
    from indexer.assembly import title_sequence
    from indexer.context.checkpoint import load_checkpoint, save_checkpoint
    from indexer.context.train import Trained
    from indexer.learning import asked_by_words
    from indexer.tower.evaluation import TowerEvaluation
    from indexer.tower.keep import kept
    from indexer.tower.model import Tower, TowerConfig
    from qdrant.schema import TOLD

    run(studio, films)
    library = studio.library
    former = load_checkpoint(library.context_folder)
    asked = asked_by_words(library.profile)
    assert asked == ("video", "text")
    tower = Tower(TowerConfig(dims=library.profile.dims, asked=asked)).eval()
    found = TowerEvaluation(1, 1.0, 0.0, floor=-1.0, ceiling=-0.9)  # all it says is evidence
    save_checkpoint(
        library.context_folder, Trained(former.model, former.metrics), fingerprint="",
        tower=kept(tower, found),
    )  # fmt: skip
    bring_into_context(studio)

    film = next(m for m in library.titles() if m.path.endswith("A.mp4"))
    assert TOLD in film.spaces and film.checkpoint == library.checkpoint_id()
    sequence = title_sequence(library, film.title_id, film.spaces, num_shots=film.num_shots)
    with open_catalogue(library, command="test") as catalogue:
        keys = [catalogue.vectors(film.title_id, n)[TOLD] for n in range(film.num_shots)]
        assert len(keys) == sequence.num_shots and all(key.shape == (192,) for key in keys)
        answer = search(catalogue, studio.encoders, parse("quarterly tax returns"))
        assert answer.hits and all(hit.why["context"] for hit in answer.hits)
        assert all(sum(v for v in h.why.values() if v) > 0.99 for h in answer.hits)
        save_checkpoint(
            library.context_folder, Trained(former.model, former.metrics), fingerprint=""
        )
        bring_into_context(studio)
        catalogue.sync()
        assert TOLD not in catalogue.vectors(film.title_id, 0)
        assert catalogue.asker is None
        untold = search(catalogue, studio.encoders, parse("quarterly tax returns"))
        assert not any(hit.why["context"] for hit in (*untold.hits, *untold.weak))
