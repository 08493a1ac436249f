"""The shots of one library, over any backend: published whole, searched consistently."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np
from qdrant_client import models

from qdrant.answer import answer
from qdrant.backend import Backend
from qdrant.compile import Scope, asked_spaces, proposing
from qdrant.errors import LibraryOwned, StoreUnavailable
from qdrant.language import Query, Scoring, ShotHit
from qdrant.points import shot_points
from qdrant.record import ShotRecord, Vector, point_id
from qdrant.registry import Generation, Registry, RegistryPoint
from qdrant.schema import Schema

if TYPE_CHECKING:
    from qdrant.indexing import Indexing

CHUNK_POINTS = 64
"""Points in one write: about 6 MB of JSON at 4 x 1024 numbers, below a server's 32 MB."""

READ_WAITS_S = (0.0, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64)
"""Pauses before a read is made again because a title changed under it."""

ABANDONED_AFTER_S = 24 * 3600.0
"""On a store that others write to, a generation hidden for so long has no living publisher."""

FoundT = TypeVar("FoundT")


class Shots:
    """A ShotStore over any Backend; see `qdrant.store.ShotStore` for what each method promises."""

    def __init__(
        self,
        backend: Backend,
        schema: Schema,
        *,
        library_id: str,
        one_library: bool = True,
        owned: bool = True,
        owner: str = "another process",
        closing: contextlib.ExitStack | None = None,
        indexing: Indexing | None = None,
    ) -> None:
        """Hold an open backend.

        `one_library` says that the collection is this library's alone; `owner` names who may
        write where this process may not (`owned` is false); `closing` is what to close in the
        end, by default just the backend; `indexing` builds the search index, where we do.
        """
        self.owned = owned
        self._backend = backend
        self._schema = schema
        self._library_id = library_id
        self._tenant = None if one_library else library_id
        self._owner = owner
        self._closing = closing or _closing(backend)
        self._registry = RegistryPoint(backend, library_id=library_id)
        self._publishing = threading.Lock()
        self._indexing = indexing

    def publish(self, title_id: str, generation: str, records: Sequence[ShotRecord]) -> None:
        """Make this generation the title's only visible one: whole, or not at all."""
        self._must_own(f"publish title {title_id}")
        with self._publishing:
            if self._registry.read().current.get(title_id) != generation:
                points = shot_points(
                    records,
                    title_id=title_id,
                    generation=generation,
                    library_id=self._library_id,
                    schema=self._schema,
                )
                self._sweep(title_id, keep=generation)
                begun = self._registry.change(lambda now: now.begin(title_id, generation))
                if begun.current.get(title_id) != generation:  # another process was not faster
                    self._write(title_id, generation, points)
                    self._registry.change(lambda now: now.switch(title_id, generation))
            self._sweep(title_id)

    def remove(self, title_id: str) -> None:
        """Take a title out of sight, then out of the store."""
        self._must_own(f"remove title {title_id}")
        with self._publishing:
            if title_id in self._registry.read().current:
                self._registry.change(lambda now: now.withdraw(title_id))
            self._sweep(title_id)

    def repair(self) -> None:
        """Delete what publications that never ended left behind; called when an owner opens."""
        oldest = time.time() - ABANDONED_AFTER_S if self._backend.shared else float("inf")
        with self._publishing:
            hidden = self._registry.read().hidden
            self._delete([pair for pair, since in hidden.items() if since < oldest])

    def index_is_due(self) -> bool:
        """Whether searching is slow for want of an index that this process could build."""
        return self._indexing is not None and self._indexing.is_due(self._registry.read().current)

    def build_index(self) -> bool:
        """Build the search index, due or not, while all else goes on; whether that was done."""
        return self._indexing is not None and self._indexing.build(unpublished=self._publishing)

    def generations(self) -> dict[str, str]:
        """Return the visible generation of every title: title_id -> generation."""
        return dict(self._registry.read().current)

    def count(self) -> int:
        """Return how many shots are visible."""

        def read(registry: Registry) -> tuple[int, bool]:
            return self._backend.count(self._scope(registry).all()), False

        return self._undisturbed(read)

    def query(self, query: Query, *, scoring: Scoring | None = None) -> list[ShotHit]:
        """Return every shot that any asked space proposed, each scored in all asked spaces.

        With a `reach`, the shots around the best lines are scored and returned too, and so are
        those named in `also`. Best first by the highest raw similarity, ties by title and shot. A
        query that wants nothing but conditions gives the first `candidates` shots, in the order of
        their ids, that meet them. With `scoring`, what scores least is left out.
        """
        asked = asked_spaces(query, self._schema)
        may_find = proposing(asked, query) if query.wanted else query.conditions
        if not may_find and not query.also:
            return []

        def read(registry: Registry) -> tuple[list[ShotHit], bool]:
            return answer(
                query,
                asked,
                backend=self._backend,
                registry=registry,
                scope=self._scope(registry),
                point_of=self._point_of,
                scoring=scoring,
            )

        return self._undisturbed(read)

    def vectors(self, title_id: str, shot: int) -> dict[str, Vector]:
        """Return the dense vectors of a visible shot; none if there is no such shot."""
        return self.vectors_of([(title_id, shot)])[0]

    def vectors_of(self, places: Sequence[tuple[str, int]]) -> list[dict[str, Vector]]:
        """Return the dense vectors of each of these (title_id, shot); none where there is none."""

        def read(registry: Registry) -> tuple[list[dict[str, Vector]], bool]:
            return self._stored_vectors(registry, places), True

        return self._undisturbed(read)

    def close(self) -> None:
        """Flush, close and give up ownership."""
        self._closing.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _must_own(self, deed: str) -> None:
        if not self.owned:
            raise LibraryOwned(
                f"This process cannot {deed}, because {self._owner} owns the library's shard; "
                f"leave it to that process, or close it and try again."
            )

    def _scope(self, registry: Registry) -> Scope:
        return Scope(
            registry_id=self._registry.point_id,
            library_id=self._tenant,
            hidden=frozenset(registry.hidden),
        )

    def _write(self, title_id: str, generation: str, points: list[models.PointStruct]) -> None:
        """Write the points of a hidden generation and make sure that they are all there."""
        for start in range(0, len(points), CHUNK_POINTS):
            self._backend.upsert(points[start : start + CHUNK_POINTS])
        # All the registry promises is as good as what it points at, so count before switching:
        # what a crash left of other records, or another process took away, shows here.
        whole = Scope(self._registry.point_id, self._tenant).generation(title_id, generation)
        stored = self._backend.count(whole)
        if stored != len(points):
            self._delete([(title_id, generation)])
            raise StoreUnavailable(
                f"The store holds {stored} shots of title {title_id} where {len(points)} were "
                f"written, so its older version stays; publish it again."
            )

    def _sweep(self, title_id: str, *, keep: str | None = None) -> None:
        """Delete the hidden generations of a title, but for one that is about to be written."""
        hidden = self._registry.read().hidden
        self._delete([pair for pair in hidden if pair[0] == title_id and pair[1] != keep])

    def _delete(self, generations: Sequence[Generation]) -> None:
        """Delete the points of hidden generations, then forget these."""
        if not generations:
            return
        # Writes reach the disk in their order, so a crash leaves what some earlier moment had.
        # What replaces these points is made to outlive a power cut before they go.
        self._backend.flush()
        scope = Scope(self._registry.point_id, self._tenant)
        for title_id, generation in generations:
            self._backend.delete(scope.generation(title_id, generation))
            self._unhide(title_id, generation)

    def _unhide(self, title_id: str, generation: str) -> None:
        self._registry.change(lambda now: now.unhide(title_id, generation))

    def _undisturbed(self, read: Callable[[Registry], tuple[FoundT, bool]]) -> FoundT:
        """Read between two looks at the registry until no title changed in the meantime.

        `read` also says whether what it found was all of that registry's making: points that
        appear while it reads are hidden from the next look only, and may have crowded others out.
        """
        before = self._registry.read()
        for wait_s in READ_WAITS_S:
            time.sleep(wait_s)
            found, clean = read(before)
            after = self._registry.read()
            if after.revision == before.revision or (clean and not after.lost_since(before)):
                return found
            before = after
        raise StoreUnavailable(
            "The library is being rewritten faster than it can be read; try again in a moment."
        )

    def _point_of(self, title_id: str, generation: str, shot: int) -> str:
        return point_id(
            title_id,
            generation=generation,
            shot=shot,
            version=self._schema.version,
            library_id=self._library_id,
        )

    def _stored_vectors(
        self, registry: Registry, places: Sequence[tuple[str, int]]
    ) -> list[dict[str, Vector]]:
        ids = [
            self._point_of(title_id, registry.current[title_id], shot)
            if title_id in registry.current
            else None
            for title_id, shot in places
        ]
        there = sorted({id_ for id_ in ids if id_})
        points = self._backend.retrieve(there, vectors=list(self._schema.dims)) if there else []
        stored = {str(point.id): point.vector or {} for point in points}
        return [_dense(stored.get(id_ or "", {})) for id_ in ids]


def _dense(vectors: Any) -> dict[str, Vector]:
    return {space: np.asarray(vector, np.float32) for space, vector in vectors.items()}


def _closing(backend: Backend) -> contextlib.ExitStack:
    stack = contextlib.ExitStack()
    stack.callback(backend.close)
    return stack
