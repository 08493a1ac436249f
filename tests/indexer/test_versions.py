"""Versions beside each other: backfilled, killed, validated, switched to and back, and rebuilt."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reel import make_reel
from safetensors.numpy import load_file, save_file
from second_version import make_profiles

from indexer.catalogue import Catalogue, open_catalogue
from indexer.disk import write_atomically
from indexer.encoders.load import EncoderSet, load_encoders
from indexer.library import Library
from indexer.media.probe import Media
from indexer.pipeline import index
from indexer.profiles import load_profile
from indexer.query import encode_words
from indexer.studio import Studio
from indexer.versions import (
    Finding,
    again,
    backfill,
    obstacles,
    register,
    roll_back,
    switch,
    validate,
    version_named,
    versions_of,
)
from indexer.workbench import load_vectors
from qdrant import search_index
from qdrant.errors import CannotRunNow, UsageError
from qdrant.language import Query
from qdrant.sparse import copy_folder

QUICK = {"detector": "adaptive", "transcribe": "never"}
_loaded: dict[str, EncoderSet] = {}
Found = tuple[str, int, str]
"""(title_id, shot, model version)"""


@pytest.fixture(scope="module", autouse=True)
def _few_indexes() -> Iterator[None]:
    """Make shards with few payload indexes: all of them take seconds on a slow disk."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("qdrant.edge_types.PAYLOAD_INDEXES", {"title_id": "keyword"})
        yield


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two films, two profiles, a library with both films under the first, and one under both."""
    folder = tmp_path_factory.mktemp("shelf")
    make_reel(folder / "films", name="A.mp4")
    make_reel(folder / "films", name="B.mkv", sound=False, subtitles=False)
    profiles = make_profiles(folder / "profiles")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("indexer.context.train.DEFAULT_STEPS", 2)  # a model, not a good one
        library = Library.open(folder / "library", create=True, profile=str(profiles["house"]))
        indexed = list(index([folder / "films"], studio_of(library)))
        assert [(done.status, done.shots) for done in indexed] == [("indexed", 6)] * 2
        found_in(library)
        copy_folder(folder / "library", folder / "both")
        library = Library.open(folder / "both")
        garden = register(library, load_profile(profiles["garden"]))
        assert [done.shots for done in backfill(studio_of(garden), library)] == [6, 6]
        found_in(garden)
    return folder


@pytest.fixture
def library(shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    """A copy of the library under the first profile."""
    monkeypatch.setattr("indexer.context.train.DEFAULT_STEPS", 2)
    copy_folder(shelf / "library", tmp_path / "library")
    return Library.open(tmp_path / "library")


@pytest.fixture
def garden(shelf: Path, library: Library) -> Library:
    """That library in a version that is registered, and has nothing yet."""
    return register(library, load_profile(shelf / "profiles" / "garden.toml"))


@pytest.fixture
def both(shelf: Path, tmp_path: Path) -> tuple[Library, Library]:
    """A copy of the library under both: in the version in use, and in the other one, whole."""
    copy_folder(shelf / "both", tmp_path / "both")
    library = Library.open(tmp_path / "both")
    return library, library.at(versions_of(library)[1].id)


def studio_of(library: Library) -> Studio:
    """Return a studio for a version, its encoders loaded once in a run."""
    if library.version not in _loaded:
        _loaded[library.version] = load_encoders(
            library.profile, device="cpu", cache_dir=library.cache_folder
        )
    return Studio(library, _loaded[library.version], chosen=QUICK, say=lambda sentence: None)


def test_backfilled_vectors_are_those_that_indexing_makes(
    shelf: Path, library: Library, garden: Library, tmp_path: Path
) -> None:
    done = list(backfill(studio_of(garden), library))
    assert [(d.title, d.status, d.shots) for d in done] == [
        ("A", "backfilled", 6), ("B", "backfilled", 6),
    ]  # fmt: skip
    profile = str(shelf / "profiles" / "garden.toml")
    fresh = Library.open(tmp_path / "fresh", create=True, profile=profile)
    assert {d.status for d in index([shelf / "films"], studio_of(fresh))} == {"indexed"}
    for title_id in (manifest.title_id for manifest in fresh.titles()):
        ours, wanted = vectors_of(garden, title_id), vectors_of(fresh, title_id)
        assert ours.keys() == wanted.keys()
        for space, rows in wanted.items():
            assert np.array_equal(ours[space], rows), space
    assert vectors_of(garden, title_id)["video"].any()
    [film, silent] = garden.titles()
    assert "sound" not in library.titles()[0].spaces  # only the new version has it, and
    heard = vectors_of(garden, film.title_id)["sound"].any(axis=1)
    assert heard.tolist() == [True] * 5 + [False]  # the last shot is silent
    assert "sound" not in silent.spaces


def vectors_of(library: Library, title_id: str) -> dict[str, np.ndarray]:
    """Return a title's vectors, space -> (num_shots, dim)."""
    manifest = library.find(title_id)
    assert manifest is not None
    folder = library.folder(title_id)
    return {s: load_vectors(folder / file)["shots"] for s, file in manifest.spaces.items()}


