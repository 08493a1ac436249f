"""`qdrant_client.models` -> `qdrant_edge` and back: as much of both as our language uses.

Whatever is not translated raises a UsageError that names it, so that nothing is dropped unseen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import qdrant_edge as edge
from qdrant_client import models
from qdrant_client.models import (
    FieldCondition,
    Filter,
    HasIdCondition,
    HasVectorCondition,
    NearestQuery,
    QueryRequest,
    SparseVector,
)

from qdrant.backend import ScoredPoint, StoredPoint
from qdrant.errors import UsageError
from qdrant.schema import LINE, PAYLOAD_INDEXES, FieldKind, Schema

INDEX_TYPES: dict[FieldKind, edge.PayloadSchemaType] = {
    "keyword": edge.PayloadSchemaType.Keyword,
    "integer": edge.PayloadSchemaType.Integer,
    "float": edge.PayloadSchemaType.Float,
}


LINKS, EXPLORED_WHEN_BUILT = 16, 128
"""HNSW's m and ef_construct (Malkov and Yashunin, arXiv 1603.09320)."""
FULL_SCAN_KB = 10_000
"""Where conditions leave fewer vectors than fill this, all of them are compared."""
QUANTILE = 0.99
"""Share of the numbers that eight bits tell apart; what lies beyond counts as the outermost."""
LEAST_KB = 1
"""The least of a shard that is worth an index, once somebody asked for one: whatever there is."""


def config(schema: Schema) -> edge.EdgeConfig:
    """Return a shard's configuration: cosine for dense spaces, idf for the line, a log of writes.

    Without that log (`wal_enabled=False`) nothing keeps a second process out of the shard.
    """
    return edge.EdgeConfig(**_stored(schema))


def indexed_config(schema: Schema) -> edge.EdgeConfig:
    """Return the configuration with which `optimize` builds an index: HNSW over eight bits.

    The vectors themselves stay as they are, for the best are scored anew by them.
    """
    return edge.EdgeConfig(
        **_stored(schema),
        hnsw_config=edge.HnswIndexConfig(
            m=LINKS, ef_construct=EXPLORED_WHEN_BUILT, full_scan_threshold=FULL_SCAN_KB
        ),
        quantization_config=edge.ScalarQuantizationConfig(
            edge.ScalarType.Int8, quantile=QUANTILE, memory=edge.Memory.Pinned
        ),
        optimizers=edge.EdgeOptimizersConfig(indexing_threshold=LEAST_KB, default_segment_number=1),
    )


def _stored(schema: Schema) -> dict[str, Any]:
    return {
        "vectors": {
            space: edge.EdgeVectorParams(size=dim, distance=edge.Distance.Cosine)
            for space, dim in schema.dims.items()
        },
        "sparse_vectors": {LINE: edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf)},
        "wal_enabled": True,
    }


def payload_indexes() -> list[edge.UpdateOperation]:
    """Return the operations that index the payload, to be done before the first point."""
    return [
        edge.UpdateOperation.create_field_index(name, INDEX_TYPES[kind])
        for name, kind in PAYLOAD_INDEXES.items()
    ]


def point(struct: models.PointStruct) -> edge.Point:
    """Return a point with named vectors."""
    if not isinstance(struct.vector, dict):
        raise _refusal("a point whose vectors have no names", struct.vector)
    vectors = {name: _vector(vector) for name, vector in struct.vector.items()}
    return edge.Point(str(struct.id), vectors, struct.payload)


def queries(requests: Sequence[QueryRequest], *, corpora: bool = True) -> list[edge.QueryRequest]:
    """Return requests for the points nearest to a vector, or just for those that match.

    A filter that several share is translated once: the ids of a thousand points in it take longer
    than the search. Without `corpora`, an idf over all points is left to the engine's own counts.
    """
    made: dict[int, edge.Filter] = {}
    return [_query(request, made, corpora) for request in requests]


def _query(request: QueryRequest, made: dict[int, edge.Filter], corpora: bool) -> edge.QueryRequest:
    _refuse_fields(request, "query", "using", "filter", "params", "limit", "with_payload")
    wanted = request.query
    if isinstance(wanted, NearestQuery):
        _refuse_fields(wanted, "nearest")
        wanted = wanted.nearest
    nearest = None if wanted is None else edge.Query.Nearest(_vector(wanted), using=request.using)
    if request.limit is None:
        raise _refusal("a query without a limit", request)
    return edge.QueryRequest(
        limit=request.limit,
        query=nearest,
        filter=None if request.filter is None else filter_(request.filter, made),
        params=None if request.params is None else _params(request.params, corpora),
        with_payload=fields(request.with_payload),
    )


