"""A library as it can be searched: the store, kept in step with the title folders.

    with open_catalogue(library, command="trimbin search") as catalogue:
        hits = catalogue.query(query)

Whoever owns the shard publishes finished titles and takes away removed ones. A process that finds
it owned searches through the owner, and takes over when the owner is gone.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from safetensors import SafetensorError

from indexer import environment
from indexer.context.record import read_record
from indexer.library import Library
from indexer.manifest import Manifest
from indexer.progress import Progress, silent
from indexer.publish import library_schema, records_of
from indexer.tower.keep import Asker
from indexer.vocabulary import LibraryVocabulary
from qdrant.calibration import Calibration
from qdrant.errors import CannotRunNow, OwnerGone, StoreUnavailable, TrimbinError
from qdrant.language import Query, Scoring, ShotHit
from qdrant.ranking import Calibrations
from qdrant.record import Vector
from qdrant.schema import TOLD
from qdrant.spelling import Vocabulary
from qdrant.store import ShotStore, open_store

logger = logging.getLogger(__name__)

SYNC_INTERVAL_S = 1.0
"""How often an owner looks for finished titles; searchers see them within two seconds."""

INDEX_AGAIN_S = 3600.0
"""After a search index could not be built, for want of room say, how long until the next try."""

TOWER_WEIGHT = 0.8
"""The evidence at the tower's ceiling: less than a line's or a picture's own."""

ResultT = TypeVar("ResultT")


