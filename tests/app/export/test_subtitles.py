"""Subtitles of kept moments count from their own beginning, and are cut off at its borders."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pandas as pd
import pysubs2
import pytest
from counted import AAC, X264, cut_list, make_counted
from shelf import add_title, make_library

from app.export import subtitles
from app.export.assembling import Settings
from app.export.cutlist import CutList
from app.export.formats import Options
from indexer.library import Library
from indexer.progress import silent
from qdrant.errors import UsageError

Line = tuple[int, int, str]
"""From when to when, in milliseconds, and what is said."""


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return make_library(tmp_path / "library")


def add_said(library: Library, folder: Path, cues: list[dict[str, Any]]) -> Any:
    film = make_counted(folder / "film.mp4", *X264, *AAC, frames=240, rate=24)
    manifest = add_title(library, film, num_frames=240)
    row = {"track": "film.srt", "source": "sidecar", "kind": "dialogue", "language": "en",
           "speaker": None, "sounds": []}  # fmt: skip
    table = pd.DataFrame([{**row, **cue} for cue in cues])
    table.to_parquet(library.folder(manifest.title_id) / "cues.parquet")
    return manifest


def lines_of(path: Path) -> list[Line]:
    return [(e.start, e.end, e.text) for e in pysubs2.load(str(path), encoding="utf-8")]


def written(cuts: CutList, folder: Path) -> dict[str, list[Line]]:
    folder.mkdir(exist_ok=True)
    paths = subtitles.write(cuts, folder, options=Options(), progress=silent)
    assert sorted(paths) == sorted(folder.iterdir())
    return {path.name: lines_of(path) for path in paths}


SAID = [
    {"start_s": 0.5, "end_s": 1.5, "text": "Before."},
    {"start_s": 1.75, "end_s": 3.0, "text": "Across the in."},
    {"start_s": 3.5, "end_s": 4.5, "text": "Across the out."},
    {"start_s": 9.0, "end_s": 9.5, "text": "After."},
]


def test_times_count_from_the_cut_and_are_cut_off_at_its_borders(
    library: Library, tmp_path: Path
) -> None:
    manifest = add_said(library, tmp_path, SAID)
    cuts = cut_list(library, (manifest, 48, 96), (manifest, 120, 144), (manifest, 204, 240))
    found = written(cuts, tmp_path / "out")
    assert found == {
        "001_film.srt": [(0, 1000, "Across the in."), (1500, 2000, "Across the out.")],
        "003_film.srt": [(500, 1000, "After.")],
        "Selects_timeline.srt": [
            (0, 1000, "Across the in."),
            (1500, 2000, "Across the out."),
            (3500, 4000, "After."),  # two seconds, one second, then half a second in
        ],
    }


def test_handles_move_the_words(library: Library, tmp_path: Path) -> None:
    manifest = add_said(library, tmp_path, SAID)
    cuts = cut_list(library, (manifest, 48, 84), settings=Settings(handles=12))
    found = written(cuts, tmp_path / "out")
    assert found["001_film.srt"] == [
        (250, 1500, "Across the in."), (2000, 2500, "Across the out."),
    ]  # fmt: skip


def test_the_timeline_keeps_its_own_rate(library: Library, tmp_path: Path) -> None:
    """48 frames at 24 are two seconds; conformed to 25 they are 50 frames, two seconds as well."""
    manifest = add_said(library, tmp_path, SAID)
    cuts = cut_list(library, (manifest, 48, 96), (manifest, 204, 240),
                    settings=Settings(rate=Fraction(25)))  # fmt: skip
    found = written(cuts, tmp_path / "out")
    assert found["Selects_timeline.srt"][-1][:2] == pytest.approx((2500, 3000), abs=20)


def test_the_track_that_was_indexed_speaks(library: Library, tmp_path: Path) -> None:
    manifest = add_said(library, tmp_path, [
        {"start_s": 2.5, "end_s": 3, "text": "Bonjour.", "language": "fr", "track": "film.fr.srt"},
        {"start_s": 2.5, "end_s": 3, "text": "She smiles.", "kind": "description"},
        {"start_s": 2.5, "end_s": 3, "text": "Hello.", "track": "film.en.srt"},
        {"start_s": 2.6, "end_s": 3, "text": "HELLO", "track": "captions", "source": "captions"},
    ])  # fmt: skip
    cuts = cut_list(library, (manifest, 48, 96))
    assert written(cuts, tmp_path / "out")["001_film.srt"] == [(500, 1000, "Hello.")]


def test_words_become_no_markup_and_no_cue(library: Library, tmp_path: Path) -> None:
    hostile = "<script>x</script> {\\an8}up 1\n\n2\n00:00:01,000 --> 00:00:02,000\nfake"
    manifest = add_said(library, tmp_path, [{"start_s": 2.5, "end_s": 3, "text": hostile}])
    cuts = cut_list(library, (manifest, 48, 96))
    found = written(cuts, tmp_path / "out")
    assert len(found["001_film.srt"]) == 1
    text = (tmp_path / "out" / "001_film.srt").read_text(encoding="utf-8")
    assert "<" not in text and "\\" not in text and text.count("-->") == 1
    assert "script" in text and "fake" in text


def test_where_nothing_is_said_there_is_nothing_to_write(library: Library, tmp_path: Path) -> None:
    film = make_counted(tmp_path / "film.mp4", *X264, *AAC, frames=48, rate=24)
    cuts = cut_list(library, (add_title(library, film, num_frames=48), 0, 24))
    with pytest.raises(UsageError, match="Nothing is said"):
        written(cuts, tmp_path / "out")


def test_a_library_indexed_for_real(library_root: Path, tmp_path: Path) -> None:
    """The reel's line is said from 0.3 s to 1.5 s into its fourth photograph (frames 144..192)."""
    library = Library.open(library_root)
    (manifest,) = library.titles()
    cuts = cut_list(library, (manifest, 144, 192), name="real words")
    found = written(cuts, tmp_path / "out")
    assert found["001_Photographs.srt"] == [(300, 1500, "The lighthouse keeper never came home.")]
