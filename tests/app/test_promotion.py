"""`trimbin moments`, `coverage`, `similar`: from the outside, over titles made by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from safetensors.numpy import save_file
from shelf import add_title, make_film, make_library

from app.cli import main
from indexer.library import SHOTS_FILE, Library
from indexer.manifest import Manifest
from indexer.probes.kept import KeptProbe, keep_probe

SHOT_S = 2.0


def trimbin(root: Path, *arguments: object, code: int = 0) -> str:
    result = CliRunner().invoke(main, [*map(str, arguments), "--library", str(root)])
    assert result.exit_code == code, result.output
    return result.output


def told(root: Path, *arguments: object) -> dict:  # type: ignore[type-arg]
    result = CliRunner().invoke(main, [*map(str, arguments), "--library", str(root), "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)  # type: ignore[no-any-return]


def measured(library: Library, manifest: Manifest, **columns: Sequence[float | None]) -> None:
    """Write columns to a title's shots as if they had been measured."""
    shots = library.shots(manifest.title_id)
    for name, values in columns.items():
        shots[name] = pd.Series(values, dtype=float)
    shots.to_parquet(library.folder(manifest.title_id) / SHOTS_FILE)


def in_context(library: Library, manifest: Manifest, halves: np.ndarray) -> Manifest:
    """Give a title contextual vectors, (num_shots, dim) of what is seen and what is expected."""
    rows = np.asarray(halves, np.float32)
    title = np.ones((1, 4), np.float32) / 2
    save_file(
        {"shots": np.ascontiguousarray(rows), "title": title},
        library.folder(manifest.title_id) / "context@m.safetensors",
    )
    spaces = {**manifest.spaces, "context": "context@m.safetensors"}
    return library.finish(replace(manifest, spaces=spaces, checkpoint="m"))


@pytest.fixture
def harbour(tmp_path: Path) -> tuple[Library, Manifest]:
    """A film of 24 s: twelve shots of two seconds, liveliest in the 4th, the 8th and the last."""
    library = make_library(tmp_path / "library")
    film = make_film(tmp_path / "harbour.mp4", seconds=24, size="64x64")
    manifest = add_title(library, film, title="Harbour")
    motion = [0.1, 0.1, 0.1, 0.9, 0.1, 0.1, 0.1, 0.8, 0.1, 0.1, 0.1, 1.0]
    measured(library, manifest, motion=motion, brightness=[0.5] * 12, sharpness=[0.5] * 12)
    return library, manifest


def spans(found: dict) -> list[tuple[float, float]]:  # type: ignore[type-arg]
    return [(one["start_s"], one["end_s"]) for one in found["moments"]]


def test_moments_are_the_liveliest_shots_before_the_end_and_come_onto_a_list(
    harbour: tuple[Library, Manifest],
) -> None:
    root = harbour[0].root
    ask = ("moments", "harbour", "--count", 2, "--length", 4)
    found = told(root, *ask, "--list", "Teaser")
    assert spans(found) == [(6.0, 8.0), (14.0, 16.0)]  # the last shot is beyond the guard
    assert (found["by"], found["seconds"]) == ("measures", 4.0)
    assert found["moments"][0]["start_tc"] == "00:00:06:00"
    assert "not measured in this title: surprise, loudness, speech" in found["notes"]
    assert spans(told(root, *ask, "--before", 1))[0] == (22.0, 24.0)
    assert "Added 2 moments of Harbour" in trimbin(root, "shortlist", "undo", "Teaser")
    line = trimbin(root, *ask).splitlines()[0]
    assert "00:00:06:00 - 00:00:08:00   2.0 s  [motion 91%" in line


def test_black_and_flat_shots_are_never_moments(harbour: tuple[Library, Manifest]) -> None:
    library, manifest = harbour
    black = [0.5] * 3 + [0.01] + [0.5] * 8
    flat = [0.5] * 7 + [0.0] + [0.5] * 4
    measured(library, manifest, brightness=black, sharpness=flat)
    found = told(library.root, "moments", "Harbour", "--count", 3, "--length", 6)
    taken = {shot for start, end in spans(found) for shot in range(int(start), int(end))}
    assert len(found["moments"]) == 3
    assert not taken & {6, 7, 14, 15}


