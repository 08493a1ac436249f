"""Searches with a name, in a library's small file."""

from pathlib import Path

import pytest
from shelf import make_library

from app.saved import MAX_NAME_CHARACTERS, MAX_SEARCHES, SEARCHES_FILE, SavedSearches
from qdrant.errors import StoreUnavailable, UsageError


@pytest.fixture
def saved(tmp_path: Path) -> SavedSearches:
    return SavedSearches.of(make_library(tmp_path / "library"))


def test_a_search_is_kept_found_replaced_and_deleted(saved: SavedSearches) -> None:
    assert saved.all() == {}
    saved.save(" rain  and sun ", {"q": "rain >> sun", "per_title": "2"})
    saved.save("Börse", {"q": '"<b>sell</b>"'})
    assert list(saved.all()) == ["Börse", "rain and sun"]
    assert saved.all()["rain and sun"] == {"q": "rain >> sun", "per_title": "2"}
    saved.save("rain and sun", {"q": "rain"})
    assert saved.all()["rain and sun"] == {"q": "rain"}
    saved.remove("rain and sun")
    saved.remove("nothing of the kind")
    assert list(saved.all()) == ["Börse"]


@pytest.mark.parametrize("name", ["", "  ", "x" * (MAX_NAME_CHARACTERS + 1)])
def test_a_name_that_is_none_is_refused(name: str, saved: SavedSearches) -> None:
    with pytest.raises(UsageError, match="needs a name"):
        saved.save(name, {"q": "rain"})


def test_there_is_an_end_to_it(saved: SavedSearches) -> None:
    path = saved.root / SEARCHES_FILE
    many = ",".join(f'"{n}": {{"q": "rain"}}' for n in range(MAX_SEARCHES))
    path.write_text(f"{{{many}}}", encoding="utf-8")
    with pytest.raises(UsageError, match="delete one first"):
        saved.save("one more", {"q": "rain"})


def test_a_broken_file_is_told_of_and_left_alone(saved: SavedSearches) -> None:
    path = saved.root / SEARCHES_FILE
    path.write_text("{", encoding="utf-8")
    with pytest.raises(StoreUnavailable, match=r"searches\.json cannot be read"):
        saved.save("rain", {"q": "rain"})
    assert path.read_text(encoding="utf-8") == "{"
