"""The map of a catalogue: what is alike lies together, and what comes later finds its place."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from shelf import add_title, make_film, make_library

from indexer.atlas.atlas import draw_atlas, read_atlas
from indexer.atlas.groups import grouped, names_of
from indexer.atlas.project import components_of, laid_out, placed_among
from indexer.atlas.sample import every_nth
from indexer.library import Library
from indexer.manifest import Manifest

DIM = 16


def clouds(count: int, *, clouds: int = 3, seed: int = 0) -> np.ndarray:
    """Return points round corners that lie far apart, cloud after cloud."""
    generator = np.random.default_rng(seed)
    corners = np.eye(clouds, DIM) * 10
    return (
        np.repeat(corners, count, axis=0) + generator.normal(size=(clouds * count, DIM))
    ).astype(np.float32)


def test_what_is_alike_lies_together() -> None:
    points = components_of(clouds(20)).of(clouds(20))
    places = laid_out(points)
    assert places.shape == (60, 2)
    assert places.min() >= 0
    assert places.max() <= 1
    middles = places.reshape(3, 20, 2).mean(axis=1)
    within = np.linalg.norm(places.reshape(3, 20, 2) - middles[:, None], axis=2).max()
    between = min(np.linalg.norm(middles[a] - middles[b]) for a, b in ((0, 1), (0, 2), (1, 2)))
    assert within < between
    assert np.array_equal(places, laid_out(points))


@pytest.mark.parametrize("count", [1, 2, 11])
def test_a_few_shots_make_a_map_too(count: int) -> None:
    places = laid_out(np.arange(count * 3, dtype=np.float32).reshape(count, 3))
    assert places.shape == (count, 2)
    assert np.isfinite(places).all()


def test_a_point_that_comes_later_is_placed_among_its_neighbours() -> None:
    known = np.array([[0, 0], [0, 1], [9, 9], [9, 8]], np.float32)
    places = np.array([[0.1, 0.1], [0.1, 0.3], [0.9, 0.9], [0.9, 0.7]], np.float32)
    known, places = np.repeat(known, 5, axis=0), np.repeat(places, 5, axis=0)
    found, nearest = placed_among(np.array([[0, 0.1], [9, 9.1]], np.float32), known, places)
    assert found == pytest.approx(np.array([[0.1, 0.1], [0.9, 0.9]]))
    assert (nearest[0] < 5, 10 <= nearest[1] < 15) == (True, True)


def test_groups_are_what_lies_together_the_largest_first() -> None:
    points = np.concatenate([clouds(60, clouds=1), clouds(200, clouds=2)[200:]])
    groups = grouped(points)
    assert set(groups[60:].tolist()).isdisjoint(groups[:60].tolist())
    sizes = np.bincount(groups).tolist()
    assert sizes == sorted(sizes, reverse=True)


def test_a_group_is_called_by_words_told_there_and_not_elsewhere() -> None:
    groups = np.array([0, 0, 0, 1, 1, 2, 2], np.int32)
    words = ["the storm", "The storm is near", "the sea", "the king", "the KING sleeps", "", "the"]
    titles = ["A", "A", "B", "A", "B", "B", "B"]
    assert names_of(groups, words, titles) == ["storm", "king", "B"]


def test_without_words_and_a_common_title_a_group_has_a_number() -> None:
    groups = np.array([0, 0, 1, 1], np.int32)
    assert names_of(groups, [""] * 4, ["A", "B", "A", "B"]) == ["Group 1", "Group 2"]


@pytest.mark.parametrize(("shots", "every"), [(0, 1), (10, 1), (11, 2), (30, 3), (31, 4)])
def test_of_a_large_library_every_nth_shot_is_shown(shots: int, every: int, tmp_path: Path) -> None:
    manifest = add_title(make_library(tmp_path / "l"), make_film(tmp_path / "a.mp4", seconds=2))
    assert every_nth([replace(manifest, num_shots=shots)], max_shots=10) == every


@pytest.fixture
def library(tmp_path: Path) -> Library:
    library = make_library(tmp_path / "library")
    for number in range(4):
        put_title(library, tmp_path, number, seconds=16)
    return library


def put_title(library: Library, folder: Path, number: int, *, seconds: float) -> Manifest:
    """Add a title whose shots look alike, and unlike those of others."""
    film = make_film(folder / f"{number}.mp4", seconds=seconds, size=f"{64 + 2 * number}x64")
    manifest = add_title(library, film, title=f"Title {number}", generation=f"first-{number}")
    dim = library.profile.dims["video"]
    rows = np.random.default_rng(number).normal(size=(manifest.num_shots, dim)) * 0.02
    rows[:, number] += 1
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    name = "video@by-hand.safetensors"
    save_file({"shots": rows.astype(np.float32)}, library.folder(manifest.title_id) / name)
    return library.finish(replace(manifest, spaces={"video": name}))


def test_a_map_is_drawn_once_and_kept(library: Library) -> None:
    told: list[str] = []
    drawn = draw_atlas(library, lambda stage, done, total: told.append(stage))
    assert len(drawn.shot) == 4 * 8
    assert drawn.space == "fused"
    assert drawn.is_of(library)
    assert "Laying out" in told
    told.clear()
    kept = draw_atlas(library, lambda stage, done, total: told.append(stage))
    assert told == []
    assert np.array_equal(kept.places, drawn.places)
    assert kept.names == drawn.names


def test_a_title_that_comes_is_placed_and_one_that_goes_is_left_out(
    library: Library, tmp_path: Path
) -> None:
    before = draw_atlas(library)
    late = put_title(library, tmp_path, 9, seconds=4)
    after = draw_atlas(library)
    assert after.num_placed == 2
    assert np.array_equal(after.places[: 4 * 8], before.places)
    assert [after.title_ids[n] for n in after.title[-2:]] == [late.title_id] * 2
    gone = before.title_ids[0]
    (library.folder(gone) / "manifest.json").unlink()
    without = draw_atlas(library)
    assert gone not in {without.title_ids[n] for n in without.title}
    assert len(without.shot) == 4 * 8 + 2 - 8
    assert without.is_of(library)


def test_when_much_has_come_the_map_is_drawn_anew(library: Library, tmp_path: Path) -> None:
    draw_atlas(library)
    put_title(library, tmp_path, 9, seconds=40)
    assert draw_atlas(library).num_placed == 0


def test_a_damaged_map_is_none(library: Library) -> None:
    draw_atlas(library)
    [kept] = library.cache_folder.glob("map-*.npz")
    kept.write_bytes(kept.read_bytes()[:-200])
    assert read_atlas(library) is None
    assert draw_atlas(library).is_of(library)


def test_a_damaged_title_is_left_out(library: Library) -> None:
    broken = library.titles()[0]
    (library.folder(broken.title_id) / "shots.parquet").write_bytes(b"no table")
    atlas = draw_atlas(library)
    assert broken.title_id not in atlas.title_ids
    assert atlas.is_of(library)
