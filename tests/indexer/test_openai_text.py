"""The embeddings endpoint, spoken to through a transport that answers as it was seen to."""

import json
import sqlite3
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from indexer.encoders import endpoint as endpoint_module
from indexer.encoders.endpoint import EndpointText, batches, estimate_tokens
from indexer.encoders.protocol import Priced
from indexer.profiles import EncoderSpec, Endpoint
from qdrant.errors import CannotRunNow, WeightsUnavailable

KEY = "sk-proj-never-to-be-seen"
ENDPOINT = Endpoint("http://127.0.0.1:9/v1", "TRIMBIN_TEST_KEY", 0.13)
DIM = 4


@dataclass
class Server:
    """Answers requests and remembers them; `script` holds answers to give before good ones."""

    script: list[Callable[[], httpx.Response]] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    dim: int = DIM

    def __call__(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        self.asked.append({**body, "authorization": request.headers["authorization"]})
        if self.script:
            return self.script.pop(0)()
        rows = [
            {"object": "embedding", "index": n, "embedding": [len(text)] + [1.0] * (self.dim - 1)}
            for n, text in enumerate(body["input"])
        ]
        usage = {"prompt_tokens": 5, "total_tokens": 5}
        return httpx.Response(
            200, json={"object": "list", "data": rows, "model": body["model"], "usage": usage}
        )


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    monkeypatch.setenv(ENDPOINT.api_key_env, KEY)
    return Server()


def encoder_of(server: Server, folder: Path, *, url: str = ENDPOINT.url) -> EndpointText:
    return EndpointText(
        EncoderSpec("openai", DIM, {"model": "text-embedding-3-large"}),
        endpoint=Endpoint(url, ENDPOINT.api_key_env, ENDPOINT.usd_per_million_tokens),
        cache_dir=folder,
        http_client=httpx.Client(transport=httpx.MockTransport(server)),
    )


def too_many() -> httpx.Response:
    return httpx.Response(429, headers={"retry-after-ms": "1"}, json={"error": {"message": "slow"}})


def test_the_request_is_what_the_profile_says(server: Server, tmp_path: Path) -> None:
    vectors = encoder_of(server, tmp_path).encode(["abc", None, "abc"])
    (asked,) = server.asked
    assert asked["input"] == ["abc"]
    assert (asked["model"], asked["dimensions"]) == ("text-embedding-3-large", DIM)
    assert asked["authorization"] == f"Bearer {KEY}"
    np.testing.assert_allclose(vectors[0], np.array([3, 1, 1, 1]) / np.sqrt(12), atol=1e-6)
    np.testing.assert_array_equal(vectors[0], vectors[2])


def test_what_is_on_disk_is_not_asked_for_again(server: Server, tmp_path: Path) -> None:
    first = encoder_of(server, tmp_path).encode(["one", "three"])
    again = encoder_of(server, tmp_path).encode(["three", "one", "eleven"])
    assert [request["input"] for request in server.asked] == [["one", "three"], ["eleven"]]
    np.testing.assert_array_equal(again[:2], first[::-1])


def test_another_endpoint_has_vectors_of_its_own(server: Server, tmp_path: Path) -> None:
    encoder_of(server, tmp_path).encode(["one"])
    encoder_of(server, tmp_path, url="http://127.0.0.1:10/v1").encode(["one"])
    assert len(server.asked) == 2


def test_too_many_requests_are_tried_again(server: Server, tmp_path: Path) -> None:
    server.script = [too_many, too_many]
    assert encoder_of(server, tmp_path).encode(["one"]).any()
    assert len(server.asked) == 3


def test_many_texts_go_in_batches(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint_module, "MAX_INPUTS", 3)
    texts = ["a" * n for n in range(1, 9)]
    vectors = encoder_of(server, tmp_path).encode(texts)
    assert [len(request["input"]) for request in server.asked] == [3, 3, 2]
    firsts = vectors[:, 0] / vectors[:, 1]
    np.testing.assert_allclose(firsts, range(1, 9), rtol=1e-5)


def test_batches_hold_no_more_tokens_than_a_request_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint_module, "MAX_TOKENS", 10)
    assert list(batches(["a" * 20, "b" * 20, "c" * 4, "d" * 400])) == [
        ["a" * 20, "b" * 20],
        ["c" * 4],
        ["d" * 400],
    ]


def test_a_failure_keeps_what_was_paid_for(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint_module, "MAX_INPUTS", 1)
    encoder = encoder_of(server, tmp_path)
    encoder.encode(["one"])
    server.script = [lambda: httpx.Response(400, json={"error": {"message": "bad"}})]
    with pytest.raises(CannotRunNow, match="answered 400"):
        encoder.encode(["one", "two"])
    assert encoder.estimate_cost(["one", "two"])[0] == 1


def test_the_cost_counts_only_what_would_be_asked_for(server: Server, tmp_path: Path) -> None:
    encoder = encoder_of(server, tmp_path)
    assert isinstance(encoder, Priced)
    texts = ["a" * 4000, "b" * 4000, "a" * 4000, ""]
    tokens, dollars = encoder.estimate_cost(texts)
    assert tokens == 2000
    assert dollars == pytest.approx(2000 * 0.13 / 1e6)
    encoder.encode(texts[:1])
    assert encoder.estimate_cost(texts)[0] == 1000
    encoder.encode(texts)
    assert encoder.estimate_cost(texts) == (0, 0.0)
    assert estimate_tokens("日本語") == 3  # nine bytes


def test_the_key_is_shown_and_stored_nowhere(server: Server, tmp_path: Path) -> None:
    encoder = encoder_of(server, tmp_path)
    encoder.encode(["one"])
    wrong = {"error": {"message": f"Incorrect API key provided: {KEY}", "code": "invalid_api_key"}}
    server.script = [lambda: httpx.Response(401, json=wrong)]
    with pytest.raises(CannotRunNow, match="does not accept the key") as refused:
        encoder.encode(["two"])
    told = "".join(traceback.format_exception(refused.value))
    assert KEY not in told + repr(encoder) + str(vars(encoder))
    assert all(KEY.encode() not in file.read_bytes() for file in tmp_path.rglob("*.*"))


def test_without_a_key_the_variable_is_named(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(ENDPOINT.api_key_env)
    encoder = encoder_of(server, tmp_path)
    spec = EncoderSpec("openai", DIM, {"model": "m"})
    assert ENDPOINT.api_key_env in (EndpointText.obstacle(spec, ENDPOINT) or "")
    with pytest.raises(WeightsUnavailable, match=ENDPOINT.api_key_env):
        encoder.encode(["one"])
    assert not encoder.encode([None, ""]).any()


def test_vectors_of_another_size_are_refused(server: Server, tmp_path: Path) -> None:
    server.dim = 3
    with pytest.raises(CannotRunNow, match="not 1 of 4 numbers"):
        encoder_of(server, tmp_path).encode(["one"])


def test_a_damaged_cache_is_put_aside(server: Server, tmp_path: Path) -> None:
    encoder_of(server, tmp_path).encode(["one"])
    (file,) = tmp_path.glob("*.sqlite3")
    file.write_bytes(b"not a database " * 100)
    assert encoder_of(server, tmp_path).encode(["one"]).any()
    assert len(server.asked) == 2
    assert file.with_suffix(".damaged").exists()
    with sqlite3.connect(file) as database:
        assert database.execute("SELECT count(*) FROM vectors").fetchone() == (1,)
    database.close()
