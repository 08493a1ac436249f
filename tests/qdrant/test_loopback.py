"""What the owner's address lets through: reads, by those who know the token, of a bounded size."""

from __future__ import annotations

import json
from http.client import HTTPConnection

import httpx
import pytest

from qdrant.loopback import MAX_BODY_BYTES, answers
from qdrant.server import collection_name

COLLECTION = f"/collections/{collection_name('v1')}"
POINTS = f"{COLLECTION}/points"
COUNT = {"exact": True}


@pytest.fixture
def card(library, open_library, shots_of):
    with open_library() as owner:
        owner.publish("alpha", "g1", shots_of("alpha", count=5))
        yield json.loads((library / "v1" / "owner.json").read_text())
        assert owner.count() == 5, "a reader has written"


@pytest.fixture
def address(card):
    with httpx.Client(
        base_url=card["url"], headers={"api-key": card["token"]}, trust_env=False
    ) as client:
        yield client


def test_a_reader_with_the_token_may_read(address):
    answer = address.post(f"{POINTS}/count", json=COUNT)
    assert (answer.status_code, answer.json()["result"]["count"]) == (200, 6)


@pytest.mark.parametrize("token", ["", "wrong", "é"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_without_the_token_there_is_nothing(address, token, method):
    headers = {"api-key": token.encode()}
    answer = address.request(method, f"{POINTS}/count", json=COUNT, headers=headers)
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", POINTS),
        ("PUT", COLLECTION),
        ("DELETE", COLLECTION),
        ("PATCH", COLLECTION),
    ],
)
def test_writing_is_forbidden(address, method, path):
    assert address.request(method, path, json={}).status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        f"{POINTS}/delete",
        f"{POINTS}/payload",
        "/collections/another/points/count",
        f"{POINTS}/../../../etc/passwd",
        "/",
    ],
)
def test_nothing_else_is_there(address, path):
    assert address.post(path, json=COUNT).status_code == 404


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/count", "not json"),
        ("/count", '{"unknown": 1}'),
        ("/count", '{"filter": {"must": [{"key": "a", "match": {"text": "b"}}]}}'),
        ("/count", '{"filter": {"should": [{"has_id": [1]}]}}'),
        ("/scroll", '{"limit": 1000000}'),
        ("/query/batch", '{"searches": [{"limit": 1000000}]}'),
        ("/query/batch", '{"searches": [{"limit": 3, "query": {"fusion": "rrf"}}]}'),
    ],
)
def test_what_is_not_understood_is_a_bad_request(address, path, body):
    answer = address.post(POINTS + path, content=body)
    assert answer.status_code == 400
    assert answer.json()["status"]["error"]


def test_a_request_too_large_is_not_read(card):
    connection = HTTPConnection("127.0.0.1", int(card["url"].rpartition(":")[2]), timeout=5)
    connection.putrequest("POST", f"{POINTS}/count")
    connection.putheader("api-key", card["token"])
    connection.putheader("content-length", str(MAX_BODY_BYTES + 1))
    connection.endheaders()
    assert connection.getresponse().status == 413  # before a byte of it was sent
    connection.close()


def test_it_answers_only_to_its_own_token(card):
    assert answers(card["url"], card["token"], timeout_s=2)
    assert not answers(card["url"], "wrong", timeout_s=2)
    assert not answers("http://127.0.0.1:1", card["token"], timeout_s=2)
