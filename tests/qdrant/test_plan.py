"""The plan of a server: its requests are ones that Qdrant's own models take, its sums are right."""

from fractions import Fraction

import pytest
from qdrant_client import QdrantClient, models

from qdrant import plan
from qdrant.schema import LINE, PAYLOAD_INDEXES, Schema
from qdrant.server import collection_name

DIMS = {"video": 4, "text": 3}
SCHEMA = Schema("test-1", DIMS)


def test_the_requests_are_read_back_by_qdrants_models() -> None:
    made, *indexes, alias = plan.requests(10_000_000, SCHEMA)
    assert made["request"] == f"PUT /collections/{collection_name('test-1')}"
    assert models.CreateCollection(**made["body"]) == plan.collection(10_000_000, DIMS)
    read = [models.CreateFieldIndex(**index["body"]) for index in indexes]
    assert read == plan.indexes()
    assert alias["request"] == "POST /collections/aliases"
    [action] = models.ChangeAliasesOperation(**alias["body"]).actions
    assert isinstance(action, models.CreateAliasOperation)
    assert action.create_alias.collection_name == collection_name("test-1")


def test_every_payload_field_is_indexed_keywords_first_and_the_library_is_the_tenant() -> None:
    indexes = {index.field_name: index.field_schema for index in plan.indexes()}
    assert indexes.keys() == PAYLOAD_INDEXES.keys()
    kinds = [PAYLOAD_INDEXES[name] == "keyword" for name in indexes]
    assert kinds == sorted(kinds, reverse=True)
    tenant = indexes["library_id"]
    assert isinstance(tenant, models.KeywordIndexParams) and tenant.is_tenant


def test_a_client_makes_the_collection_with_our_spaces() -> None:
    wanted = plan.collection(1000, DIMS)
    assert wanted.sparse_vectors is not None
    client = QdrantClient(":memory:")
    client.create_collection(
        "shots", vectors_config=wanted.vectors, sparse_vectors_config=wanted.sparse_vectors
    )
    params = client.get_collection("shots").config.params
    assert isinstance(params.vectors, dict) and params.sparse_vectors is not None
    assert {space: vector.size for space, vector in params.vectors.items()} == DIMS
    assert params.sparse_vectors[LINE].modifier is models.Modifier.IDF
    client.close()


def test_what_is_searched_is_pinned_and_what_is_only_read_again_is_cold() -> None:
    made = plan.collection(10_000_000, DIMS)
    assert isinstance(made.vectors, dict)
    assert {vector.memory for vector in made.vectors.values()} == {models.Memory.COLD}
    assert isinstance(made.quantization_config, models.ScalarQuantization)
    assert made.quantization_config.scalar.memory is models.Memory.PINNED
    assert (made.shard_number, made.replication_factor) == (6, 2)
    assert made.strict_mode_config is not None and made.strict_mode_config.enabled


def test_the_arithmetic_by_hand() -> None:
    size = plan.needs(1000, DIMS)
    assert size.float32 == 1000 * 7 * 4
    assert size.int8 == 1000 * (7 + 2 * 4)
    assert size.links == 1000 * 2 * (16 * 4) * 4
    assert size.memory == size.int8 + size.links + size.indexes + size.lines
    assert size.disk == size.memory + size.float32 + size.payload
    assert size.memory_of_all_replicas == 2 * size.memory
    assert size.disk_of_all_replicas == 2 * 2 * size.disk


def test_the_published_figure_for_ten_million() -> None:
    size = plan.needs(10_000_000, {"fused": 2304})
    assert round(size.float32 / 10**9) == 92
    assert round(size.int8 / 10**9) == 23


@pytest.mark.parametrize("shots", [1, 250_000, 10_000_000, 80_000_000, 10**9])
def test_the_nodes_hold_all_replicas_with_room_to_work(shots: int) -> None:
    size = plan.needs(shots, {"video": 768, "context": 4608})
    usable = size.nodes * size.node_gib * 2**30 * (1 - Fraction(plan.WORKING_SHARE))
    assert usable >= size.memory_of_all_replicas
    assert size.nodes >= plan.FEWEST_NODES
    smaller = [gib for gib in plan.NODE_GIB if gib < size.node_gib]
    if smaller and size.nodes == plan.FEWEST_NODES:
        usable = size.nodes * smaller[-1] * 2**30 * (1 - Fraction(plan.WORKING_SHARE))
        assert usable < size.memory_of_all_replicas
