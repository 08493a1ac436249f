"""A library's words follow its titles: read once, taken away with them, kept for the next."""

from __future__ import annotations

import threading

import pandas as pd
import pytest
from shelf import make_library

from indexer.manifest import Manifest
from indexer.vocabulary import LibraryVocabulary, vocabulary_of


@pytest.fixture
def library(tmp_path):
    return make_library(tmp_path / "library")


def add(library, title_id, lines, *, generation="g1", **columns):
    folder = library.folder(title_id)
    folder.mkdir(parents=True, exist_ok=True)
    shots = pd.DataFrame({"shot": range(len(lines)), "dialogue": lines, **columns})
    shots.to_parquet(folder / "shots.parquet")
    nothing = dict.fromkeys(
        ["start_timecode", "video_codec", "pixel_format", "audio_codec", "checkpoint"]
    )
    return library.finish(
        Manifest(
            **nothing,
            title_id=title_id,
            path=f"/films/{title_id}.mp4",
            content_hash=title_id,
            size=1,
            mtime_ns=1,
            title=title_id,
            kind="film",
            metadata={},
            inputs={},
            rate="24/1",
            drop_frame=False,
            num_frames=48,
            duration_s=2.0,
            width=320,
            height=180,
            container="mp4",
            language="en",
            num_shots=len(lines),
            spaces={},
            version=library.version,
            generation=generation,
        )
    )


def remove(library, title_id):
    (library.folder(title_id) / "manifest.json").unlink()


def test_every_column_of_words_counts(library):
    add(
        library,
        "alien",
        ["In space no one", None],
        description=["A corridor", ""],
        screen_text=["NOSTROMO", None],
        sounds=[["door slams"], []],
    )
    words = vocabulary_of(library)

    for word in ("space", "corridor", "nostromo", "slams"):
        assert words.count(word) == 1
    assert len(words) == 9


def test_it_keeps_in_step_with_what_comes_changes_and_goes(library):
    following = LibraryVocabulary(library, look_again_s=0)
    assert len(following.now()) == 0

    add(library, "alien", ["the cat"])
    add(library, "heat", ["the bank"])
    assert following.now().count("the") == 2

    add(library, "alien", ["a kitten, the kitten"], generation="g2")
    now = following.now()
    assert "cat" not in now
    assert (now.count("the"), now.count("kitten")) == (2, 2)

    remove(library, "heat")
    now = following.now()
    assert "bank" not in now
    assert now.count("the") == 1
    assert following.now() is now  # nothing new: the very same


def test_a_title_is_read_once_for_each_generation(library):
    add(library, "alien", ["the cat"])
    following = LibraryVocabulary(library, look_again_s=0)
    following.now()
    (library.folder("alien") / "shots.parquet").unlink()

    add(library, "heat", ["the bank"])
    assert {"cat", "bank"} <= {word for word in ("cat", "bank") if word in following.now()}


def test_titles_of_another_version_do_not_count(library):
    alien = add(library, "alien", ["the cat"])
    library.finish(Manifest(**{**vars(alien), "version": "other-1a2b3c4d"}))
    assert "cat" not in vocabulary_of(library)


def test_a_damaged_title_is_told_once_and_the_others_count(library, caplog):
    add(library, "alien", ["the cat"])
    add(library, "heat", ["the bank"])
    (library.folder("alien") / "shots.parquet").write_bytes(b"not parquet")
    following = LibraryVocabulary(library, look_again_s=0)

    assert "bank" in following.now()
    following.now()
    assert [record.message.split(" cannot")[0] for record in caplog.records] == [
        "The words of title alien"
    ]


def test_another_process_need_not_read_what_one_has_read(library):
    add(library, "alien", ["the cat", "Été"])
    add(library, "heat", ["the bank"])
    vocabulary_of(library)
    for title_id in ("alien", "heat"):
        (library.folder(title_id) / "shots.parquet").unlink()
    add(library, "ran", ["the bow"])
    remove(library, "heat")

    words = vocabulary_of(library)

    assert {word: words.count(word) for word in ("the", "cat", "ete", "bow", "bank")} == {
        "the": 2, "cat": 1, "ete": 1, "bow": 1, "bank": 0,
    }  # fmt: skip


@pytest.mark.parametrize("damage", [b"", b"not a zip", None])
def test_what_was_kept_may_be_damaged(library, damage):
    add(library, "alien", ["the cat"])
    vocabulary_of(library)
    [kept] = library.cache_folder.glob("words-*.npz")
    kept.write_bytes(kept.read_bytes()[:-40] if damage is None else damage)

    assert vocabulary_of(library).count("cat") == 1


def test_between_two_looks_nothing_is_read(library):
    following = LibraryVocabulary(library, look_again_s=3600)
    before = following.now()
    add(library, "alien", ["the cat"])
    assert following.now() is before


def test_threads_may_ask_while_titles_come_and_go(library):
    following = LibraryVocabulary(library, look_again_s=0)
    following.now()
    ended = threading.Event()
    wrong = []

    def ask():
        while not ended.is_set():
            words = following.now()
            if words.count("always") != words.count("together"):
                wrong.append((words.count("always"), words.count("together")))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(30):
        add(library, f"film{number % 5}", ["always together"], generation=f"g{number}")
        if number % 7 == 6:
            remove(library, f"film{number % 5}")
    ended.set()
    for thread in threads:
        thread.join()

    assert wrong == []
    expected = len(library.titles())
    assert following.now().count("always") == following.now().count("together") == expected