def filled(version: Library, library: Library) -> Library:
    """Backfill a version whole, its store too."""
    assert {done.status for done in backfill(studio_of(version), library)} <= {"backfilled"}
    return version


def files_under(folder: Path) -> dict[str, str]:
    """Return what lies in a folder: path -> hash of its content."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


def found_in(library: Library, words: str = "a rocket") -> list[Found]:
    """Search as a command does: open the library, ask, close. Title, shot and version of each."""
    with open_catalogue(library, command="test") as catalogue:
        return ask(catalogue, words)


def ask(catalogue: Catalogue, words: str = "a rocket") -> list[Found]:
    question, _ = encode_words(words, studio_of(catalogue.library).encoders)
    hits = catalogue.query(Query((question,)))
    return [(hit.title_id, hit.shot, hit.payload["model_version"]) for hit in hits]


@contextmanager
def searching(library: Library, *, coming: int = 0) -> Iterator[Counter[str]]:
    """Search all the while, as the page does and as commands do.

    Every answer must have all shots, of one version; `coming` are those of a title that comes
    meanwhile, all or none. Yields how many answers each version gave.
    """
    until, problems, answers = threading.Event(), list[object](), Counter[str]()
    num_shots = sum(manifest.num_shots for manifest in library.titles())
    whole = {num_shots, num_shots + coming}

    def again_and_again(search: Callable[[], tuple[str, list[Found]]]) -> None:
        while not until.wait(0.01):
            try:
                opened, found = search()
                if len(found) not in whole or {version for _, _, version in found} != {opened}:
                    problems.append((opened, found))
                answers[opened] += 1
            except Exception as error:  # whatever it is, the main thread must hear of it
                problems.append(error)

    def as_command() -> tuple[str, list[Found]]:
        opened = Library.open(library.root)
        return opened.version, found_in(opened)

    with open_catalogue(library, command="page") as page:
        page.keep_in_step()
        searches = (lambda: (library.version, ask(page)), as_command)
        threads = [threading.Thread(target=again_and_again, args=(s,)) for s in searches]
        for thread in threads:
            thread.start()
        try:
            yield answers
        finally:
            until.set()
            for thread in threads:
                thread.join()
    assert problems == []


def test_searching_goes_on_through_backfill_and_switch(library: Library, garden: Library) -> None:
    before = files_under(library.root / "titles")
    with searching(library) as answers:
        filled(garden, library)
        assert set(answers) == {library.version}
        assert files_under(library.root / "titles") == before
        validate(garden, library)
        switch(library, garden)
        seen = answers[garden.version]
        for _ in range(500):
            if answers[garden.version] > seen + 2:
                break
            threading.Event().wait(0.02)
        roll_back(Library.open(library.root))
    assert answers[library.version] > 5
    assert answers[garden.version] > 2
    assert files_under(library.root / "titles") == before


def test_searching_goes_on_while_a_title_comes_an_index_is_built_and_a_version_is_switched(
    library: Library, garden: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_index, "MANY_POINTS", 11)  # one fewer than there are
    make_reel(tmp_path / "more", name="C.mp4", sound=False)
    with searching(library, coming=6) as answers:
        shard = library.store_folder / library.version / "shard"
        wait_for(lambda: len(search_index.read_held(shard)) == 2)
        [coming] = index([tmp_path / "more"], studio_of(library))
        assert (coming.status, coming.shots) == ("indexed", 6)
        filled(garden, library)
        validate(garden, library)
        switch(library, garden)
        seen = answers[garden.version]
        wait_for(lambda: answers[garden.version] > seen + 2)
    assert answers[library.version] > 5
    assert len(found_in(Library.open(library.root))) == 18


def wait_for(is_so: Callable[[], bool], within_s: float = 60) -> None:
    until = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.02)


CHILD = """
import os, sys
from pathlib import Path
root, version, tests, profiles = sys.argv[1:]
sys.path.insert(0, tests)
from second_version import know_eyes
know_eyes(Path(profiles))
import indexer.versions.backfilling as room
from indexer.encoders.load import load_encoders
from indexer.library import Library
from indexer.studio import Studio
from indexer.versions import version_named
titles = []
contextualise = room.contextualise_title
def die_at_the_second(bench, studio):
    titles.append(bench.folder.name)
    os._exit(9) if len(titles) == 2 else contextualise(bench, studio)
