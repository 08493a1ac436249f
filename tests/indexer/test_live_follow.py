"""Recordings followed while they grow: what is final can be found, and nothing is lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from growing import (
    growing,
    make_playlist,
    make_recording,
    playlist_growing,
    wait_until,
    warm_encoders,
)
from harness import need_offline_profile

from indexer.catalogue import Catalogue
from indexer.encoders.load import EncoderSet
from indexer.learning import learn_context
from indexer.library import Library
from indexer.live.follow import Followed, NotYet, follow
from indexer.live.title import tail_of
from indexer.manifest import Manifest
from indexer.pipeline import index_title
from indexer.publish import records_of
from indexer.studio import Studio
from qdrant.errors import InputError
from qdrant.schema import CONTEXT

CHOSEN = {"detector": "adaptive", "transcribe": "never"}
"""This detector is sure of a cut two frames later: the reel is too short for those that ponder."""

SETTLED_S = 1.0
NEVER_S = 60.0
HEAD_SHARE = 0.6
"""This much of a recording is more than enough to tell it from others."""


@pytest.fixture(scope="module")
def encoders(tmp_path_factory: pytest.TempPathFactory) -> EncoderSet:
    need_offline_profile()
    return warm_encoders(tmp_path_factory.mktemp("encoders"))


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recordings")
    for suffix in (".ts", ".mkv", ".mp4"):
        make_recording(folder, suffix=suffix)
    return folder


@pytest.fixture(scope="module")
def playlist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_playlist(tmp_path_factory.mktemp("playlist"))


class Shelf:
    """A library that is searched while recordings are followed into it."""

    def __init__(self, root: Path, encoders: EncoderSet) -> None:
        self.films = root / "films"
        self.films.mkdir(parents=True)
        self.library = Library.open(root / "library", create=True, profile="offline")
        self.catalogue = Catalogue(self.library, command="test")
        self.said: list[str] = []
        self.counts: list[int] = []  # after each publication
        self.studio = Studio(
            self.library, encoders, chosen=CHOSEN, say=self.said.append, published=self._publish
        )
        self.stop = threading.Event()

    def _publish(self) -> None:
        self.catalogue.sync()
        self.counts.append(self.catalogue.count())

    def follow(self, path: Path, *, settled_s: float = SETTLED_S) -> Followed:
        return follow(path, self.studio, settled_s=settled_s, stop=self.stop)

    @contextmanager
    def following(self, path: Path, *, settled_s: float = SETTLED_S) -> Iterator[Future[Followed]]:
        """Follow a recording in the background; a test that fails does not wait for its end."""
        with ThreadPoolExecutor(1) as pool:
            try:
                yield pool.submit(lambda: self.follow(path, settled_s=settled_s))
            except BaseException:
                self.stop.set()
                raise

    def only(self) -> Manifest:
        [manifest] = self.library.titles()
        return manifest


@pytest.fixture
def shelf(tmp_path: Path, encoders: EncoderSet) -> Iterator[Shelf]:
    shelf = Shelf(tmp_path, encoders)
    try:
        yield shelf
    finally:
        shelf.stop.set()
        shelf.catalogue.close()


def points_of(library: Library, manifest: Manifest) -> list[dict[str, Any]]:
    """Return what is stored of a title, apart from who and which generation it is."""
    told = ("title", "path")
    return [
        {
            "shot": record.shot,
            "words": record.words,
            "payload": {k: v for k, v in record.payload.items() if k not in told},
            "vectors": {space: np.asarray(v).tolist() for space, v in record.vectors.items()},
        }
        for record in records_of(library, manifest)
    ]


def indexed(
    path: Path, root: Path, encoders: EncoderSet, chosen: Mapping[str, str] = CHOSEN
) -> list[dict[str, Any]]:
    """Return the points that indexing a finished file gives."""
    library = Library.open(root, create=True, profile="offline")
    index_title(path, Studio(library, encoders, chosen=chosen))
    [manifest] = library.titles()
    return points_of(library, manifest)


@pytest.mark.parametrize("suffix", [".ts", ".mkv", ".mp4"])
def test_a_growing_file_is_found_shot_by_shot_and_ends_as_if_it_had_been_indexed(
    suffix: str, shelf: Shelf, recordings: Path, encoders: EncoderSet, tmp_path: Path
) -> None:
    source, target = recordings / f"Recording{suffix}", shelf.films / f"Recording{suffix}"
    with growing(source, target) as writer:
        wait_until(lambda: target.exists() and target.stat().st_size > 2**20)
        with shelf.following(target) as followed:
            wait_until(lambda: bool(shelf.counts))
            assert writer.is_alive()
            live = shelf.only()
            assert live.live
            assert {r.payload["live"] for r in records_of(shelf.library, live)} == {True}
            result = followed.result(timeout=30)
    assert (result.is_finished, result.shots, result.reason) == (True, 6, "")
    assert shelf.counts == sorted(shelf.counts)
    assert shelf.counts[0] < 6
    finished = shelf.only()
    assert (finished.live, finished.title_id) == (False, live.title_id)
    assert not any("live" in r.payload for r in records_of(shelf.library, finished))
    assert points_of(shelf.library, finished) == indexed(target, tmp_path / "other", encoders)
    again = index_title(target, shelf.studio)
    assert (again.status, again.title_id) == ("unchanged", live.title_id)


def test_with_the_usual_detector_it_ends_the_same(
    shelf: Shelf, recordings: Path, encoders: EncoderSet, tmp_path: Path
) -> None:
    target = shelf.films / "Recording.ts"
    shelf.studio.chosen = {"detector": "cascade", "transcribe": "never"}
    with growing(recordings / "Recording.ts", target, piece_s=0.02):
        wait_until(lambda: target.exists() and target.stat().st_size > 2**20)
        assert shelf.follow(target).is_finished
    expected = indexed(target, tmp_path / "other", encoders, shelf.studio.chosen)
    assert points_of(shelf.library, shelf.only()) == expected


def test_a_playlist_is_followed_to_its_end(
    shelf: Shelf, playlist: Path, encoders: EncoderSet, tmp_path: Path
) -> None:
    target = shelf.films / "Live.m3u8"
    with playlist_growing(playlist, target, piece_s=1.0) as writer:
        wait_until(lambda: len(list(shelf.films.glob("*.ts"))) > 2)
        with shelf.following(target) as followed:
            wait_until(lambda: bool(shelf.counts))
            assert writer.is_alive()
            result = followed.result(timeout=30)
    assert (result.is_finished, result.shots) == (True, 6)
    whole = tmp_path / "Whole.ts"
    whole.write_bytes(b"".join(p.read_bytes() for p in sorted(shelf.films.glob("*.ts"))))
    assert points_of(shelf.library, shelf.only()) == indexed(whole, tmp_path / "other", encoders)
    assert index_title(target, shelf.studio).status == "unchanged"


def test_stopping_keeps_what_is_final_and_going_on_never_shows_less(
    shelf: Shelf, recordings: Path
) -> None:
    source, target = recordings / "Recording.ts", shelf.films / "Recording.ts"
    with growing(source, target, upto=HEAD_SHARE, piece_s=0):
        pass
    with shelf.following(target, settled_s=NEVER_S) as followed:
        wait_until(lambda: 3 in shelf.counts)
        shelf.stop.set()
        left = followed.result(timeout=10)
    assert not left.is_finished
    assert (left.shots, shelf.only().live) == (3, True)

    shelf.stop = threading.Event()
    shelf.counts.clear()
    target.write_bytes(source.read_bytes())
    assert shelf.follow(target).is_finished
    assert min(shelf.counts) >= 3
    assert (shelf.counts[-1], shelf.only().title_id) == (6, left.title_id)


def test_indexing_a_recording_that_was_left_finishes_its_title(
    shelf: Shelf, recordings: Path
) -> None:
    source, target = recordings / "Recording.mkv", shelf.films / "Recording.mkv"
    with growing(source, target, upto=HEAD_SHARE, piece_s=0):
        pass
    with shelf.following(target, settled_s=NEVER_S) as followed:
        wait_until(lambda: bool(shelf.counts))
        shelf.stop.set()
        left = followed.result(timeout=10)
    target.write_bytes(source.read_bytes())
    result = index_title(target, shelf.studio)
    assert (result.title_id, result.shots) == (left.title_id, 6)
    assert not shelf.only().live


@pytest.mark.parametrize("how", ["vanishes", "is cut short"])
def test_what_is_final_stays_when_a_recording(how: str, shelf: Shelf, recordings: Path) -> None:
    source, target = recordings / "Recording.ts", shelf.films / "Recording.ts"
    with growing(source, target, upto=HEAD_SHARE, piece_s=0):
        pass
    with shelf.following(target, settled_s=NEVER_S) as followed:
        wait_until(lambda: bool(shelf.counts))
        if how == "vanishes":
            target.unlink()
        else:
            target.write_bytes(b"")
        result = followed.result(timeout=15)
    assert result.is_finished
    assert result.shots >= shelf.counts[0] > 0
    assert ("vanished" if how == "vanishes" else "cut short") in result.reason
    manifest = shelf.only()
    assert manifest.partial
    assert not manifest.live
    assert shelf.catalogue.count() == result.shots


def test_a_playlist_that_turns_hostile_ends_there(shelf: Shelf, playlist: Path) -> None:
    target = shelf.films / "Live.m3u8"
    with playlist_growing(playlist, target, upto=4, piece_s=0.1):
        pass
    with shelf.following(target, settled_s=NEVER_S) as followed:
        wait_until(lambda: bool(shelf.counts))
        target.write_text(target.read_text() + "#EXTINF:2.0,\nfile:///etc/passwd\n")
        result = followed.result(timeout=30)
    assert result.is_finished
    assert "passwd" in result.reason
    assert shelf.only().partial
    assert shelf.catalogue.count() == result.shots >= 2


def test_a_library_that_takes_nothing_for_a_while(shelf: Shelf, recordings: Path) -> None:
    source, target = recordings / "Recording.ts", shelf.films / "Recording.ts"
    with growing(source, target) as writer:
        wait_until(lambda: target.exists() and target.stat().st_size > 2**20)
        with shelf.following(target) as followed:
            wait_until(lambda: any((shelf.library.root / "titles").iterdir()))
            [folder] = (shelf.library.root / "titles").iterdir()
            (folder / "thumbs").write_bytes(b"where pictures should go")
            wait_until(lambda: any("without being published" in s for s in shelf.said))
            (folder / "thumbs").unlink()
            assert writer.is_alive()
            assert followed.result(timeout=30).shots == 6
    assert sum("without being published" in sentence for sentence in shelf.said) == 1


def test_what_needs_its_end_is_not_followed(shelf: Shelf, recordings: Path) -> None:
    whole = (recordings / "Whole.mp4").read_bytes()  # says where its pictures lie at its end
    target = shelf.films / "Plain.mp4"
    target.write_bytes(whole[: len(whole) * 2 // 3])
    with pytest.raises(NotYet, match="before it is finished"):
        shelf.follow(target)


def test_one_recording_is_followed_by_one_process(shelf: Shelf, recordings: Path) -> None:
    source, target = recordings / "Recording.ts", shelf.films / "Recording.ts"
    with growing(source, target, upto=HEAD_SHARE, piece_s=0):
        pass
    with shelf.following(target, settled_s=NEVER_S) as followed:
        wait_until(lambda: bool(shelf.counts))
        with pytest.raises(InputError, match="another process"):
            shelf.follow(target)
        with pytest.raises(InputError, match="another process"):
            index_title(target, shelf.studio)
        shelf.stop.set()
        followed.result(timeout=10)


def test_what_is_live_stands_in_its_context(shelf: Shelf, recordings: Path) -> None:
    for suffix in (".ts", ".mkv"):
        index_title(recordings / f"Recording{suffix}", shelf.studio)
    learn_context(shelf.studio, steps=2)
    shelf.studio.published()
    shelf.counts.clear()
    source, target = recordings / "Recording.mp4", shelf.films / "Recording.mp4"
    with growing(source, target, upto=HEAD_SHARE, piece_s=0):
        pass
    with shelf.following(target, settled_s=NEVER_S) as followed:
        wait_until(lambda: bool(shelf.counts))
        [live] = [manifest for manifest in shelf.library.titles() if manifest.live]
        assert live.checkpoint == shelf.library.checkpoint_id() is not None
        assert CONTEXT in shelf.catalogue.vectors(live.title_id, live.num_shots - 1)
        shelf.stop.set()
        followed.result(timeout=10)


@pytest.mark.parametrize(
    ("num_earlier", "num", "first", "kept"),
    [(0, 5, 0, 0), (5, 8, 0, 0), (0, 20, 0, 0), (8, 9, 1, 3), (19, 20, 12, 14), (2, 20, 2, 2)],
)
def test_the_tail_is_read_anew_and_the_rest_stays(
    num_earlier: int, num: int, first: int, kept: int
) -> None:
    assert tail_of(num_earlier, num, size=8) == (first, kept)