def test_a_kept_probe_decides_and_one_of_another_version_does_not(
    harbour: tuple[Library, Manifest],
) -> None:
    """The probe likes what looks along the second axis: the sixth shot alone."""
    library, manifest = harbour
    dim = library.profile.dims["video"]
    video = np.zeros((12, dim), np.float32)
    video[:, 0], video[5] = 1, np.eye(dim)[1]
    save_file({"shots": video}, library.folder(manifest.title_id) / "video@v.safetensors")
    library.finish(replace(manifest, spaces={"video": "video@v.safetensors"}))
    probe = KeptProbe(
        task="retrieval",
        classes=("retrieval",),
        row="video",
        weights=np.eye(dim, 1, -1, dtype=np.float32),
        bias=np.zeros(1, np.float32),
        calibration=np.array([[8], [-4]], np.float32),
        version=library.version,
        checkpoint=None,
    )
    ask = ("moments", "Harbour", "--count", 1, "--length", 2)
    keep_probe(library, probe)
    found = told(library.root, *ask)
    assert (found["by"], spans(found)) == ("probe", [(10.0, 12.0)])
    assert found["moments"][0]["worth"] == pytest.approx(1 / (1 + np.exp(-4)), abs=1e-3)
    keep_probe(library, replace(probe, version="offline-00000000"))
    assert told(library.root, *ask)["by"] == "measures"


def test_surprise_is_told_where_the_title_is_in_context(
    harbour: tuple[Library, Manifest],
) -> None:
    library, manifest = harbour
    dim = sum(library.profile.dims.values())
    seen = np.zeros((12, dim), np.float32)
    seen[:, 0] = 1
    expected = seen.copy()
    expected[5] = -expected[5]
    in_context(library, manifest, np.hstack([seen, expected]))
    measured(library, manifest, motion=[0.1] * 12)
    found = told(library.root, "moments", "Harbour", "--count", 1, "--length", 2)
    assert spans(found) == [(10.0, 12.0)]
    assert next(iter(found["moments"][0]["why"].items())) == ("surprise", 1.0)


def test_a_title_of_one_shot_without_sound_context_or_file_gives_what_it_has(
    tmp_path: Path,
) -> None:
    library = make_library(tmp_path / "library")
    film = make_film(
        tmp_path / "one.mp4", "-an", "-c:v", "libx264", "-pix_fmt", "yuv420p", seconds=2,
        size="64x64",
    )  # fmt: skip
    add_title(library, film, title="One")
    film.unlink()
    refused = trimbin(library.root, "moments", "One", code=1)
    assert "let more of it be shown with `--before`" in refused
    found = told(library.root, "moments", "One", "--before", 1)
    assert spans(found) == [(0.0, 2.0)]
    assert "only 1 of 6 moments fit without touching one another" in found["notes"]
    assert "no context model has read this title: `trimbin train` learns one" in found["notes"]
    whole = told(library.root, "coverage", "One")
    assert (len(whole["scenes"]), whole["used_percent"]) == (1, 0.0)
    assert told(library.root, "similar", "One")["titles"] == []


def test_sound_alone_has_moments_in_seconds(tmp_path: Path) -> None:
    library = make_library(tmp_path / "library")
    film = make_film(tmp_path / "talk.mp4", seconds=8, size="64x64")
    sound = {"rate": "1000/1", "width": 0, "height": 0, "video_codec": None}
    manifest = add_title(library, film, title="Talk", **sound)
    shots = library.shots(manifest.title_id)
    shots[["start_frame", "end_frame"]] = shots[["start_frame", "end_frame"]] * 1000 // 24
    shots.to_parquet(library.folder(manifest.title_id) / SHOTS_FILE)
    measured(library, manifest, loudness=[-40, -20, -40, -40], speech=[0, 1, 1, 0])
    found = told(library.root, "moments", "Talk", "--count", 1, "--length", 2)
    assert spans(found) == [(2.0, 4.0)]
    assert found["moments"][0]["start_tc"] is None
    assert "0:02 - 0:04" in trimbin(library.root, "moments", "Talk", "--count", 1, "--length", 2)


def test_what_cannot_be_is_a_sentence(harbour: tuple[Library, Manifest]) -> None:
    root = harbour[0].root
    assert "would flicker" in trimbin(root, "moments", "Harbour", "--length", 1, code=2)
    assert "No title is called 'Quay'" in trimbin(root, "moments", "Quay", code=2)
    missing = trimbin(root, "coverage", "Harbour", "--list", "Gone", code=2)
    assert "No shortlist is called 'Gone'" in missing
    assert "No title is called 'Quay'" in trimbin(root, "similar", "Quay", code=2)


def two_scenes(library: Library, manifest: Manifest) -> None:
    """The first five shots look one way, the other seven another."""
    rows = np.zeros((12, library.profile.dims["video"]), np.float32)
    rows[:5, 0], rows[5:, 1] = 1, 1
    save_file({"shots": rows}, library.folder(manifest.title_id) / "video@v.safetensors")
    library.finish(replace(manifest, spaces={"video": "video@v.safetensors"}))


