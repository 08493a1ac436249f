import json
from pathlib import Path

import pytest
from shelf import add_title, make_film, make_library

from indexer.learning import context_due


@pytest.mark.parametrize(
    ("trained_on", "due"), [(None, None), (6, None), (2, None), (1.5, "again"), (1, "again")]
)
def test_training_is_due_when_the_library_has_quadrupled(
    tmp_path: Path, trained_on: float | None, due: str | None
) -> None:
    """Six shots: too few for a first model, four times one and a half."""
    library = make_library(tmp_path / "library")
    add_title(library, make_film(tmp_path / "film.mp4", seconds=12))
    if trained_on is not None:
        library.context_folder.mkdir(parents=True)
        record = {"id": "x", "metrics": {"num_shots": trained_on}}
        (library.context_folder / "context.json").write_text(json.dumps(record))
    assert context_due(library) == due


def test_enough_shots_make_a_first_model_due(tmp_path: Path) -> None:
    library = make_library(tmp_path / "library")
    add_title(library, make_film(tmp_path / "film.mp4", seconds=16))
    assert context_due(library) == "first"
