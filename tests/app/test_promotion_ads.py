"""Ad moments on the reel of photographs: a brief, what to keep away from, by what it is told."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner
from reel import COFFEE, ROCKET

from app.cli import main
from app.promotion.ads import NO_BREAK, NOTHING_GOOD, AdBreaks, ad_breaks
from app.studio import encoders_of
from indexer.catalogue import open_catalogue
from indexer.library import SHOTS_FILE, Library
from qdrant.errors import UsageError

Ask = Callable[..., AdBreaks]


@pytest.fixture(scope="module")
def root(reel_library: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reel, its coffee silent, and tagged as alcohol by somebody who does not look closely."""
    root = tmp_path_factory.mktemp("ads") / "library"
    shutil.copytree(reel_library, root)
    library = Library.open(root)
    [manifest] = library.titles()
    shots = library.shots(manifest.title_id)
    shots["labels"] = pd.Series([["Alcohol"] if n == COFFEE else [] for n in range(len(shots))])
    shots["silent"] = [n == COFFEE for n in range(len(shots))]
    shots.to_parquet(library.folder(manifest.title_id) / SHOTS_FILE)
    named = {"label": ["Alcohol"]}
    library.finish(replace(manifest, generation="tagged", tag_names=named))
    return root


@pytest.fixture(scope="module")
def ask(root: Path) -> Iterator[Ask]:
    library = Library.open(root)
    encoders = encoders_of(library)
    with open_catalogue(library, command="test") as catalogue:
        yield lambda brief, **dials: ad_breaks(catalogue, encoders, brief, **dials)


def test_the_break_follows_what_the_brief_says(ask: Ask) -> None:
    """The cat is on for the first two seconds; the coffee after it makes no sound."""
    found = ask("a cat", avoid=())
    best = found.breaks[0]
    assert (best.tc, best.best_tc, best.frame) == ("00:00:02:00", "00:00:00:00", 48)
    assert "silence" in best.signs
    assert best.confident
    assert found.avoid == ()


def test_what_is_near_to_something_to_be_avoided_stands_apart_with_the_reason(ask: Ask) -> None:
    found = ask("a cat", avoid=("a rocket",))
    assert found.breaks == ()
    [reason] = found.avoid[0].reasons
    assert (reason.label, reason.at_tc, reason.by) == (
        "a rocket",
        f"00:00:{2 * ROCKET:02}:00",
        "words",
    )
    assert reason.score > 0.24


def test_a_tag_says_it_without_words(ask: Ask) -> None:
    found = ask("a cat", avoid=("alcohol",))
    reasons = {str(reason) for one in found.avoid for reason in one.reasons}
    assert reasons == {f"alcohol at 00:00:{2 * COFFEE:02}:00 (tagged)"}
    found = ask("a cat", avoid=("brand-safety",))  # alcohol is one of what it stands for
    assert reasons <= {str(reason) for one in found.avoid for reason in one.reasons}


def test_a_brief_that_nothing_fits_says_so(ask: Ask) -> None:
    found = ask("quarterly tax return", avoid=())
    assert NOTHING_GOOD in found.notes or NO_BREAK in found.notes
    assert not any(one.confident for one in found.breaks)


def test_what_cannot_be_asked_is_a_sentence(ask: Ask) -> None:
    with pytest.raises(UsageError, match="There is nothing to look for"):
        ask("  ")
    with pytest.raises(UsageError, match="needs a name"):
        ask("a cat", avoid=(" ",))
    with pytest.raises(UsageError, match="No title is called 'Quay'"):
        ask("a cat", title="Quay")


def test_the_command_tells_breaks_and_reasons(root: Path) -> None:
    def trimbin(*arguments: str) -> str:
        result = CliRunner().invoke(main, ["ads", "a cat", *arguments, "--library", str(root)])
        assert result.exit_code == 0, result.output
        return result.stdout

    told = json.loads(trimbin("--avoid", "a rocket", "--title", "photographs", "--json"))
    assert told["avoid"][0]["tc"] == "00:00:02:00"
    assert told["avoid"][0]["reasons"][0]["label"] == "a rocket"
    lines = trimbin("--avoid", "a rocket")
    assert lines.startswith("To be avoided:\n")
    assert "a rocket at 00:00:04:00" in lines
