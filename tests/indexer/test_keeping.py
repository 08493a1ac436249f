"""Titles are removed so that they can be brought back, and relinked under their id."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from shelf import add_title, make_film, make_library

from indexer.identity import identify
from indexer.keeping import (
    LOOK_AGAIN,
    bring_back,
    is_to_be_indexed_again,
    relink_title,
    remove_title,
    removed_titles,
)
from indexer.library import Library
from indexer.manifest import Manifest
from indexer.workbench import workbench
from qdrant.errors import InputError, UsageError


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return make_library(tmp_path / "library")


@pytest.fixture
def manifest(library: Library, tmp_path: Path) -> Manifest:
    film = make_film(tmp_path / "films" / "night.mp4", seconds=4)
    return add_title(library, film, title="Night", inputs={"words": "some"}, notes=("No sound.",))


def test_a_removed_title_waits_and_comes_back_as_it_was(
    library: Library, manifest: Manifest
) -> None:
    proxy = library.cache_folder / "proxies" / f"{manifest.title_id}-1.mp4"
    proxy.parent.mkdir(parents=True)
    proxy.write_bytes(b"preview")
    waiting = remove_title(library, manifest.title_id)
    assert library.titles() == []
    assert waiting.is_relative_to(library.root / "removed")
    assert not proxy.exists()
    assert [title.title for title in removed_titles(library)] == ["Night"]
    assert Path(manifest.path).is_file()
    bring_back(library, manifest.title_id)
    assert library.titles() == [manifest]
    assert len(library.shots(manifest.title_id)) == 2
    assert removed_titles(library) == []


def test_a_title_goes_from_all_versions(library: Library, manifest: Manifest) -> None:
    home = library.root / "versions" / "other"
    shutil.copytree(library.folder(manifest.title_id), home / "titles" / manifest.title_id)
    shutil.copy(library.root / "profile.toml", home)
    remove_title(library, manifest.title_id)
    assert not (home / "titles" / manifest.title_id).exists()
    bring_back(library, manifest.title_id)
    assert (home / "titles" / manifest.title_id / "manifest.json").is_file()
    assert library.titles() == [manifest]


def test_removed_twice_the_last_one_waits(
    library: Library, manifest: Manifest, tmp_path: Path
) -> None:
    remove_title(library, manifest.title_id)
    add_title(library, Path(manifest.path), title="Night again")
    remove_title(library, manifest.title_id)
    assert [title.title for title in removed_titles(library)] == ["Night again"]


def test_a_title_under_work_is_not_removed(library: Library, manifest: Manifest) -> None:
    with (
        workbench(library, manifest.title_id),
        pytest.raises(InputError, match="being indexed by another process"),
    ):
        remove_title(library, manifest.title_id)
    assert library.titles() == [manifest]


def test_what_is_not_there_is_told(library: Library) -> None:
    with pytest.raises(InputError, match="is not in the library"):
        remove_title(library, "no-such-title")
    with pytest.raises(InputError, match="No removed title"):
        bring_back(library, "no-such-title")


def test_a_moved_film_is_found_again_and_needs_nothing_more(
    library: Library, manifest: Manifest, tmp_path: Path
) -> None:
    there = Path(manifest.path).rename(tmp_path / "moved.mp4")
    assert not library.manifest(manifest.title_id).is_online
    relinked = relink_title(library, manifest.title_id, there)
    assert relinked.is_same
    stamped = replace(relinked.manifest, indexed_at=manifest.indexed_at)
    assert stamped == replace(manifest, path=str(there))
    assert relinked.manifest.is_online
    assert identify(there, library).title_id == manifest.title_id


def test_another_export_keeps_the_id_and_is_to_be_indexed_again(
    library: Library, manifest: Manifest, tmp_path: Path
) -> None:
    other = make_film(tmp_path / "export.mp4", seconds=6)
    relinked = relink_title(library, manifest.title_id, other)
    assert not relinked.is_same
    assert relinked.manifest.notes == (LOOK_AGAIN, "No sound.")
    assert is_to_be_indexed_again(library.manifest(manifest.title_id))
    identity = identify(other, library)
    assert identity.title_id == manifest.title_id
    assert not identity.is_settled({"words": "some"}, library)
    again = relink_title(library, manifest.title_id, make_film(tmp_path / "x.mp4", seconds=3))
    assert again.manifest.notes.count(LOOK_AGAIN) == 1


def test_a_title_relinked_twice_is_still_to_be_indexed_again(
    library: Library, manifest: Manifest, tmp_path: Path
) -> None:
    other = make_film(tmp_path / "export.mp4", seconds=6)
    relink_title(library, manifest.title_id, other)
    moved = other.rename(tmp_path / "export-2.mp4")
    relinked = relink_title(library, manifest.title_id, moved)
    assert relinked.is_same
    assert is_to_be_indexed_again(relinked.manifest)
    assert relinked.manifest.inputs == {}


def test_a_film_that_is_another_title_and_what_is_no_film_are_refused(
    library: Library, manifest: Manifest, tmp_path: Path
) -> None:
    other = make_film(tmp_path / "other.mp4", seconds=6)
    add_title(library, other, title="Other")
    with pytest.raises(UsageError, match="already the title 'Other'"):
        relink_title(library, manifest.title_id, other)
    text = tmp_path / "text.mp4"
    text.write_text("no film", encoding="utf-8")
    for path in (text, tmp_path / "nothing.mp4", tmp_path):
        with pytest.raises(InputError):
            relink_title(library, manifest.title_id, path)
    assert library.manifest(manifest.title_id) == manifest