room.contextualise_title = die_at_the_second
library = Library.open(Path(root))
version = version_named(library, version)
encoders = load_encoders(version.profile, device="cpu", cache_dir=version.cache_folder)
list(room.backfill(Studio(version, encoders), library))
"""


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The films whose pictures are decoded from now on."""
    films: list[str] = []
    watch = again.watch

    def noted(media: Media, **how: Any) -> Any:
        films.append(media.path.name)
        return watch(media, **how)

    monkeypatch.setattr(again, "watch", noted)
    return films


def test_a_killed_backfill_goes_on_where_it_stopped(
    shelf: Path, library: Library, garden: Library, looked: list[str]
) -> None:
    """One title is whole by then, the other is encoded and not yet a title."""
    command = [sys.executable, "-c", CHILD, library.root, garden.version,
               Path(__file__).parents[1], shelf / "profiles"]  # fmt: skip
    child = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    assert child.returncode == 9, child.stderr
    assert [m.title for m in garden.titles()] == ["A"]
    made = {n: h for n, h in files_under(garden.home / "titles").items() if "@" in n}
    assert any(name.endswith(".safetensors") and "video@" in name for name in made)

    filled(garden, library)
    assert looked == []
    kept = files_under(garden.home / "titles")
    assert made.items() <= kept.items()
    assert list(backfill(studio_of(garden), library)) == []
    assert versions_of(library)[1].is_complete


