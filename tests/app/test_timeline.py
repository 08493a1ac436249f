"""A title over time, as plain numbers."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from shelf import add_title, make_film, make_library

from app.timeline import Curve, Line, Match, matches_of, timeline_of


def test_a_timeline_has_cuts_lines_and_curves_to_scale(tmp_path: Path) -> None:
    library = make_library(tmp_path / "library")
    manifest = add_title(library, make_film(tmp_path / "a.mp4", seconds=8), dialogue=["One\nTwo"])
    shots = library.shots(manifest.title_id)
    shots["dialogue_at_s"] = [[0.5, 1.25], [], [], []]
    shots["loudness"] = [-60.0, -30.0, float("nan"), -90.0]
    shots["motion"] = [0.0, 0.02, 0.04, 0.01]
    shots["speech"] = [None] * 4
    shots["music"] = [0.0, 1.0, 0.25, None]
    shots.to_parquet(library.folder(manifest.title_id) / "shots.parquet")
    timeline = timeline_of(library, manifest)
    assert timeline.starts_s == [0.0, 2.0, 4.0, 6.0]
    assert timeline.ends_s[:3] == [2.0, 4.0, 6.0]
    assert timeline.timecodes[1] == "2.00 s" or timeline.timecodes[1].endswith("00:02:00")
    assert timeline.lines == [Line(0.5, 0, "One"), Line(1.25, 0, "Two")]
    assert timeline.curves == [
        Curve("Loudness", [0.0, 0.5, None, 0.0], "-60 to 0 LUFS"),
        Curve("Music", [0.0, 1.0, 0.25, None], "0 to 1"),
        Curve("Motion", [0.0, 0.5, 1.0, 0.25], "0 to 0.04, the title's most"),
    ]


def test_a_line_without_a_time_stands_where_its_shot_begins(tmp_path: Path) -> None:
    library = make_library(tmp_path / "library")
    manifest = add_title(library, make_film(tmp_path / "a.mp4", seconds=4), dialogue=["", "Late"])
    assert timeline_of(library, manifest).lines == [Line(2.0, 1, "Late")]
    assert timeline_of(library, manifest).curves == []


def test_matches_are_in_the_order_of_the_film() -> None:
    def moment(first: int, end: int, score: float) -> SimpleNamespace:
        return SimpleNamespace(shots=(first, end), score=score)

    answer = SimpleNamespace(hits=(moment(7, 9, 0.9), moment(1, 2, 0.8)), weak=(moment(4, 5, 0.1),))
    assert matches_of(answer) == [  # type: ignore[arg-type]
        Match(1, 2, 0.8, True),
        Match(4, 5, 0.1, False),
        Match(7, 9, 0.9, True),
    ]


@pytest.mark.parametrize("column", ["motion"])
def test_a_column_of_words_is_no_curve(column: str, tmp_path: Path) -> None:
    library = make_library(tmp_path / "library")
    manifest = add_title(library, make_film(tmp_path / "a.mp4", seconds=4))
    shots = library.shots(manifest.title_id)
    shots[column] = ["dark", "light"]
    shots.to_parquet(library.folder(manifest.title_id) / "shots.parquet")
    assert timeline_of(library, manifest).curves == []
