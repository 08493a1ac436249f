"""A search index, built beside searching: on a copy of the shard, in a child process.

    copy      nothing is published for as long as copying takes
    build     by `qdrant.optimise`; searching and publishing go on
    catch up  what was published and removed meanwhile is carried over
    exchange  the copy is made ready, and takes the place of the shard in use

A crash before the copy is ready leaves the shard in use; after it, the copy for the next owner.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from qdrant import search_index, sparse
from qdrant.catching_up import catch_up
from qdrant.edge import SHARD, EdgeBackend
from qdrant.replacement import INDEXING, READY, alone, clear, explained, take_up
from qdrant.schema import Schema

logger = logging.getLogger(__name__)


class Indexing:
    """Builds the index of a shard that this process owns, one at a time."""

    def __init__(self, home: Path, backend: EdgeBackend, schema: Schema, *, library_id: str):
        self._home, self._backend, self._schema = home, backend, schema
        self._library_id = library_id
        self._building = threading.Lock()
        self._closing = threading.Event()

    def is_due(self, current: Mapping[str, str]) -> bool:
        """Whether searching is slow for want of an index; `current`: title -> generation."""
        held = search_index.read_held(self._home / SHARD)
        return search_index.is_due(self._backend.num_points(), held, current)

    def build(self, *, unpublished: AbstractContextManager[object]) -> bool:
        """Build the index and put it in use; return whether that was done.

        `unpublished` keeps everybody from publishing: it is entered for the exchange. Not done
        where this is closed meanwhile, or where a shard made anew waits for the next owner.
        Raises StoreUnavailable where the disk has no room, another process is rebuilding the
        store, or the index cannot be built; the shard in use stays as it is.
        """
        with self._building, alone(self._home), explained(self._home):
            folder = self._home / INDEXING
            if self._closing.is_set() or (self._home / READY).exists():
                return False
            clear(folder)
            try:
                return self._build(folder, unpublished)
            finally:
                clear(folder)

    def close(self) -> None:
        """Give up the index that is being built, and build none any more."""
        self._closing.set()
        with self._building:
            pass

    def _build(self, folder: Path, unpublished: AbstractContextManager[object]) -> bool:
        started = time.monotonic()
        with self._backend.still() as shard:
            search_index.require_room(shard)
            sparse.copy_folder(shard, folder / SHARD)
        if not search_index.build(folder / SHARD, self._schema, stop=self._closing):
            return False
        copy = EdgeBackend(folder)
        try:
            copy.ensure(self._schema)
            search_index.write_held(folder / SHARD, copy, library_id=self._library_id)
            catch_up(copy, self._backend, library_id=self._library_id)
            with unpublished:
                catch_up(copy, self._backend, library_id=self._library_id)
                copy.close()
                if self._closing.is_set():
                    return False
                (folder / SHARD).rename(self._home / READY)
                self._backend.exchange(self._schema, lambda: take_up(self._home))
        finally:
            copy.close()
        logger.info("The search index was built in %.0f s", time.monotonic() - started)
        return True
