"""The store made anew from the title folders: nothing is decoded, nothing is encoded.

The embedded shard is filled beside the one in use and then takes its place; what titles come or go
meanwhile, the next owner's syncing sets right. A server's collection may be shared with other
libraries, so there every title is published once more, under a name for the time between, in its
place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from indexer import environment
from indexer.catalogue import Catalogue
from indexer.library import Library
from indexer.manifest import Manifest
from indexer.progress import Progress, silent
from indexer.publish import library_schema, records_of
from qdrant.errors import InputError
from qdrant.record import ShotRecord
from qdrant.store import ShotStore

RENEWED = "renewed-"
"""Before the name of a generation while it is written a second time."""


@dataclass(frozen=True)
class Rebuilt:
    """What became of a store."""

    titles: int  # published anew
    shots: int
    damaged: tuple[str, ...]  # sentences: titles whose folders could not be read
    waits_for: str | None = None  # who must close first before the new shard takes its place


def rebuild(library: Library, *, command: str, progress: Progress = silent) -> Rebuilt:
    """Make the store of a library's version anew from its title folders.

    Searching goes on throughout, from the store as it was. Raises `StoreUnavailable` where the
    store cannot be written or another process is rebuilding it.
    """
    told = Telling(library, progress)
    if environment.server_url():
        catalogue = Catalogue(library, command=command)
        try:
            renew(library, catalogue.store, told)
        finally:
            catalogue.close()
        return told.rebuilt()
    from qdrant.replacement import install, replacement

    schema = library_schema(library)
    with replacement(library.store_folder, schema, library_id=library.library_id) as store:
        told.each(lambda m, records: store.publish(m.title_id, m.publication, records))
    owner = install(library.store_folder, schema, command=command)
    return replace(told.rebuilt(), waits_for=str(owner) if owner else None)


def renew(library: Library, store: ShotStore, told: Telling) -> None:
    """Publish every title twice into a store that is open: under another name, then its own.

    Readers see one whole copy of it or the other. What the library has no more goes.
    """

    def publish(manifest: Manifest, records: list[ShotRecord]) -> None:
        other = RENEWED + manifest.publication
        renewed = [replace(record, generation=other) for record in records]
        store.publish(manifest.title_id, other, renewed)
        store.publish(manifest.title_id, manifest.publication, records)

    for title_id in store.generations():
        if not library.has_folder(title_id):
            store.remove(title_id)
    told.each(publish)


class Telling:
    """Reads title after title, and counts what it has come to."""

    def __init__(self, library: Library, progress: Progress) -> None:
        self._library, self._progress = library, progress
        self._titles = self._shots = 0
        self._damaged: list[str] = []

    def each(self, publish: Callable[[Manifest, list[ShotRecord]], None]) -> None:
        """Publish every title of the version in use; pass over those that are damaged."""
        finished = self._library.in_use()
        for number, manifest in enumerate(finished):
            self._progress("Rebuilding", number, len(finished))
            try:
                records = records_of(self._library, manifest)
                publish(manifest, records)
            except (OSError, ValueError, IndexError, KeyError, InputError) as error:
                self._damaged.append(_damaged(self._library, manifest, error))
            else:
                self._titles, self._shots = self._titles + 1, self._shots + len(records)
        self._progress("Rebuilding", len(finished), len(finished))

    def rebuilt(self) -> Rebuilt:
        """Return what was done so far."""
        return Rebuilt(self._titles, self._shots, tuple(self._damaged))


def _damaged(library: Library, manifest: Manifest, error: Exception) -> str:
    return (
        f"{manifest.title} is left out: its folder {library.folder(manifest.title_id)} is damaged "
        f"({type(error).__name__}: {error}). Index it again."
    )
