"""A shard made anew beside the one in use, which takes its place in two renames.

    folder/<version>/rebuilding/shard    being filled
    folder/<version>/indexing/shard      a copy that the owner has an index built on
    folder/<version>/shard.ready         whole: the next owner to open the library takes it up
    folder/<version>/shard               in use

Nothing of the shard in use is read, so it may be damaged or gone. A crash leaves either the one in
use, or the whole new one for the next owner.
"""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from qdrant import ownership, search_index
from qdrant.edge import SHARD, EdgeBackend
from qdrant.errors import StoreUnavailable
from qdrant.ownership import Owner
from qdrant.schema import Schema
from qdrant.shots import Shots

BUILDING, INDEXING = "rebuilding", "indexing"
READY, OUTGOING, LOCK = "shard.ready", "shard.outgoing", "rebuild.lock"
PATIENCE_S = 3.0
"""How long to wait for an owner that may be a search, over in a moment."""
LOOK_AGAIN_S = 0.05

logger = logging.getLogger(__name__)


@contextmanager
def replacement(folder: Path, schema: Schema, *, library_id: str) -> Iterator[Shots]:
    """Yield an empty store beside the one in use; it is made ready once the block has ended well.

    `install` then puts it in its place. Raises StoreUnavailable where the folder cannot be written
    or another process is doing the same.
    """
    home = folder / schema.version
    with ExitStack() as stack:
        stack.enter_context(alone(home))
        stack.callback(clear, home / BUILDING)
        clear(home / BUILDING)
        backend = EdgeBackend(home / BUILDING)
        with Shots(backend, schema, library_id=library_id) as shots:
            backend.ensure(schema)
            yield shots
            slow = search_index.is_due(backend.num_points(), {}, {})
        if slow:
            _index(home / BUILDING, schema, library_id=library_id)
        with explained(home):
            clear(home / READY)
            (home / BUILDING / SHARD).rename(home / READY)


def install(folder: Path, schema: Schema, *, command: str) -> Owner | None:
    """Let the shard that is ready take its place, now or when the present owner closes.

    Returns that owner, or None where the new shard is in its place.
    """
    home = folder / schema.version
    deadline = time.monotonic() + PATIENCE_S
    while True:
        held = ownership.acquire(home, command=command)
        if held is not None:
            try:
                take_up(home)
            finally:
                held.release()
            return None
        owner = ownership.read_card(home)
        if owner is not None and time.monotonic() > deadline:
            return owner
        time.sleep(LOOK_AGAIN_S)


def take_up(home: Path) -> None:
    """Put a shard that is ready in the place of the one in use, which nobody has open.

    Only the owner may call it. Raises StoreUnavailable where the folder cannot be written.
    """
    with explained(home):
        if (home / READY).exists():
            if (home / SHARD).exists():
                clear(home / OUTGOING)
                (home / SHARD).rename(home / OUTGOING)
            (home / READY).rename(home / SHARD)
        clear(home / OUTGOING)
    # What a dead owner was building may have a living child in it, where children outlive owners.
    shutil.rmtree(home / INDEXING, ignore_errors=True)


def _index(folder: Path, schema: Schema, *, library_id: str) -> None:
    """Build the index of a whole shard that nobody searches yet; without room it does without."""
    shard = folder / SHARD
    try:
        search_index.require_room(shard)
        search_index.build(shard, schema, stop=threading.Event())
    except StoreUnavailable as error:
        logger.warning("%s", error)
        return
    backend = EdgeBackend(folder)
    try:
        backend.ensure(schema)
        search_index.write_held(shard, backend, library_id=library_id)
    finally:
        backend.close()


@contextmanager
def alone(home: Path) -> Iterator[None]:
    """Let one process at a time make a shard of this version anew."""
    with explained(home):
        for path in (home.parent, home):
            if path.exists() and not path.is_dir():
                path.unlink()  # whatever it is, it is no store
        home.mkdir(parents=True, exist_ok=True)
        lock = FileLock(home / LOCK)
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise StoreUnavailable(
                f"Another process is rebuilding the store in {home}; wait for it to finish."
            ) from error
    try:
        yield
    finally:
        lock.release()


def clear(path: Path) -> None:
    """Delete a folder or a file, if it is there."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def explained(home: Path) -> Iterator[None]:
    """Turn an operating system's refusal into a sentence about this store."""
    try:
        yield
    except OSError as error:
        raise StoreUnavailable(
            f"The store in {home} cannot be made anew ({error.strerror or error}); make the folder "
            f"writable or free some room, and try again."
        ) from error
