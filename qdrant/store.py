"""The shots of one library under one model version, whichever backend holds them.

with open_store(folder, schema, library_id=..., command="trimbin search") as shots:
    hits = shots.query(query)
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from qdrant.errors import LibraryOwned, OwnerGone, StoreUnavailable
from qdrant.language import Query, Scoring, ShotHit
from qdrant.record import ShotRecord, Vector
from qdrant.schema import Schema

if TYPE_CHECKING:
    from qdrant.ownership import Owner, Ownership

ANSWER_WITHIN_S = 3.0
"""How long a living owner may take to open and to answer before it counts as silent."""
PROBE_S = 1.5
"""How long one attempt to reach it takes at most."""
LOOK_AGAIN_S = 0.05


class ShotStore(Protocol):
    """What indexer and app may ask of a store.

    Anything may raise StoreUnavailable; a reader whose owner went away gets OwnerGone, and finds
    or becomes the next owner by opening the store again.
    """

    owned: bool
    """Whether this process may write. A reader goes through the owner's loopback address."""

    def publish(self, title_id: str, generation: str, records: Sequence[ShotRecord]) -> None:
        """Make this generation the title's only visible one: whole, or not at all.

        One that is visible already is left as it is. Raises InputError naming the shot that
        cannot be stored, before anything is written, and LibraryOwned in a reader.
        """

    def remove(self, title_id: str) -> None:
        """Take a title out of sight, then out of the store. Raises LibraryOwned in a reader."""

    def index_is_due(self) -> bool:
        """Whether searching is slow for want of an index that this process could build.

        Never on a server, which builds its own, nor in a reader.
        """

    def build_index(self) -> bool:
        """Build the search index, due or not, while all else goes on; whether that was done.

        It returns when the index is in use, minutes later in a large library; `close` in another
        thread ends it early. Raises StoreUnavailable where it cannot be built: searching goes on.
        """

    def generations(self) -> dict[str, str]:
        """Return the visible generation of every title: title_id -> generation."""

    def query(self, query: Query, *, scoring: Scoring | None = None) -> list[ShotHit]:
        """Return every shot that any asked space proposed, each scored in all asked spaces.

        Best first by the highest raw similarity, ties by title and shot. Raises UsageError for
        vectors of a space or a length that the library does not have.

        With `scoring` only the shots that score best are returned, half as many as one space may
        propose, as many of those named in `also`, and those beside them: copying shots whole is
        most of a search's work.
        """

    def vectors(self, title_id: str, shot: int) -> dict[str, Vector]:
        """Return a visible shot's dense vectors, space -> (dim,) float32 unit length.

        Empty where there is no such shot.
        """

    def vectors_of(self, places: Sequence[tuple[str, int]]) -> list[dict[str, Vector]]:
        """Return the same for each of these (title_id, shot), in one go."""

    def count(self) -> int:
        """Return how many shots are visible."""

    def close(self) -> None:
        """Flush, close and give up ownership."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


def open_store(
    folder: Path,
    schema: Schema,
    *,
    library_id: str,
    command: str,
    url: str | None = None,
    api_key: str | None = None,
) -> ShotStore:
    """Open a library's store for a model version.

    With `url`, a Qdrant server (or ":memory:"). Else the embedded shard at folder/<version>:
    whoever comes first owns it and writes; everybody else reads through the owner.

    Raises StoreUnavailable naming what cannot be reached or written, and LibraryOwned naming the
    process that owns the shard but does not answer within a few seconds.
    """
    if url:
        return _on_server(schema, library_id=library_id, url=url, api_key=api_key)
    from qdrant import loopback, ownership

    home = folder / schema.version
    deadline = time.monotonic() + ANSWER_WITHIN_S
    while True:
        held = ownership.acquire(home, command=command)
        if held is not None:
            return _as_owner(home, schema, library_id=library_id, ownership=held)
        owner = ownership.read_card(home)
        if owner and owner.url and loopback.answers(owner.url, owner.token, timeout_s=PROBE_S):
            return _as_reader(schema, library_id=library_id, owner=owner)
        if time.monotonic() > deadline:
            raise LibraryOwned(
                f"The library in {folder} is owned by {owner or 'a process without a name'}, which "
                f"does not answer; close that one, or wait until it is done and try again."
            )
        time.sleep(LOOK_AGAIN_S)


def _on_server(schema: Schema, *, library_id: str, url: str, api_key: str | None) -> ShotStore:
    from qdrant.server import ServerBackend, collection_name
    from qdrant.shots import Shots

    backend = ServerBackend(url, collection=collection_name(schema.version), api_key=api_key)
    shots = Shots(backend, schema, library_id=library_id, one_library=not backend.shared)
    with _closed_on_error(shots):
        backend.ensure(schema)
        shots.repair()
    return shots


def _as_owner(home: Path, schema: Schema, *, library_id: str, ownership: Ownership) -> ShotStore:
    from qdrant.edge import EdgeBackend
    from qdrant.indexing import Indexing
    from qdrant.loopback import Loopback
    from qdrant.replacement import take_up
    from qdrant.server import collection_name
    from qdrant.shots import Shots

    # Closed in reverse: nobody is let in, then the shard is shut, then the next may own it.
    with contextlib.ExitStack() as stack:
        stack.callback(ownership.release)
        take_up(home)
        backend = EdgeBackend(home)
        stack.callback(backend.close)
        backend.ensure(schema)
        Shots(backend, schema, library_id=library_id).repair()
        indexing = Indexing(home, backend, schema, library_id=library_id)
        stack.callback(indexing.close)
        listener = Loopback(
            backend,
            collection=collection_name(schema.version),
            token=ownership.owner.token,
        )
        stack.callback(listener.close)
        ownership.announce(listener.url)
        closing = stack.pop_all()
    return Shots(backend, schema, library_id=library_id, closing=closing, indexing=indexing)


def _as_reader(schema: Schema, *, library_id: str, owner: Owner) -> ShotStore:
    from qdrant.server import ServerBackend, collection_name
    from qdrant.shots import Shots

    def gone(reason: str) -> StoreUnavailable:
        return OwnerGone(
            f"{owner}, through which this process reads the library, went away ({reason}); open "
            f"the library again."
        )

    assert owner.url is not None
    backend = ServerBackend(
        owner.url,
        collection=collection_name(schema.version),
        api_key=owner.token,
        unreachable=gone,
    )
    return Shots(backend, schema, library_id=library_id, owned=False, owner=str(owner))


@contextlib.contextmanager
def _closed_on_error(shots: ShotStore) -> Iterator[None]:
    try:
        yield
    except BaseException:
        shots.close()
        raise