@dataclass
class Catalogue:
    """A library's store, opened by this process as its owner or as a reader."""

    library: Library
    command: str  # what this process is, for whoever finds the shard owned
    _store: ShotStore | None = None
    _asking: tuple[str | None, Asker | None, Mapping[str, Calibration]] | None = None
    _words: LibraryVocabulary | None = None
    _stop: threading.Event = field(default_factory=threading.Event)
    _opening: threading.RLock = field(default_factory=threading.RLock)
    _syncing: threading.RLock = field(default_factory=threading.RLock)  # taken before _opening
    _indexing: threading.Lock = field(default_factory=threading.Lock)
    _index_not_before: float = 0.0  # by time.monotonic()

    @property
    def store(self) -> ShotStore:
        """The open store; opened at first use."""
        with self._opening:
            if self._stop.is_set():
                raise StoreUnavailable("The library has been closed by this process; open it anew.")
            if self._store is None:
                self._store = open_store(
                    self.library.store_folder,
                    library_schema(self.library),
                    library_id=self.library.library_id,
                    command=self.command,
                    url=environment.server_url(),
                    api_key=environment.server_key(),
                )
            return self._store

    @property
    def asker(self) -> Asker | None:
        """The library's tower for words, or None where it has none that is worth it."""
        return self._tower()[0]

    @property
    def calibrations(self) -> Calibrations:
        """What a similarity is worth in each space: the profile's word, and the tower's own."""
        profile = self.library.profile
        return {
            "words": {**profile.ranking, **self._tower()[1]},
            "likeness": profile.likeness,
        }

    @property
    def vocabulary(self) -> Vocabulary:
        """The words of the titles there are: what else is typed may be a slip."""
        with self._opening:
            if self._words is None:
                self._words = LibraryVocabulary(self.library)
        return self._words.now()

    @property
    def languages(self) -> tuple[str | None, ...]:
        """The languages that titles' words are in; None stands for those that do not say."""
        return tuple(sorted({m.language for m in self.library.in_use()}, key=str)) or (None,)

    def _tower(self) -> tuple[Asker | None, Mapping[str, Calibration]]:
        """Return the tower and its calibration; read once for each context model."""
        checkpoint_id = self.library.checkpoint_id()
        if self._asking is None or self._asking[0] != checkpoint_id:
            self._asking = checkpoint_id, *read_tower(self.library)
        return self._asking[1:]

    def query(self, query: Query, *, scoring: Scoring | None = None) -> list[ShotHit]:
        """Return the shots found, through whoever owns the shard now; see `ShotStore.query`."""
        return self._through_owner(lambda store: store.query(query, scoring=scoring))

    def vectors(self, title_id: str, shot: int) -> dict[str, Vector]:
        """Return a shot's stored vectors, space -> (dim,) float32."""
        return self._through_owner(lambda store: store.vectors(title_id, shot))

    def vectors_of(self, places: Sequence[tuple[str, int]]) -> list[dict[str, Vector]]:
        """Return the stored vectors of each of these (title_id, shot), in one go."""
        return self._through_owner(lambda store: store.vectors_of(places))

    def generations(self) -> dict[str, str]:
        """Return what is visible: title_id -> generation."""
        return self._through_owner(lambda store: store.generations())

    def count(self) -> int:
        """Return how many shots are visible."""
        return self._through_owner(lambda store: store.count())

    def sync(self) -> list[str]:
        """Publish finished titles and take away removed ones, if this process is the owner.

        A damaged title is passed over, and told. Returns the ids of the titles published now.
        """
        with self._syncing:
            store = self.store
            if not store.owned:
                return []
            visible = store.generations()
            for title_id in visible:
                if not self.library.has_folder(title_id):
                    store.remove(title_id)
            finished = self.library.in_use()
            changed = [m for m in finished if visible.get(m.title_id) != m.publication]
            return [m.title_id for m in changed if self._publish(store, m)]

    def _publish(self, store: ShotStore, manifest: Manifest) -> bool:
        try:
            records = records_of(self.library, manifest)
        except (OSError, ValueError, IndexError, KeyError, SafetensorError) as error:
            logger.warning(
                "%s cannot be published: its folder %s is damaged (%s: %s). Index it again.",
                manifest.title,
                self.library.folder(manifest.title_id),
                type(error).__name__,
                error,
            )
            return False
        store.publish(manifest.title_id, manifest.publication, records)
        return True

    def wait_until_in_step(self, *, at_most_s: float = 5.0) -> bool:
        """Wait for the owner to publish what is finished; return whether all of it is visible."""
        deadline = time.monotonic() + at_most_s
        while True:
            finished = {m.title_id: m.publication for m in self.library.in_use()}
            if self.generations() == finished:
                return True
            if time.monotonic() > deadline:
                return False
            time.sleep(SYNC_INTERVAL_S / 5)

    def keep_in_step(self) -> None:
        """Sync in the background until closed; takes ownership over when it falls free."""
        thread = threading.Thread(target=self._sync_until_closed, name="sync", daemon=True)
        thread.start()

    def build_index(self, progress: Progress = silent) -> None:
        """Build the store's search index if it is due and this process the owner; wait for it.

        Searching and publishing go on meanwhile. Raises StoreUnavailable where it cannot be built,
        for want of room say; the store then stays as it is.
        """
        with self._indexing:
            store = self.store
            if store.index_is_due():
                progress("Search index", 0, 0)
                store.build_index()
                progress("Search index", 1, 1)

    def close(self) -> None:
        """Close the store and give up ownership."""
        self._stop.set()
        with self._syncing, self._opening:
            if self._store is not None:
                self._store.close()
                self._store = None

    def _sync_until_closed(self) -> None:
        trouble: str | None = None
        while not self._stop.wait(SYNC_INTERVAL_S):
            try:
                self._take_over_if_free()
                self.sync()
                self._begin_index_if_due()
                trouble = None
            except Exception as error:  # searching goes on; the next round tries again
                if str(error) != trouble and not self._stop.is_set():  # told once, not every second
                    ours = isinstance(error, TrimbinError)
                    logger.warning("The store is behind: %s", error, exc_info=not ours)
                trouble = str(error)

    def _begin_index_if_due(self) -> None:
        if self._indexing.locked() or time.monotonic() < self._index_not_before:
            return
        if self.store.index_is_due():
            threading.Thread(target=self._index_aside, name="indexing", daemon=True).start()

    def _index_aside(self) -> None:
        try:
            self.build_index()
        except Exception as error:  # searching goes on, slower
            self._index_not_before = time.monotonic() + INDEX_AGAIN_S
            if not self._stop.is_set():
                logger.warning("%s", error, exc_info=not isinstance(error, TrimbinError))

    def _take_over_if_free(self) -> None:
        store = self.store
        if store.owned:
            return
        try:
            store.generations()
        except OwnerGone:
            self._reopen(store)

    def _through_owner(self, ask: Callable[[ShotStore], ResultT]) -> ResultT:
        store = self.store
        try:
            return ask(store)
        except OwnerGone:
            self._reopen(store)
            return ask(self.store)

    def _reopen(self, gone: ShotStore) -> None:
        with self._opening:
            if self._store is gone:
                self._store = None
                gone.close()


def read_tower(library: Library) -> tuple[Asker | None, Mapping[str, Calibration]]:
    """Return the tower of the context model in use, and its calibration; a damaged one is told."""
    if library.checkpoint_id() is None:
        return None, {}
    try:
        with read_record(library.context_folder) as record:
            tower = record.tower
    except CannotRunNow as error:
        logger.warning("Words do not reach context: %s", error)
        return None, {}
    if tower is None:
        return None, {}
    band = Calibration(floor=tower.floor, ceiling=tower.ceiling, weight=TOWER_WEIGHT)
    return tower.asker(), {TOLD: band}


@contextmanager
def open_catalogue(library: Library, *, command: str) -> Iterator[Catalogue]:
    """Open a library for searching, in step with its folder, and close it in the end."""
    catalogue = Catalogue(library=library, command=command)
    try:
        catalogue.sync()
        yield catalogue
    finally:
        catalogue.close()