def test_coverage_counts_each_second_once_and_lists_what_nobody_used(
    harbour: tuple[Library, Manifest],
) -> None:
    """Scenes 0 to 10 s and 10 to 24 s; lists show 1 to 4 s and 3 to 5 s: four seconds of 24."""
    library, manifest = harbour
    two_scenes(library, manifest)
    root = library.root
    trimbin(root, "shortlist", "add", "Harbour", "1", "4", "--list", "Teaser")
    trimbin(root, "shortlist", "add", "Harbour", "3", "5", "--list", "Social")
    found = told(root, "coverage", "Harbour", "--list", "Teaser", "--list", "Social")
    assert [(s["start_s"], s["end_s"], s["used"]) for s in found["scenes"]] == [
        (0.0, 10.0, True),
        (10.0, 24.0, False),
    ]
    assert found["scenes"][0]["by"] == ["Teaser", "Social"]
    assert (found["used_s"], found["used_percent"]) == (4.0, 16.7)
    assert told(root, "coverage", "Harbour", "--list", "Social")["used_s"] == 2.0
    assert told(root, "coverage", "Harbour")["assets"] == ["Teaser", "Social"]

    trimbin(root, "coverage", "Harbour", "--keep", "Fresh")
    [item] = json.loads(trimbin(root, "shortlist", "show", "Fresh", "--json"))["items"]
    assert (item["start_frame"], item["end_frame"]) == (240, 576)
    after = trimbin(root, "coverage", "Harbour")  # what nobody used is no use by being listed
    assert "16.7% of Harbour used; 1 of 2 scenes unused" in after
    trimbin(root, "shortlist", "note", str(item["item_id"]), "opens the spot")
    assert "75.0% of Harbour used; 0 of 2 scenes unused" in trimbin(root, "coverage", "Harbour")


def test_a_glimpse_is_no_use_and_a_list_of_another_title_says_so(
    harbour: tuple[Library, Manifest],
) -> None:
    library, manifest = harbour
    two_scenes(library, manifest)
    trimbin(library.root, "shortlist", "add", "Harbour", "4", "10.1", "--list", "Over the cut")
    trimbin(library.root, "shortlist", "add", "Harbour", "1", "2", "--list", "Elsewhere")
    found = told(library.root, "coverage", "Harbour", "--list", "Over the cut")
    assert [scene["used"] for scene in found["scenes"]] == [True, False]
    other = add_title(
        library, make_film(library.root.parent / "quay.mp4", seconds=4, size="96x64"), title="Quay"
    )
    assert other.num_shots == 2
    found = told(library.root, "coverage", "Quay", "--list", "Elsewhere")
    assert "Elsewhere shows nothing of Quay" in found["notes"]


def test_black_is_no_scene_to_be_used(harbour: tuple[Library, Manifest]) -> None:
    """The second scene is black throughout: it is neither used nor unused, and not kept."""
    library, manifest = harbour
    two_scenes(library, manifest)
    measured(library, manifest, brightness=[0.5] * 5 + [0.0] * 7)
    assert [scene["empty"] for scene in told(library.root, "coverage", "Harbour")["scenes"]] == [
        False,
        True,
    ]
    lines = trimbin(library.root, "coverage", "Harbour", "--keep", "Fresh").splitlines()
    assert [line.split("  ")[-1] for line in lines[:2]] == ["unused", "nothing to show"]
    shown = json.loads(trimbin(library.root, "shortlist", "show", "Fresh", "--json"))
    assert [(item["start_frame"], item["end_frame"]) for item in shown["items"]] == [(0, 240)]


def test_similar_titles_are_told_best_first(tmp_path: Path) -> None:
    library = make_library(tmp_path / "library")
    for name, vector in {"A": [10, 1], "B": [10, 0.9], "C": [10, -1.9]}.items():
        film = make_film(tmp_path / f"{name}.mp4", seconds=2, size=f"{64 + 2 * ord(name)}x64")
        manifest = add_title(library, film, title=name)
        row = np.array([vector], np.float32) / np.linalg.norm(vector)
        save_file({"title": row}, library.folder(manifest.title_id) / "context@m.safetensors")
        library.finish(
            replace(manifest, spaces={"context": "context@m.safetensors"}, checkpoint="m")
        )
    assert [row["title"] for row in told(library.root, "similar", "A")["titles"]] == ["B", "C"]
    assert trimbin(library.root, "similar", "a", "--top", 1).startswith("  1  +1.00  B\n")


@pytest.mark.parametrize("command", ["moments", "coverage", "similar", "ads"])
def test_help_ends_with_an_example(command: str) -> None:
    shown = CliRunner().invoke(main, [command, "--help"]).output
    assert f"Example: trimbin {command}" in shown
