"""What a library says of its titles is what lies on disk now."""

from dataclasses import replace
from pathlib import Path

import pytest
from shelf import add_title, make_film, make_library

from indexer.library import Library
from qdrant.errors import InputError


def test_a_title_is_told_as_another_process_left_it(tmp_path: Path) -> None:
    library = make_library(tmp_path / "library")
    before = add_title(library, make_film(tmp_path / "film.mp4", seconds=4))
    assert [manifest.title for manifest in library.titles()] == [before.title]
    Library.open(library.root).finish(replace(before, title="Otherwise"))
    assert library.manifest(before.title_id).title == "Otherwise"


def test_a_title_that_has_gone_is_said_to_have_gone(tmp_path: Path) -> None:
    library = make_library(tmp_path / "library")
    gone = add_title(library, make_film(tmp_path / "film.mp4", seconds=4))
    assert library.titles() == [library.manifest(gone.title_id)]
    (library.folder(gone.title_id) / "manifest.json").unlink()
    with pytest.raises(InputError, match="has gone from the library"):
        library.manifest(gone.title_id)
