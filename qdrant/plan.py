"""A Qdrant server for a catalogue that has outgrown one machine: its collection, and its size.

`requests` are what makes it, to be sent in this order; `needs` is the arithmetic behind its nodes.
Nothing is sent anywhere.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from qdrant_client import models

from qdrant.schema import LINE, PAYLOAD_INDEXES, Schema
from qdrant.server import collection_name

SHARDS = 6
REPLICATION = 2
FEWEST_NODES = 3
"""One may be away, and every shard has a replica on another."""
ALIAS = "shots"
"""What other programs may call the collection of the model version in use."""

HNSW_M, HNSW_M_LARGE, LARGE_FROM = 16, 24, 50_000_000
"""Links of a shot in the graph; above so many shots more of them keep recall up."""
HNSW_EF_CONSTRUCT = 200
QUANTILE = 0.99
SEARCH_EF, OVERSAMPLING = 128, 2.0
MAX_QUERY, MAX_UPSERT = 1000, 1024

FLOAT_BYTES, INT8_BYTES, LINK_BYTES = 4, 1, 4
INT8_EXTRA_BYTES = 4
"""Scalar quantization keeps an offset with each vector."""
PAYLOAD_BYTES = 1_500
"""An estimate: names, times, measures and two lines of dialogue of a shot, as JSON."""
INDEXED_FIELD_BYTES = 16
"""An estimate: what a payload index holds for a shot and field, in memory."""
LINE_TOKENS, TOKEN_BYTES = 8, 8
"""An estimate of a shot's sparse vector: tokens, an id and a weight for each, in memory."""
WORKING_SHARE = 0.3
"""Of a node's memory is kept for requests, segments being rebuilt, and the system."""
DISK_ROOM = 2.0
"""While segments are optimised they are on the disk twice."""
NODE_GIB = (8, 16, 32, 64, 128, 256, 512)
"""Sizes that machines are sold in."""


@dataclass(frozen=True)
class Needs:
    """What a collection takes, in bytes: of one replica, but for the sums over all of them."""

    shots: int
    float32: int  # the vectors as they are, cold on disk: read to rescore
    int8: int  # the vectors searched, pinned in memory
    links: int  # of the graphs of all dense spaces, in memory
    payload: int  # on disk
    indexes: int  # of payload fields, in memory
    lines: int  # the sparse vectors, in memory
    nodes: int
    node_gib: int  # memory of each

    @property
    def memory(self) -> int:
        """What should be in memory."""
        return self.int8 + self.links + self.indexes + self.lines

    @property
    def disk(self) -> int:
        """What lies on disk: all of it, memory's share too."""
        return self.float32 + self.payload + self.memory

    @property
    def memory_of_all_replicas(self) -> int:
        """Memory over all nodes."""
        return REPLICATION * self.memory

    @property
    def disk_of_all_replicas(self) -> int:
        """Disk over all nodes, with room for optimising."""
        return round(REPLICATION * self.disk * DISK_ROOM)


def needs(shots: int, dims: Mapping[str, int]) -> Needs:
    """Return what so many shots take that have a vector in every space: the upper bound.

    Nodes are the smallest of `NODE_GIB` that hold it on `FEWEST_NODES`, and more of the largest
    where those do not.
    """
    numbers = sum(dims.values())
    parts = {
        "float32": shots * numbers * FLOAT_BYTES,
        "int8": shots * (numbers * INT8_BYTES + len(dims) * INT8_EXTRA_BYTES),
        # Twice m at the lowest level, where every shot is, and as many again within a library.
        "links": shots * len(dims) * 2 * (2 * hnsw_m(shots)) * LINK_BYTES,
        "payload": shots * PAYLOAD_BYTES,
        "indexes": shots * len(PAYLOAD_INDEXES) * INDEXED_FIELD_BYTES,
        "lines": shots * LINE_TOKENS * TOKEN_BYTES,
    }
    resident = sum(parts[name] for name in ("int8", "links", "indexes", "lines"))
    nodes, node_gib = _nodes(REPLICATION * resident)
    return Needs(shots=shots, **parts, nodes=nodes, node_gib=node_gib)


