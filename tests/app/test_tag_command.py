"""`trimbin tag` from outside: a real library is tagged, searched by its tags, and cleared."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from harness import run_trimbin
from reel import CAT
from shelf import add_title, make_film, make_library

from app.fields import condition_of
from app.parsing import parse
from app.request import Field
from app.search import search
from app.studio import encoders_of
from indexer.catalogue import open_catalogue
from indexer.library import Library
from indexer.manifest import Manifest
from indexer.versions.rebuilding import rebuild
from qdrant.errors import UsageError
from qdrant.language import AnyOf


@pytest.fixture(scope="module")
def root(reel_library: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the reel's library that tests may tag."""
    root = tmp_path_factory.mktemp("tagged") / "library"
    shutil.copytree(reel_library, root)
    return root


def shots_found(root: Path, query: str) -> list[int]:
    library = Library.open(root)
    with open_catalogue(library, command="pytest") as catalogue:
        hits = search(catalogue, encoders_of(library), parse(query, top=9)).hits
    return sorted(hit.shots[0] for hit in hits)


def test_a_library_is_tagged_searched_by_its_tags_and_cleared(root: Path) -> None:
    told = json.loads(run_trimbin("tag", "--library", root, "--json"))
    assert (told["status"], told["shots"]) == ("tagged", 6)
    assert told["tags"]["label"]["animal"] == 1
    assert shots_found(root, "label:animal") == [CAT]
    assert shots_found(root, "position:0..1 -label:animal") == [1, 2, 3, 4, 5]
    assert shots_found(root, "label:nudity") == []  # asked of every shot, and none carries it
    [hit] = json.loads(run_trimbin("search", "label:animal", "--library", root, "--json"))["hits"]
    assert hit["tags"]["label"][0] == "animal"
    assert rebuild(Library.open(root), command="pytest").titles == 1
    assert shots_found(root, "label:animal") == [CAT]

    told = json.loads(run_trimbin("tag", "--clear", "--library", root, "--json"))
    assert (told["status"], told["tags"]) == ("cleared", {})
    with pytest.raises(UsageError, match="Tag them all with `trimbin tag`"):
        shots_found(root, "label:animal")


def test_a_title_that_is_not_there_and_an_empty_library_are_told(
    root: Path, tmp_path: Path
) -> None:
    refused = trimbin("tag", "--title", "Elsewhere", "--library", str(root))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "'Elsewhere'" in refused.stderr and "'Photographs'" in refused.stderr
    make_library(tmp_path / "empty")
    refused = trimbin("tag", "--library", str(tmp_path / "empty"))
    assert refused.returncode == 2
    assert "no titles to tag" in refused.stderr


def trimbin(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "app", *arguments], capture_output=True, text=True, timeout=240
    )


@pytest.fixture
def tagged(tmp_path: Path) -> Manifest:
    """A title of a library beside `tmp_path`, of which somebody knows tags."""
    library = make_library(tmp_path / "library")
    film = make_film(tmp_path / "a.mp4", seconds=4, size="64x36")
    names = {"label": ["closeup", "our-own"], "tone": []}
    return add_title(library, film, tags="tags@x.json", tag_names=names)


def test_fields_of_tags_name_what_there_is(tmp_path: Path, tagged: Manifest) -> None:
    library = make_library(tmp_path / "library")
    assert condition_of(Field("label", ("CloseUp",)), library) == AnyOf("labels", ("closeup",))
    assert condition_of(Field("label", ("gore",)), library) == AnyOf("labels", ("gore",))
    assert condition_of(Field("tone", ("Creepy",)), library) == AnyOf("tones", ("creepy",))
    with pytest.raises(UsageError, match=r"the label 'clsup'. There are: closeup, our-own, act"):
        condition_of(Field("label", ("clsup",)), library)
    with pytest.raises(UsageError, match=r"`clipgenre:` finds nothing.*`trimbin tag`"):
        condition_of(
            Field("clipgenre", ("Horror",)), library
        )  # labels and tones were asked, not it
    with pytest.raises(UsageError, match=r"`label` is no number"):
        condition_of(Field("label", (), 0.2, 0.4), library)


def test_a_column_of_one_s_own_counts_where_nothing_is_tagged_so(tmp_path: Path) -> None:
    library = make_library(tmp_path / "library")
    film = make_film(tmp_path / "a.mp4", seconds=4, size="64x36")
    add_title(library, film, metadata={"tone": "Noir"})
    assert condition_of(Field("tone", ("noir",)), library) == AnyOf("tone", ("Noir",))


def test_what_asks_for_tags_can_be_said_again() -> None:
    asked = "a door label:closeup,two-shot -tone:creepy clipgenre:Sci-fi"
    told = str(parse(asked))
    assert str(parse(told)) == told
    assert parse(told) == parse(asked)