def filter_(where: Filter, made: dict[int, edge.Filter] | None = None) -> edge.Filter:
    """Return a filter of conditions that must, and must not, hold.

    `made` has those that were translated before, by the identity of what they were made of.
    """
    made = {} if made is None else made
    if id(where) not in made:
        _refuse_fields(where, "must", "must_not")
        must, must_not = (_conditions(some, made) for some in (where.must, where.must_not))
        made[id(where)] = edge.Filter(must=must, must_not=must_not)
    return made[id(where)]


def fields(wanted: Any) -> bool | list[str]:
    """Return which payload fields or vectors are wanted: all, none, or these."""
    if wanted is None or isinstance(wanted, bool):
        return bool(wanted)
    if isinstance(wanted, Sequence) and not isinstance(wanted, str):
        return [str(name) for name in wanted]
    raise _refusal("a selector of payload or vectors", wanted)


def scored(point: edge.ScoredPoint) -> ScoredPoint:
    """Return a found point."""
    return ScoredPoint(str(point.id), point.score, point.payload)


def stored(point: edge.Record) -> StoredPoint:
    """Return a stored point."""
    vectors: Any = point.vector
    if isinstance(vectors, dict):
        vectors = {name: _plain(vector) for name, vector in vectors.items()}
    return StoredPoint(str(point.id), point.payload, vectors)


def _conditions(conditions: Any, made: dict[int, edge.Filter]) -> list[edge.ConditionType] | None:
    if conditions is None:
        return None
    several = conditions if isinstance(conditions, list) else [conditions]
    return [_condition(condition, made) for condition in several]


def _condition(condition: models.Condition, made: dict[int, edge.Filter]) -> Any:
    match condition:
        case Filter():
            return filter_(condition, made)
        case HasIdCondition():
            return edge.HasIdCondition(set(condition.has_id))
        case HasVectorCondition():
            return edge.HasVectorCondition(condition.has_vector)
        case FieldCondition():
            return _field(condition)
    raise _refusal("a condition", condition)


def _field(condition: FieldCondition) -> edge.FieldCondition:
    _refuse_fields(condition, "key", "match", "range")
    match, bounds = condition.match, condition.range
    if isinstance(match, models.MatchValue) and bounds is None:
        return edge.FieldCondition(condition.key, match=edge.MatchValue(match.value))
    if isinstance(match, models.MatchAny) and bounds is None:
        return edge.FieldCondition(
            condition.key, match=edge.MatchAny([str(value) for value in match.any])
        )
    if isinstance(bounds, models.Range) and match is None:
        limits = edge.RangeFloat(gte=bounds.gte, gt=bounds.gt, lte=bounds.lte, lt=bounds.lt)
        return edge.FieldCondition(condition.key, range=limits)
    raise _refusal("a condition on a field", condition)


def _params(params: models.SearchParams, corpora: bool) -> edge.SearchParams:
    _refuse_fields(params, "exact", "idf", "hnsw_ef", "quantization")
    return edge.SearchParams(
        exact=bool(params.exact),
        hnsw_ef=params.hnsw_ef,
        quantization=None if params.quantization is None else _quantization(params.quantization),
        idf=None if params.idf is None else _idf(params.idf, corpora),
    )


def _quantization(params: models.QuantizationSearchParams) -> edge.QuantizationSearchParams:
    _refuse_fields(params, "rescore", "oversampling")
    return edge.QuantizationSearchParams(rescore=params.rescore, oversampling=params.oversampling)


def _idf(idf: Any, corpora: bool) -> edge.IdfParams | None:
    if not isinstance(idf, models.IdfCorpusParams):
        raise _refusal("an idf", idf)
    if idf.corpus == Filter() and not corpora:
        return None
    return edge.IdfParams(corpus=filter_(idf.corpus))


def _vector(vector: Any) -> Any:
    if isinstance(vector, SparseVector):
        return edge.SparseVector(indices=vector.indices, values=vector.values)
    # Their kinds are asked about, not each number: of those there are hundreds of thousands.
    if isinstance(vector, list) and all(issubclass(k, float | int) for k in set(map(type, vector))):
        return vector
    raise _refusal("a vector", vector)


def _plain(vector: Any) -> Any:
    if isinstance(vector, edge.SparseVector):
        return SparseVector(indices=vector.indices, values=vector.values)
    return vector


def _refuse_fields(model: Any, *understood: str) -> None:
    """Refuse a model that sets a field other than these."""
    for name in type(model).model_fields:
        if name not in understood and getattr(model, name) not in (None, False):
            raise _refusal(f"`{name}` of {type(model).__name__}", getattr(model, name))


def _refusal(what: str, value: Any) -> UsageError:
    return UsageError(
        f"The embedded store does not understand {what} ({type(value).__name__}); ask it what "
        f"the query language can say, or set QDRANT_URL to a Qdrant server."
    )
