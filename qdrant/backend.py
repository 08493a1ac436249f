"""What a place that keeps points can do, in `qdrant_client.models` and nothing else.

Three keep them: an embedded shard (`qdrant.edge`), a Qdrant server, and memory (`qdrant.server`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from qdrant_client import models

    from qdrant.schema import Schema

Fields = bool | Sequence[str]
"""All payload fields or vectors, none, or these."""

Payload = dict[str, Any]


class ScoredPoint(NamedTuple):
    """A point that was found. No model of pydantic's: a search meets thousands of them."""

    id: str
    score: float
    payload: Payload | None = None


class StoredPoint(NamedTuple):
    """A point as it is stored, as much of it as was asked for."""

    id: str
    payload: Payload | None = None
    vector: dict[str, Any] | None = None  # name -> numbers, or a models.SparseVector


class Backend(Protocol):
    """One collection of points. Every failure to reach or write it is a StoreUnavailable."""

    shared: bool
    """Whether another process may write here, so that nothing read may be kept."""

    def ensure(self, schema: Schema) -> None:
        """Make the collection, its vectors and its payload indexes, or check those it has."""

    def upsert(
        self, points: Sequence[models.PointStruct], *, only_if: models.Filter | None = None
    ) -> None:
        """Write points; with `only_if`, one that exists is replaced only where it matches."""

    def delete(self, which: models.Filter) -> None:
        """Delete every point that matches."""

    def query_batch(self, requests: Sequence[models.QueryRequest]) -> list[list[ScoredPoint]]:
        """Return the scored points of each request, best first."""

    def retrieve(
        self, ids: Sequence[str], *, payload: Fields = False, vectors: Fields = False
    ) -> list[StoredPoint]:
        """Return those of these points that exist, in any order."""

    def scroll(
        self,
        which: models.Filter | None,
        *,
        limit: int,
        offset: str | None = None,
        payload: Fields = True,
    ) -> tuple[list[StoredPoint], str | None]:
        """Return a page of points in the order of their ids, and where the next one begins."""

    def count(self, which: models.Filter | None) -> int:
        """Return exactly how many points match."""

    def flush(self) -> None:
        """Return once everything written would outlive a power cut."""

    def close(self) -> None:
        """Flush and let go. Calling it twice does nothing."""
