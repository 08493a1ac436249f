"""A copy of a store brought in step with the store that it was copied from."""

from __future__ import annotations

from qdrant_client import models

from qdrant.backend import Backend
from qdrant.compile import Scope
from qdrant.registry import Generation, Registry, RegistryPoint

PAGE_POINTS = 64
"""Points that are carried over at once: with all their vectors, about a megabyte."""


def catch_up(copy: Backend, original: Backend, *, library_id: str) -> None:
    """Carry over what was published and removed in a library since the copy was made.

    What is published meanwhile may be carried over in part, and is set right by the next call:
    the last one must be made while nobody publishes.
    """
    registry_id = RegistryPoint(original, library_id=library_id).point_id
    now = RegistryPoint(original, library_id=library_id).read()
    then = RegistryPoint(copy, library_id=library_id).read()
    scope = Scope(registry_id)
    for generation in stale(now, then):
        copy.delete(scope.generation(*generation))
    for generation in now.current.items():
        which = scope.generation(*generation)
        if copy.count(which) != original.count(which):
            copy.delete(which)
            _carry(which, copy, original)
    copy.upsert(_points(original, [registry_id]))


def stale(now: Registry, then: Registry) -> list[Generation]:
    """Return the generations that the copy may hold points of and that are not visible now."""
    known = [*then.current.items(), *then.hidden]
    return [(title, gen) for title, gen in known if now.current.get(title) != gen]


def _carry(which: models.Filter, copy: Backend, original: Backend) -> None:
    offset: str | None = None
    while True:
        page, offset = original.scroll(which, limit=PAGE_POINTS, offset=offset, payload=False)
        copy.upsert(_points(original, [str(record.id) for record in page]))
        if offset is None:
            return


def _points(original: Backend, ids: list[str]) -> list[models.PointStruct]:
    stored = original.retrieve(ids, payload=True, vectors=True)
    return [models.PointStruct(id=p.id, vector=p.vector or {}, payload=p.payload) for p in stored]