def test_killed_again_and_again_it_comes_to_an_end(
    library: Library, garden: Library, looked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Six files are written in each run, and the seventh is the end of it."""

    class KilledError(BaseException):
        pass

    written: list[str] = []

    def write(path: Path, content: bytes) -> None:
        if len(written) == 6:
            raise KilledError
        write_atomically(path, content)
        written.append(path.name)

    num_runs = 0
    for module in ("indexer.workbench", "indexer.library", "indexer.context.checkpoint"):
        monkeypatch.setattr(f"{module}.write_atomically", write)
    for _ in range(20):
        num_runs += 1
        written.clear()
        whole = {m.title for m in garden.in_use()}
        try:
            list(backfill(studio_of(garden), library))
        except KilledError:
            assert whole <= {m.title for m in garden.in_use()}
        else:
            break
    assert num_runs > 3
    assert looked == ["A.mp4", "B.mkv"]
    assert versions_of(library)[1].is_complete
    assert failing(validate(garden, library)) == []


def test_a_film_that_is_gone_is_named_and_the_others_go_on(
    library: Library, garden: Library, tmp_path: Path
) -> None:
    gone = next(m for m in library.titles() if m.title == "B")
    library.finish(replace(gone, path=str(tmp_path / "nowhere.mkv")))
    done = {d.title: d for d in backfill(studio_of(garden), library)}
    assert done["A"].status == "backfilled"
    assert done["B"].status == "failed"
    assert "nowhere.mkv is not there" in done["B"].reason
    [_, version] = versions_of(library)
    assert (version.titles, version.total, version.is_complete) == (1, 2, False)
    assert any("lacks 1 of 2 titles (B)" in sentence for sentence in obstacles(garden, library))


def test_what_both_versions_share_needs_no_film(both: tuple[Library, Library]) -> None:
    """A new name is a new state: the title is carried again, and nothing is decoded for it."""
    library, garden = both
    film = next(m for m in library.titles() if m.title == "A")
    library.finish(replace(film, title="Renamed", path="/nowhere/A.mp4"))
    assert not versions_of(library)[1].is_complete
    [done] = backfill(studio_of(garden), library)
    assert (done.title, done.status) == ("Renamed", "backfilled")
    assert garden.manifest(film.title_id).path == "/nowhere/A.mp4"
    for file in (film.spaces["text"], "pictures.parquet", "thumbs/00000.jpg"):
        assert (library.folder(film.title_id) / file).samefile(garden.folder(film.title_id) / file)


def test_a_title_removed_in_between_is_removed_here_too(both: tuple[Library, Library]) -> None:
    library, garden = both
    gone = next(m for m in library.titles() if m.title == "B")
    shutil.rmtree(library.folder(gone.title_id))
    assert list(backfill(studio_of(garden), library)) == []
    assert [m.title for m in garden.titles()] == ["A"]


def failing(findings: list[Finding]) -> list[str]:
    return [finding.told for finding in findings if finding.verdict == "fail"]


def test_a_whole_version_passes_until_it_changes(library: Library, garden: Library) -> None:
    assert len(failing(validate(garden, library))) > 1  # nothing is there yet
    filled(garden, library)
    assert failing(validate(garden, library)) == []
    assert versions_of(library)[1].validated
    assert obstacles(garden, library) == []
    film = next(m for m in library.titles() if m.title == "A")
    library.finish(replace(film, title="Renamed"))
    filled(garden, library)
    assert not versions_of(library)[1].validated
    assert any("not been validated as it is now" in told for told in obstacles(garden, library))


def spoil(rows: np.ndarray, how: str) -> np.ndarray:
    if how == "nan":
        rows[2, 0] = np.nan
    elif how == "long":
        rows[3] *= 1.1
    elif how == "zero":
        rows[1] = 0
    elif how == "short":
        return rows[:-1]
    elif how == "same":
        rows[:] = rows[0]
    return rows


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("nan", "A: video holds numbers that are not finite"),
        ("long", "A: video of shot 3 is not of unit length"),
        ("zero", "A: 1 of 6 shots have no video vector, and have one in use"),
        ("short", r"A: video is (5, 16) where (6, 16) belongs"),
        ("same", "video: 12 vectors looked at, mean cosine between them 1.000: they say the same"),
        ("damaged", "cannot be read"),
    ],
)
def test_vectors_that_are_not_sound_are_named(
    both: tuple[Library, Library], how: str, told: str
) -> None:
    library, garden = both
    for manifest in garden.titles() if how == "same" else garden.titles()[:1]:
        path = garden.folder(manifest.title_id) / manifest.spaces["video"]
        vectors = load_file(path)
        vectors["shots"] = np.ascontiguousarray(spoil(vectors["shots"].copy(), how))
        if how == "same":
            vectors["shots"][:] = np.eye(16, dtype=np.float32)[0]
        save_file(vectors, path)
        if how == "damaged":
            path.write_bytes(b"damaged")
    sentences = failing(validate(garden, library))
    assert [s for s in sentences if told in s], sentences
    assert not versions_of(library)[1].validated
    with pytest.raises(UsageError, match=r"not been validated.*--force"):
        switch(library, garden)


def test_a_space_that_is_left_out_is_named(both: tuple[Library, Library]) -> None:
    library, garden = both
    film = garden.titles()[0]
    rest = {space: file for space, file in film.spaces.items() if space != "audio"}
    garden.finish(replace(film, spaces=rest))
    assert "A: it has no audio vectors." in failing(validate(garden, library))


def test_sound_that_words_can_name_may_not_be_lacking(both: tuple[Library, Library]) -> None:
    library, garden = both
    film = garden.titles()[0]
    rest = {space: file for space, file in film.spaces.items() if space != "sound"}
    garden.finish(replace(film, spaces=rest))
    assert failing(validate(garden, library)) == ["A: it has no sound vectors."]


@pytest.mark.slow
def test_what_hears_alike_is_shared_and_only_the_rest_is_made(
    shelf: Path, both: tuple[Library, Library]
) -> None:
    library, garden = both
    text = (shelf / "profiles" / "garden.toml").read_text().replace("ears-garden", "ears-house")
    (shelf / "profiles" / "orchard.toml").write_text(text.replace('"garden"', '"orchard"'))
    orchard = register(library, load_profile(shelf / "profiles" / "orchard.toml"))
    assert {done.status for done in backfill(studio_of(orchard), library)} == {"backfilled"}
    film, made = library.titles()[0], orchard.titles()[0]
    audio = film.spaces["audio"]
    assert (library.folder(film.title_id) / audio).samefile(orchard.folder(made.title_id) / audio)
    ours, theirs = vectors_of(orchard, made.title_id), vectors_of(garden, made.title_id)
    assert np.array_equal(ours["sound"], theirs["sound"])


def test_a_context_model_that_loses_is_kept_out_where_the_one_in_use_wins(
    both: tuple[Library, Library],
) -> None:
    library, garden = both
    for version, loss in ((library, 0.1), (garden, 0.9)):
        record = json.loads((version.context_folder / "context.json").read_text())
        record["metrics"]["evaluation"].update(loss=loss, control_loss=0.5)
        (version.context_folder / "context.json").write_text(json.dumps(record))
    with pytest.MonkeyPatch.context() as patch:  # as in a library too large to be measured again
        patch.setattr("indexer.versions.validation.SHOTS_IN_MEMORY", 0)
        [told] = failing(validate(garden, library))
        assert (
            "0.900, the mean of the neighbours 0.500: it loses, and the model in use wins" in told
        )
        assert failing(validate(library, garden)) == []


def test_a_further_gate_is_one_function(both: tuple[Library, Library]) -> None:
    library, garden = both

    def probe(version: Library, in_use: Library, *, progress: object) -> Iterator[Finding]:
        yield Finding("probe", "fail", f"{version.version} names no title's best asset.")

    [finding] = validate(garden, library, gates=[probe])
    assert finding.gate == "probe"
    assert not versions_of(library)[1].validated


def test_switched_to_and_back(shelf: Path, both: tuple[Library, Library]) -> None:
    library, garden = both
    validate(garden, library)
    switch(library, garden)
    now = Library.open(library.root)
    assert (now.version, now.profile.name) == (garden.version, "garden")
    assert library.is_current() is False
    as_they_were = now.titles()
    for title in as_they_were:  # which encoders are missing here says nothing of the other version
        now.finish(replace(title, inputs={**title.inputs, "missing": "audio"}))
    assert [(v.in_use, v.is_complete) for v in versions_of(now)] == [(False, True), (True, True)]
    for title in as_they_were:
        now.finish(title)
    assert {version for _, _, version in found_in(now)} == {garden.version}
    studio = studio_of(now)
    assert {done.status for done in index([shelf / "films"], studio)} == {"unchanged"}
    with pytest.raises(UsageError, match="in use already"):
        switch(now, garden)

    back = roll_back(now)
    assert back.version == Library.open(library.root).version == library.version
    assert {version for _, _, version in found_in(back)} == {library.version}
    with pytest.raises(UsageError, match="none before it"):
        roll_back(back)
    switch(back, garden)  # it is as it was when it passed
    assert Library.open(library.root).version == garden.version


def test_what_was_indexed_meanwhile_can_be_brought_along(
    both: tuple[Library, Library], tmp_path: Path
) -> None:
    library, garden = both
    switch(library, garden, force=True)
    make_reel(tmp_path / "more", name="C.mp4", sound=False)
    now = Library.open(library.root)
    assert [done.status for done in index([tmp_path / "more"], studio_of(now))] == ["indexed"]
    back = roll_back(now)
    assert {m.title for m in back.in_use()} == {"A", "B"}
    assert [(v.titles, v.total) for v in versions_of(back)] == [(2, 3), (2, 2)]
    [done] = backfill(studio_of(back), back)
    assert (done.title, done.status) == ("C", "backfilled")
    assert {m.title for m in Library.open(library.root).in_use()} == {"A", "B", "C"}


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_crash_while_switching_leaves_one_or_the_other(
    both: tuple[Library, Library], when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    library, garden = both
    from indexer import settings as room

    write = room.write_atomically

    def crash(path: Path, content: bytes) -> None:
        if when == "after":
            write(path, content)
        raise OSError("power cut")

    monkeypatch.setattr(room, "write_atomically", crash)
    with pytest.raises(CannotRunNow, match="power cut"):
        switch(library, garden, force=True)
    now = Library.open(library.root)
    assert now.version == (garden if when == "after" else library).version
    assert {version for _, _, version in found_in(now)} == {now.version}


def test_a_title_that_is_still_recorded_is_left_for_later(
    library: Library, garden: Library
) -> None:
    film = next(m for m in library.titles() if m.title == "A")
    library.finish(replace(film, content_hash=""))
    done = {d.title: d.reason for d in backfill(studio_of(garden), library)}
    assert "still being recorded" in done["A"]


def test_versions_are_named(library: Library, garden: Library) -> None:
    with pytest.raises(UsageError, match=f"no version 'orchard'.*{library.version}, garden-"):
        version_named(library, "orchard")
    with pytest.raises(UsageError, match=r"uses the encoders of house-.* already.*--anew"):
        register(library, library.profile)
    assert register(library, garden.profile).beside == garden.beside


def test_each_version_has_its_own_consent(both: tuple[Library, Library]) -> None:
    library, garden = both
    library.consent_to("https://one.example")
    garden.consent_to("https://other.example")
    assert Library.open(library.root).consented_endpoint == "https://one.example"
    switch(library, garden, force=True)
    assert Library.open(library.root).consented_endpoint == "https://other.example"
    library.consent_to("https://one.example")  # by a process that has not heard of it
    assert Library.open(library.root).version == garden.version


def test_a_version_that_is_not_whole_is_not_switched_to(library: Library, garden: Library) -> None:
    lacks = r"lacks 2 of 2 titles \(A, B\).*backfill garden-.*not been validated.*--force"
    with pytest.raises(UsageError, match=lacks):
        switch(library, garden)
    assert Library.open(library.root).version == library.version


def test_another_context_model_can_be_tried_beside_the_one_in_use(library: Library) -> None:
    """The same encoders: nothing is encoded again, and the stores are kept apart."""
    again_ = register(library, library.profile, anew=True)
    assert again_.version == f"{library.version}-2"
    for manifest in library.titles():
        library.finish(replace(manifest, path="/nowhere"))
    filled(again_, library)
    switch(library, again_, force=True)
    now = Library.open(library.root)
    assert now.version == again_.version
    assert {version for _, _, version in found_in(now)} == {again_.version}
    for manifest in library.titles():
        ours, theirs = (vectors_of(v, manifest.title_id) for v in (again_, library))
        assert ours.keys() == theirs.keys()
        assert all(
            np.array_equal(ours[space], theirs[space]) for space in ours if space != "context"
        )
    assert register(now, library.profile, anew=True).version == f"{library.version}-3"