def _nodes(resident: int) -> tuple[int, int]:
    """Return how many nodes of how much memory, in GiB, hold so many bytes."""
    wanted_gib = resident / (1 - WORKING_SHARE) / 2**30
    for size in NODE_GIB:
        if FEWEST_NODES * size >= wanted_gib:
            return FEWEST_NODES, size
    return math.ceil(wanted_gib / NODE_GIB[-1]), NODE_GIB[-1]


def hnsw_m(shots: int) -> int:
    """Return the links of a shot in a graph of so many."""
    return HNSW_M if shots < LARGE_FROM else HNSW_M_LARGE


def requests(shots: int, schema: Schema) -> list[dict[str, Any]]:
    """Return what makes the collection, as `{"request": "PUT /...", "body": {...}}`, in order.

    The collection has the name that Trimbin looks for, so that `QDRANT_URL` is all it needs.
    """
    name = collection_name(schema.version)
    sent = [
        (f"PUT /collections/{name}", collection(shots, schema.dims)),
        *((f"PUT /collections/{name}/index", index) for index in indexes()),
        ("POST /collections/aliases", alias(name)),
    ]
    return [
        {"request": request, "body": body.model_dump(mode="json", exclude_none=True)}
        for request, body in sent
    ]


def collection(shots: int, dims: Mapping[str, int]) -> models.CreateCollection:
    """Return the collection's parameters; `dims` are the numbers in a vector of each space."""
    dense = {
        space: models.VectorParams(
            size=dim, distance=models.Distance.COSINE, memory=models.Memory.COLD
        )
        for space, dim in dims.items()
    }
    m = hnsw_m(shots)
    return models.CreateCollection(
        vectors=dense,
        sparse_vectors={LINE: models.SparseVectorParams(modifier=models.Modifier.IDF)},
        shard_number=SHARDS,
        replication_factor=REPLICATION,
        write_consistency_factor=1,
        hnsw_config=models.HnswConfigDiff(m=m, ef_construct=HNSW_EF_CONSTRUCT, payload_m=m),
        quantization_config=models.ScalarQuantization(
            scalar=models.ScalarQuantizationConfig(
                type=models.ScalarType.INT8, quantile=QUANTILE, memory=models.Memory.PINNED
            )
        ),
        strict_mode_config=models.StrictModeConfig(
            enabled=True,
            max_query_limit=MAX_QUERY,
            upsert_max_batchsize=MAX_UPSERT,
            unindexed_filtering_retrieve=False,
            unindexed_filtering_update=False,
        ),
    )


def indexes() -> list[models.CreateFieldIndex]:
    """Return the payload indexes, which are to be made before any shot comes: keywords first.

    `library_id` is the tenant: a library's shots lie together.
    """
    tenant = models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, is_tenant=True)
    fields = sorted(PAYLOAD_INDEXES.items(), key=lambda item: item[1] != "keyword")
    return [
        models.CreateFieldIndex(
            field_name=name,
            field_schema=tenant if name == "library_id" else models.PayloadSchemaType(kind),
        )
        for name, kind in fields
    ]


def alias(name: str) -> models.ChangeAliasesOperation:
    """Return what gives a collection its other name."""
    named = models.CreateAlias(collection_name=name, alias_name=ALIAS)
    return models.ChangeAliasesOperation(actions=[models.CreateAliasOperation(create_alias=named)])


def search_params() -> dict[str, Any]:
    """Return how a dense space of it is best searched."""
    again = models.QuantizationSearchParams(rescore=True, oversampling=OVERSAMPLING)
    params = models.SearchParams(hnsw_ef=SEARCH_EF, quantization=again)
    return params.model_dump(mode="json", exclude_none=True)
