"""The store made anew from what the title folders hold; the films themselves are gone."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from asking import query_of
from safetensors.numpy import save_file
from shelf import add_title, make_film, make_library

from indexer.catalogue import Catalogue, open_catalogue
from indexer.library import Library
from indexer.publish import library_schema
from indexer.versions import rebuild
from indexer.versions.rebuilding import Telling, renew
from qdrant.errors import StoreUnavailable
from qdrant.replacement import BUILDING, OUTGOING, READY, install, replacement
from qdrant.search_index import read_held
from qdrant.sparse import copy_folder
from qdrant.store import open_store

DIM = 384  # of the offline profile's pictures; its models are not needed
SHOTS = 3


@pytest.fixture(scope="module", autouse=True)
def _few_indexes() -> Iterator[None]:
    """Make shards with few payload indexes: all of them take seconds on a slow disk."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("qdrant.edge_types.PAYLOAD_INDEXES", {"title_id": "keyword"})
        yield


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library with two titles whose films are gone, and its store."""
    folder = tmp_path_factory.mktemp("kept")
    library = make_library(folder / "library")
    film = make_film(folder / "film.mp4", seconds=6)
    for number, name in enumerate(("Day", "Night")):
        path = folder / f"{name}.mp4"
        path.write_bytes(film.read_bytes() + bytes([number]))
        manifest = add_title(
            library, path, dialogue=["rain"], spaces={"video": "video@1.safetensors"}
        )
        vectors = np.random.default_rng(number).normal(size=(SHOTS, DIM)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        save_file({"shots": vectors}, library.folder(manifest.title_id) / "video@1.safetensors")
        path.unlink()
    found_in(library)
    return library.root


@pytest.fixture
def library(kept: Path, tmp_path: Path) -> Library:
    copy_folder(kept, tmp_path / "library")
    return Library.open(tmp_path / "library")


@pytest.fixture
def home(library: Library) -> Path:
    """Where the store of the version in use lies."""
    return library.store_folder / library.version


Found = list[tuple[str, int, float]]


def ask(catalogue: Catalogue) -> Found:
    vector = np.zeros(DIM, np.float32)
    vector[0] = 1
    hits = catalogue.query(query_of({"video": vector}, "rain", candidates=50))
    return sorted((h.title_id, h.shot, round(h.answers[0]["video"], 5)) for h in hits)


def found_in(library: Library) -> Found:
    with open_catalogue(library, command="test") as catalogue:
        return ask(catalogue)


def garble(home: Path) -> None:
    for path in (home / "shard").rglob("*"):
        if path.is_file():
            path.write_bytes(b"garbage")


def as_file(path: Path) -> None:
    shutil.rmtree(path)
    path.write_bytes(b"not a folder")


@pytest.mark.parametrize(
    ("hurt", "opens"),
    [
        (lambda home: shutil.rmtree(home.parent), True),
        (lambda home: as_file(home.parent), False),
        (garble, False),
    ],
    ids=["gone", "a file", "garbage"],
)
def test_a_store_that_is_gone_or_damaged_is_made_anew(
    kept: Path, library: Library, home: Path, hurt: Callable[[Path], None], opens: bool
) -> None:
    before = found_in(Library.open(kept))
    hurt(home)
    if not opens:
        with pytest.raises(StoreUnavailable):
            found_in(library)
    rebuilt = rebuild(library, command="test")
    assert (rebuilt.titles, rebuilt.shots, rebuilt.damaged, rebuilt.waits_for) == (2, 6, (), None)
    assert len(before) == 6
    assert found_in(library) == before
    assert sorted(path.name for path in home.iterdir() if path.is_dir()) == ["shard"]


def test_what_the_store_had_and_the_library_has_not_goes(library: Library) -> None:
    day, night = library.titles()
    shutil.rmtree(library.folder(day.title_id))
    assert rebuild(library, command="test").titles == 1
    assert {title for title, _, _ in found_in(library)} == {night.title_id}


def test_a_damaged_title_is_named_and_the_others_are_there(library: Library) -> None:
    day, night = library.titles()
    (library.folder(day.title_id) / "shots.parquet").write_bytes(b"damaged")
    rebuilt = rebuild(library, command="test")
    [sentence] = rebuilt.damaged
    assert sentence.startswith("Day is left out")
    assert {title for title, _, _ in found_in(library)} == {night.title_id}


def test_searching_goes_on_and_whoever_has_it_open_is_named(
    library: Library, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    until, answers, problems = threading.Event(), list[Found](), list[Exception]()

    def search(page: Catalogue) -> None:
        while not until.wait(0.01):
            try:
                answers.extend([ask(page), found_in(library)])
            except Exception as error:
                problems.append(error)

    with open_catalogue(library, command="trimbin ui") as page:
        thread = threading.Thread(target=search, args=(page,))
        thread.start()
        rebuilt = rebuild(library, command="test")
        until.set()
        thread.join()
        assert (home / READY).is_dir()
    assert problems == []
    assert len(answers) > 4
    assert {len(found) for found in answers} == {6}
    assert rebuilt.waits_for is not None
    assert "`trimbin ui` (process" in rebuilt.waits_for
    assert found_in(library) == answers[0]  # the next to open it takes it up
    assert not (home / READY).exists()


def test_a_crash_leaves_the_old_store_or_the_new_one(library: Library, home: Path) -> None:
    before = found_in(library)
    schema = library_schema(library)

    class PowerCutError(Exception):
        pass

    with (
        pytest.raises(PowerCutError),
        replacement(library.store_folder, schema, library_id=library.library_id),
    ):
        raise PowerCutError
    assert found_in(library) == before
    (home / BUILDING).mkdir()  # as a killed process leaves it
    with replacement(library.store_folder, schema, library_id=library.library_id):
        pass
    (home / "shard").rename(home / OUTGOING)  # killed between the two renames
    assert found_in(library) == before  # empty, so syncing filled it
    assert not (home / OUTGOING).exists()
    assert install(library.store_folder, schema, command="test") is None


def test_one_rebuilds_at_a_time(library: Library) -> None:
    schema = library_schema(library)
    with (
        replacement(library.store_folder, schema, library_id=library.library_id),
        pytest.raises(StoreUnavailable, match=r"Another process is rebuilding .* wait"),
    ):
        rebuild(library, command="test")


def test_on_a_server_every_title_is_published_once_more(library: Library) -> None:
    day, night = library.titles()
    store = open_store(
        Path(), library_schema(library), library_id=library.library_id, command="test",
        url=":memory:",
    )  # fmt: skip
    with store:
        telling = Telling(library, lambda stage, done, total: None)
        renew(library, store, telling)
        point = store.vectors(day.title_id, 0)["video"]
        path = library.folder(day.title_id) / "video@1.safetensors"
        save_file({"shots": np.eye(SHOTS, DIM, dtype=np.float32)}, path)
        shutil.rmtree(library.folder(night.title_id))
        renew(library, store, telling)
        assert store.generations() == {day.title_id: day.generation}
        assert store.count() == SHOTS
        assert not np.allclose(store.vectors(day.title_id, 0)["video"], point)


def test_a_large_store_made_anew_has_its_index(
    library: Library, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = found_in(library)
    monkeypatch.setattr("qdrant.search_index.MANY_POINTS", 5)
    rebuild(library, command="test")
    assert read_held(home / "shard") == {
        manifest.title_id: (manifest.generation, SHOTS) for manifest in library.titles()
    }
    assert found_in(library) == before


def test_without_room_a_store_made_anew_has_none_and_it_is_said(
    library: Library,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("qdrant.search_index.MANY_POINTS", 5)
    monkeypatch.setattr("qdrant.search_index.ROOM", 1e12)
    assert rebuild(library, command="test").titles == 2
    assert "until there is room" in caplog.text
    assert read_held(home / "shard") == {}
    assert len(found_in(library)) == 2 * SHOTS


def test_who_keeps_a_store_in_step_has_its_index_built(
    library: Library, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = found_in(library)
    monkeypatch.setattr("qdrant.search_index.MANY_POINTS", 5)
    with open_catalogue(library, command="trimbin ui") as page:
        page.keep_in_step()
        deadline = time.monotonic() + 120
        while not read_held(home / "shard") and time.monotonic() < deadline:
            assert ask(page) == before
        assert len(read_held(home / "shard")) == 2
        assert not page.store.index_is_due()
        assert ask(page) == before
