"""The backends behind a QdrantClient: a server or cluster, an owner's loopback, and memory."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse

from qdrant.backend import Fields, ScoredPoint, StoredPoint
from qdrant.calls import BACKOFF_S, TIMEOUT_S, Calls, Unreachable
from qdrant.errors import StoreUnavailable
from qdrant.schema import LINE, PAYLOAD_INDEXES, REVISION, Schema

logger = logging.getLogger(__name__)

MEMORY = ":memory:"
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")


def collection_name(version: str) -> str:
    """Return the name of a model version's collection.

    What an earlier Trimbin stored otherwise lies in another, and is neither read nor touched.
    """
    return f"trimbin_{version}_{REVISION}"


class ServerBackend:
    """A Backend over a QdrantClient. Threads may share it.

    A server must be Qdrant 1.19 or later: idf over one library's shots began there.
    """

    def __init__(
        self,
        url: str,
        *,
        collection: str,
        api_key: str | None = None,
        unreachable: Unreachable | None = None,
        transport: httpx.BaseTransport | None = None,
        backoff_s: Sequence[float] = BACKOFF_S,
    ) -> None:
        """Connect at the first request; `url` is http(s)://host:port or ":memory:".

        `unreachable` makes the error for an address that does not answer or does not know our
        key; `transport` is how requests travel.
        """
        self.shared = url != MEMORY
        self._url = url
        self._collection = collection
        self._client = QdrantClient(MEMORY) if url == MEMORY else _remote(url, api_key, transport)
        # A client in memory answers wrongly while another thread writes; a server sorts it out.
        self._calls = Calls(
            url,
            collection=collection,
            unreachable=unreachable,
            backoff_s=backoff_s,
            one_at_a_time=not self.shared,
        )

    def ensure(self, schema: Schema) -> None:
        """Make the collection with its vectors and payload indexes, or check those it has.

        Raises StoreUnavailable where a collection of that name holds vectors of other lengths.
        """
        if not self._calls.answer(lambda: self._client.collection_exists(self._collection)):
            self._create(schema)
        info = self._calls.answer(lambda: self._client.get_collection(self._collection))
        stored = info.config.params.vectors
        sizes = {s: p.size for s, p in stored.items()} if isinstance(stored, dict) else {}
        if sizes != dict(schema.dims):
            raise StoreUnavailable(
                f"The collection {self._collection} at {self._url} holds vectors of lengths "
                f"{sizes} where this library's have {dict(schema.dims)}; delete it there or give "
                f"the library a server of its own."
            )
        if self.shared:  # memory has no indexes, and says so each time
            self._index_payload(set(info.payload_schema))

    def upsert(
        self, points: Sequence[models.PointStruct], *, only_if: models.Filter | None = None
    ) -> None:
        """Write points; with `only_if`, one that exists is replaced only where it matches."""
        self._calls.answer(
            lambda: self._client.upsert(
                self._collection, list(points), update_filter=only_if, wait=True
            )
        )

    def delete(self, which: models.Filter) -> None:
        """Delete every point that matches."""
        selector = models.FilterSelector(filter=which)
        self._calls.answer(lambda: self._client.delete(self._collection, selector, wait=True))

    def query_batch(self, requests: Sequence[models.QueryRequest]) -> list[list[ScoredPoint]]:
        """Return the scored points of each request, best first."""
        if not requests:
            return []
        if not self.shared:
            requests = [_as_memory_takes_it(request) for request in requests]
        answers = self._calls.answer(
            lambda: self._client.query_batch_points(self._collection, list(requests))
        )
        return [
            [ScoredPoint(str(point.id), point.score, point.payload) for point in answer.points]
            for answer in answers
        ]

    def retrieve(
        self, ids: Sequence[str], *, payload: Fields = False, vectors: Fields = False
    ) -> list[StoredPoint]:
        """Return those of these points that exist, in any order."""
        records = self._calls.answer(
            lambda: self._client.retrieve(
                self._collection,
                list(ids),
                with_payload=_fields(payload),
                with_vectors=_fields(vectors),
            )
        )
        return [_stored(record) for record in records]

    def scroll(
        self,
        which: models.Filter | None,
        *,
        limit: int,
        offset: str | None = None,
        payload: Fields = True,
    ) -> tuple[list[StoredPoint], str | None]:
        """Return a page of points in the order of their ids, and where the next one begins."""
        points, following = self._calls.answer(
            lambda: self._client.scroll(
                self._collection,
                scroll_filter=which,
                limit=limit,
                offset=offset,
                with_payload=_fields(payload),
            )
        )
        page = [_stored(record) for record in points]
        return page, None if following is None else str(following)

    def count(self, which: models.Filter | None) -> int:
        """Return exactly how many points match."""
        return self._calls.answer(
            lambda: self._client.count(self._collection, count_filter=which, exact=True).count
        )

    def flush(self) -> None:
        """Do nothing: a server looks after its own disk."""

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _create(self, schema: Schema) -> None:
        dense = {
            space: models.VectorParams(size=dim, distance=models.Distance.COSINE)
            for space, dim in schema.dims.items()
        }
        sparse = {LINE: models.SparseVectorParams(modifier=models.Modifier.IDF)}

        def create() -> None:
            try:
                self._client.create_collection(
                    self._collection, vectors_config=dense, sparse_vectors_config=sparse
                )
            except UnexpectedResponse as error:
                if error.status_code != 409:  # another process made it just now
                    raise

        self._calls.answer(create)

    def _index_payload(self, existing: set[str]) -> None:
        for name, kind in PAYLOAD_INDEXES.items():
            if name in existing:
                continue
            index: Any = models.PayloadSchemaType(kind)
            if name == "library_id":
                index = models.KeywordIndexParams(
                    type=models.KeywordIndexType.KEYWORD, is_tenant=True
                )
            self._index_field(name, index)

    def _index_field(self, name: str, index: Any) -> None:
        self._calls.answer(
            lambda: self._client.create_payload_index(self._collection, name, index, wait=True)
        )


def _remote(url: str, api_key: str | None, transport: httpx.BaseTransport | None) -> QdrantClient:
    host, scheme = urlsplit(url).hostname or "", urlsplit(url).scheme
    if api_key and scheme == "http" and host not in LOOPBACK_HOSTS:
        logger.warning("the Qdrant API key travels to %s in clear; use https", host)
    how: dict[str, Any] = {} if transport is None else {"transport": transport}
    return QdrantClient(
        url=url,
        # As a header and not as `api_key`, which warns of http even on the loopback interface.
        headers={"api-key": api_key} if api_key else None,
        timeout=TIMEOUT_S,
        check_compatibility=False,
        trust_env=host not in LOOPBACK_HOSTS,  # a proxy has no business there
        **how,
    )


def _stored(record: models.Record) -> StoredPoint:
    assert record.vector is None or isinstance(record.vector, dict)
    return StoredPoint(str(record.id), record.payload, record.vector)


def _fields(wanted: Fields) -> Any:
    return wanted if isinstance(wanted, bool) else list(wanted)


def _as_memory_takes_it(request: models.QueryRequest) -> models.QueryRequest:
    """Return the request without what memory, always exact and without index, warns of."""
    if request.params is None:
        return request
    idf = request.params.idf
    params = None if idf is None else models.SearchParams(idf=idf)
    return request.model_copy(update={"params": params})
