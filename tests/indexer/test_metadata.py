from pathlib import Path

import pytest

from indexer.metadata import description_of, metadata_of
from qdrant.errors import InputError


def table(folder: Path, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "titles.csv").write_text(text, encoding="utf-8")


def test_a_row_beside_the_media_is_typed(tmp_path: Path) -> None:
    table(
        tmp_path,
        'path,title,year,genres,tags,synopsis,studio\n'
        'reel.mp4,The Reel,1984,"Drama; Kids","rain, night",A cat waits.,Ours\n',
    )  # fmt: skip
    row = metadata_of(tmp_path / "reel.mp4", title_id=None, library_root=tmp_path / "library")
    assert row == {
        "title": "The Reel", "year": 1984, "genres": ["Drama", "Kids"], "tags": ["rain", "night"],
        "synopsis": "A cat waits.", "studio": "Ours",
    }  # fmt: skip
    assert description_of(row) == "A cat waits.\nrain, night"


def test_the_library_s_own_table_wins(tmp_path: Path) -> None:
    table(tmp_path / "media", "path,title\nreel.mp4,beside\n")
    table(tmp_path / "library", "title_id,title\nabc,by id\n")
    path = tmp_path / "media" / "reel.mp4"
    root = tmp_path / "library"
    assert metadata_of(path, title_id="abc", library_root=root)["title"] == "by id"
    assert metadata_of(path, title_id="other", library_root=root)["title"] == "beside"


def test_a_table_without_a_key_column_is_named(tmp_path: Path) -> None:
    table(tmp_path, "name\nx\n")
    with pytest.raises(InputError, match=r"titles\.csv.*neither a `path` nor a `title_id`"):
        metadata_of(tmp_path / "reel.mp4", title_id=None, library_root=tmp_path)
