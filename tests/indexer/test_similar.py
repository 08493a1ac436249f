"""Similar titles: by their own vectors, beside what all titles have in common."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from shelf import add_title, make_film, make_library

from indexer.library import Library
from indexer.similar import similar_titles


def put(library: Library, folder: Path, name: str, vector: list[float], model: str = "m") -> str:
    film = make_film(folder / f"{name}.mp4", seconds=2, size=f"{64 + 2 * ord(name)}x64")
    manifest = add_title(library, film, title=name)
    file = "context@m.safetensors"
    row = np.array([vector], np.float32) / np.linalg.norm(vector)
    save_file({"title": row}, library.folder(manifest.title_id) / file)
    library.finish(replace(manifest, spaces={"context": file}, checkpoint=model))
    return manifest.title_id


def test_the_nearest_title_comes_first_and_what_all_share_counts_for_nothing(
    tmp_path: Path,
) -> None:
    """All lie along (1, 0, 0); beside that, A and B go one way, C and D the other."""
    library = make_library(tmp_path / "library")
    a = put(library, tmp_path, "A", [10, 1, 0])
    put(library, tmp_path, "B", [10, 0.9, 0.1])
    put(library, tmp_path, "C", [10, -1, 0])
    put(library, tmp_path, "D", [10, -0.9, 0])
    found = similar_titles(library, a)
    assert found[0].manifest.title == "B"
    assert found[0].likeness > 0.9
    assert {one.manifest.title for one in found[1:]} == {"C", "D"}
    assert max(one.likeness for one in found[1:]) < -0.9
    assert len(similar_titles(library, a, top=1)) == 1


def test_two_titles_are_compared_as_they_are(tmp_path: Path) -> None:
    library = make_library(tmp_path / "library")
    a = put(library, tmp_path, "A", [1, 0])
    put(library, tmp_path, "B", [1, 1])
    assert similar_titles(library, a)[0].likeness == pytest.approx(0.5**0.5)


def test_other_models_and_titles_without_context_are_left_out(tmp_path: Path) -> None:
    library = make_library(tmp_path / "library")
    a = put(library, tmp_path, "A", [1, 0])
    put(library, tmp_path, "B", [1, 1], model="another")
    plain = add_title(library, make_film(tmp_path / "plain.mp4", seconds=2, size="96x96"))
    assert similar_titles(library, a) == []
    assert similar_titles(library, plain.title_id) == []
