"""Every row of the table of odd inputs comes out as stated."""

from __future__ import annotations

from pathlib import Path

import pytest
from odd_media import Row, complaints, outcome_of
from odd_table import ROWS


def test_the_table_names_each_file_once() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS) >= 40


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.what)
def test_odd_input(row: Row, tmp_path: Path) -> None:
    path = tmp_path / row.name
    row.make(path)
    assert complaints(row, outcome_of(path)) == []
