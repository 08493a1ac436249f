"""One process owns a shard, others read through it, and a dead or silent owner is named."""

from __future__ import annotations

import json
import logging
import signal
import stat
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from asking import query_of

from qdrant import ownership
from qdrant.edge import STORED, EdgeBackend
from qdrant.errors import LibraryOwned, OwnerGone, StoreUnavailable
from qdrant.schema import Schema
from qdrant.store import open_store

OWNER = Path(__file__).parent / "owner.py"


@contextmanager
def process(folder, command="trimbin ui"):
    """Run a process that opens the library; yields it when it has said what it became."""
    with subprocess.Popen(
        [sys.executable, OWNER, folder, command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        try:
            child.became = child.stdout.readline().strip()
            yield child
        finally:
            child.send_signal(signal.SIGCONT)
            child.kill()


def test_another_process_reads_through_the_owner(library, open_library, shots_of):
    with open_library() as owner:
        owner.publish("alpha", "g1", shots_of("alpha"))
        with process(library, "trimbin search") as reader:
            assert reader.became == "reader 30"


def test_a_reader_sees_what_is_published_and_notices_when_the_owner_goes(
    open_library, shots_of, direction
):
    query = query_of({"video": direction("video")}, "rain", candidates=500)
    with ExitStack() as stack:
        owner = stack.enter_context(open_library("trimbin index"))
        reader = stack.enter_context(open_library("trimbin search"))
        assert (owner.owned, reader.owned) == (True, False)
        owner.publish("alpha", "g1", shots_of("alpha"))
        assert reader.query(query) == owner.query(query)
        owner.publish("alpha", "g2", shots_of("alpha", "g2", count=12))
        assert reader.generations() == {"alpha": "g2"}
        assert reader.count() == 12

        owner.close()
        with pytest.raises(OwnerGone, match=r"`trimbin index` \(process \d+.*open the library"):
            reader.query(query)
        with open_library() as successor:
            assert successor.owned
            assert successor.count() == 12
            with pytest.raises(OwnerGone):  # it does not read through a stranger
                reader.count()


def test_a_killed_owner_is_succeeded_and_named(library, open_library, caplog):
    with process(library, "trimbin ui") as owner:
        assert owner.became == "owner 0"
        with open_library() as reader:
            assert not reader.owned
            owner.kill()
            owner.wait()
            with pytest.raises(OwnerGone, match=f"process {owner.pid}"):
                reader.count()
        with caplog.at_level(logging.WARNING), open_library() as successor:
            assert successor.owned
    assert f"`trimbin ui` (process {owner.pid}" in caplog.text
    assert "died without closing" in caplog.text

    caplog.clear()
    with open_library() as after:  # an owner that closed properly is not mourned
        assert after.owned
    assert caplog.text == ""


def test_a_silent_owner_is_named_within_seconds(library, open_library):
    with process(library, "trimbin serve --port 1") as owner:
        assert owner.became == "owner 0"
        owner.send_signal(signal.SIGSTOP)
        started = time.monotonic()
        with pytest.raises(
            LibraryOwned, match=rf"`trimbin serve --port 1` \(process {owner.pid}.*close that one"
        ):
            open_library()
        assert time.monotonic() - started < 6
        owner.send_signal(signal.SIGCONT)
        with open_library() as reader:
            assert not reader.owned


def test_an_owner_that_wrote_nothing_down_is_told_of_too(library, open_library):
    held = ownership.acquire(library / "v1", command="pytest")
    assert held is not None
    try:
        (library / "v1" / "owner.json").write_text("{")
        with pytest.raises(LibraryOwned, match="a process without a name"):
            open_library()
    finally:
        held.release()
        held.release()
    with open_library() as shots:
        assert shots.owned


def test_the_token_is_for_this_user_only(library, open_library):
    card = library / "v1" / "owner.json"
    with open_library("trimbin ui"):
        assert stat.S_IMODE(card.stat().st_mode) == 0o600
        written = json.loads(card.read_text())
        assert written["url"].startswith("http://127.0.0.1:")
        assert len(written["token"]) > 30
    assert not card.exists()


def test_two_versions_have_owners_of_their_own(library, open_library, schema):
    other = Schema(version="v2", dims={"video": 3})
    with (
        open_library() as first,
        open_store(library, other, library_id="film-club", command="pytest") as second,
    ):
        assert first.owned and second.owned


def test_a_shard_of_another_layout_is_made_anew_and_filled_again(
    library, open_library, schema, shots_of
):
    with open_library() as former:
        former.publish("alpha", "g1", shots_of("alpha"))
    longer = replace(schema, dims={**schema.dims, "context": 9})
    with open_store(library, longer, library_id="film-club", command="pytest") as store:
        assert store.generations() == {} and store.count() == 0  # its owner publishes again
        store.publish("alpha", "g1", shots_of("alpha"))
    with open_store(library, longer, library_id="film-club", command="pytest") as store:
        assert store.generations() == {"alpha": "g1"}


def test_a_shard_with_shots_stored_otherwise_is_made_anew(library, open_library, shots_of):
    with open_library() as former:
        former.publish("alpha", "g1", shots_of("alpha"))
    [told] = library.rglob(STORED)
    told.unlink()  # as an earlier Trimbin left it
    with open_library() as store:
        assert store.generations() == {}
        store.publish("alpha", "g1", shots_of("alpha"))
    with open_library() as store:
        assert store.generations() == {"alpha": "g1"}


def test_a_folder_that_cannot_be_written_is_named(tmp_path, schema):
    file = tmp_path / "not-a-folder"
    file.write_text("")
    with pytest.raises(StoreUnavailable, match=str(file)):
        open_store(file, schema, library_id="film-club", command="pytest")


def test_a_full_disk_is_named_before_anything_is_made(tmp_path, schema):
    backend = EdgeBackend(tmp_path / "v1", min_free_bytes=2**62)
    with pytest.raises(StoreUnavailable, match=f"{tmp_path}.*disk is full; free some room"):
        backend.ensure(schema)
    assert list((tmp_path / "v1").iterdir()) == []


def test_a_damaged_shard_says_how_to_make_it_anew(library, open_library):
    for file in (library / "v1" / "shard").rglob("*.json"):
        file.write_text("{}")
    with pytest.raises(StoreUnavailable, match="`trimbin rebuild`"):
        open_library()
