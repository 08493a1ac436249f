"""A fourth profile, written by a user: words through an OpenAI-compatible server of one's own."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reel import COINS, LINE, SHOT_FRAMES, make_reel

KEY = "sk-only-in-the-environment"
DIM = 64
PROFILE = """
name = "house"
description = "Words alone, from a server in the house."
confidence_floor = 0.2
[encoders.text]
kind = "openai"
dim = 64
languages = ["en"]
[encoders.text.settings]
model = "bag-of-words"
[endpoint]
url = "{url}"
api_key_env = "HOUSE_KEY"
usd_per_million_tokens = 2.0
[ranking.text]
floor = 0.2
ceiling = 1.0
[ranking.line]
floor = 0.1
ceiling = 0.9
half = 5.0
"""


@dataclass
class House:
    """A server of embeddings: each word has a place, so texts that share words are near."""

    url: str = ""
    asked: list[str] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)


def bag_of_words(text: str) -> np.ndarray[Any, np.dtype[np.float32]]:
    places = [zlib.crc32(word.encode()) % DIM for word in re.findall(r"\w+", text.lower())]
    return np.bincount(places, minlength=DIM).astype(np.float32)


@pytest.fixture
def house() -> Iterator[House]:
    told = House()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            told.asked += request["input"]
            told.keys.add(self.headers["Authorization"])
            assert (request["model"], request["dimensions"]) == ("bag-of-words", DIM)
            vectors = [bag_of_words(text) for text in request["input"]]
            coded = request.get("encoding_format") == "base64"
            data = [
                {
                    "object": "embedding",
                    "index": place,
                    "embedding": base64.b64encode(v.tobytes()).decode() if coded else v.tolist(),
                }
                for place, v in enumerate(vectors)
            ]
            usage = {"prompt_tokens": 1, "total_tokens": 1}
            body = {"object": "list", "model": "bag-of-words", "data": data, "usage": usage}
            content = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Stay silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        told.url = f"http://127.0.0.1:{server.server_port}/v1"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield told
        server.shutdown()
        thread.join()


def trimbin(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "app", *map(str, arguments)],
        capture_output=True, text=True, timeout=120, check=False,
        env={**os.environ, "HOUSE_KEY": KEY},
    )  # fmt: skip


def test_dialogue_is_sent_after_consent_paid_for_once_and_found(
    house: House, tmp_path: Path
) -> None:
    make_reel(tmp_path / "films")
    (tmp_path / "house.toml").write_text(PROFILE.format(url=house.url))
    library = tmp_path / "library"
    command = ("index", tmp_path / "films", "--library", library)

    refused = trimbin(*command, "--profile", tmp_path / "house.toml")
    assert refused.returncode == 3
    assert house.url in refused.stderr
    assert "--allow-endpoint" in refused.stderr
    assert house.asked == []

    indexed = trimbin(*command, "--allow-endpoint")
    assert indexed.returncode == 0, indexed.stderr
    assert house.url in indexed.stderr
    assert re.search(r"about [\d,]+ tokens of dialogue: about \$0\.\d+", indexed.stderr)
    assert LINE in house.asked
    assert house.keys == {f"Bearer {KEY}"}
    sent = len(house.asked)

    found = trimbin("search", "the lighthouse keeper", "--json", "--library", library)
    hit = json.loads(found.stdout)["hits"][0]
    assert hit["start_frame"] == COINS * SHOT_FRAMES
    assert hit["why"]["text"] > 0
    assert hit["why"]["video"] is None
    trimbin("search", "the lighthouse keeper", "--library", library)
    assert house.asked[sent:] == ["the lighthouse keeper"]  # the second time it is remembered

    for path in library.rglob("*"):
        assert not path.is_file() or KEY.encode() not in path.read_bytes(), path
