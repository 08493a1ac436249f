"""What a server can do to us, and the one sentence each time. Requests go through httpx."""

from __future__ import annotations

import httpx
import pytest

from qdrant.errors import StoreUnavailable
from qdrant.schema import PAYLOAD_INDEXES
from qdrant.server import ServerBackend

URL = "http://qdrant.example:6333"


def backend_that_meets(*answers):
    """Return a backend whose requests meet these answers in turn, the last one for ever after."""
    seen = []

    def answer(request):
        reply = answers[min(len(seen), len(answers) - 1)]
        seen.append(request)
        if isinstance(reply, Exception):
            raise reply
        return reply

    backend = ServerBackend(
        URL,
        collection="trimbin_v1",
        api_key="sesame",
        transport=httpx.MockTransport(answer),
        backoff_s=(0.001, 0.002, 0.003),
    )
    return backend, seen


def counted(number):
    return httpx.Response(200, json={"time": 0, "status": "ok", "result": {"count": number}})


def refused(status, **headers):
    return httpx.Response(status, json={"status": {"error": "because"}}, headers=headers)


def test_a_request_carries_the_key_and_names_the_collection():
    backend, seen = backend_that_meets(counted(7))

    assert backend.count(None) == 7
    assert seen[0].url.path == "/collections/trimbin_v1/points/count"
    assert seen[0].headers["api-key"] == "sesame"


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_asked_again(status):
    backend, seen = backend_that_meets(refused(status), refused(status), counted(7))

    assert backend.count(None) == 7
    assert len(seen) == 3


def test_a_server_says_how_long_to_wait():
    backend, seen = backend_that_meets(refused(429, **{"retry-after": "0"}), counted(7))

    assert backend.count(None) == 7
    assert len(seen) == 2


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_stays_busy_is_given_up(status):
    backend, seen = backend_that_meets(refused(status))

    with pytest.raises(StoreUnavailable, match=f"{URL} is too busy.*over up to 4 attempts"):
        backend.count(None)
    assert len(seen) == 4


@pytest.mark.parametrize("retry_after", ["3600", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_nobody_waits_for_an_hour(retry_after):
    backend, seen = backend_that_meets(refused(429, **{"retry-after": retry_after}))

    with pytest.raises(StoreUnavailable, match="too busy"):
        backend.count(None)
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (httpx.ConnectError("Connection refused"), "no connection .Connection refused.*QDRANT_URL"),
        (httpx.ReadTimeout("slow"), "did not answer within 30 s"),
        (httpx.RemoteProtocolError("hung up"), "no connection"),
        (httpx.Response(200, text="<html>"), "could not be read"),
        (refused(401), "refused the key .401.*QDRANT_API_KEY"),
        (refused(403), "refused the key"),
        (refused(404), "no collection trimbin_v1"),
        (refused(500), "failed with 500 .*because.*look at its log"),
    ],
)
def test_every_failure_is_one_sentence_naming_the_server(answer, message):
    backend, seen = backend_that_meets(answer)

    with pytest.raises(StoreUnavailable, match=message) as raised:
        backend.count(None)
    assert URL in str(raised.value)
    assert raised.value.__cause__ is not None
    assert len(seen) == 1


def test_a_collection_of_other_lengths_is_refused(schema):
    def answer(request):
        if request.url.path.endswith("/exists"):
            return ok({"exists": True})
        return ok(collection_info({"video": 9}))

    backend = ServerBackend(
        URL, collection="trimbin_v1", transport=httpx.MockTransport(answer), backoff_s=()
    )
    with pytest.raises(StoreUnavailable, match=r"lengths \{'video': 9\}.*'video': 8"):
        backend.ensure(schema)


def test_a_new_collection_is_indexed_before_anything_is_written(schema):
    requests = []

    def answer(request):
        requests.append((request.method, request.url.path))
        if request.url.path.endswith("/exists"):
            return ok({"exists": False})
        if request.method == "GET":
            return ok(collection_info(schema.dims))
        return ok(
            {"operation_id": 0, "status": "completed"} if "index" in str(request.url) else True
        )

    backend = ServerBackend(
        URL, collection="trimbin_v1", transport=httpx.MockTransport(answer), backoff_s=()
    )
    backend.ensure(schema)

    writes = [path for method, path in requests if method == "PUT"]
    assert writes[0] == "/collections/trimbin_v1"
    assert set(writes[1:]) == {"/collections/trimbin_v1/index"}
    assert len(writes) == 1 + len(PAYLOAD_INDEXES)


def ok(result):
    return httpx.Response(200, json={"time": 0, "status": "ok", "result": result})


def collection_info(dims):
    vectors = {space: {"size": dim, "distance": "Cosine"} for space, dim in dims.items()}
    hnsw = {"m": 16, "ef_construct": 100, "full_scan_threshold": 10000}
    optimizers = {
        "deleted_threshold": 0.2,
        "vacuum_min_vector_number": 1000,
        "default_segment_number": 0,
        "flush_interval_sec": 5,
    }
    return {
        "status": "green",
        "optimizer_status": "ok",
        "segments_count": 1,
        "config": {
            "params": {"vectors": vectors},
            "hnsw_config": hnsw,
            "optimizer_config": optimizers,
        },
        "payload_schema": {},
    }
