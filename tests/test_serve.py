"""`trimbin serve` in a process of its own, and `trimbin search --server`, which asks it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from harness import run_trimbin

from app.moment import Moment, Source
from app.remote import answer_of, ask
from app.search import Answer
from qdrant.errors import CannotRunNow, InputError, UsageError

TOKEN = "a-token-that-nobody-guesses"
QUESTION = ("a cat", "--top", "3", "--floor", "0.2")
DIALS = {"top": 3, "title": None, "before": 0.9}


def start(root: Path, *options: str) -> tuple[subprocess.Popen[str], str]:
    """Start a server on a free port; return it and its address, which it prints first."""
    command = [sys.executable, "-m", "app", "serve", "--library", str(root), "--port", "0"]
    server = subprocess.Popen(
        [*command, *options],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TRIMBIN_TOKEN": TOKEN, "PYTHONUNBUFFERED": "1"},
    )
    assert server.stdout is not None
    words = server.stdout.readline().split()
    return server, next((word for word in words if word.startswith("http://")), "")


@pytest.fixture(scope="module")
def here(reel_library: Path) -> tuple[str, str]:
    """What the command line says of a library it opens itself, as text and as JSON."""
    asked = ("search", *QUESTION, "--library", reel_library)
    return run_trimbin(*asked), run_trimbin(*asked, "--json")


@pytest.fixture(scope="module")
def server(here: tuple[str, str], reel_library: Path) -> Iterator[str]:
    process, address = start(reel_library)
    with process:
        yield address
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) == 0
        assert process.stdout is not None
        assert "TRIMBIN_TOKEN" in process.stdout.read()


def test_the_answer_is_the_same_from_a_server(
    server: str, here: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    as_text, as_json = here
    assert "Photographs" in as_text
    assert run_trimbin("search", *QUESTION, "--server", server, "--token", TOKEN) == as_text
    monkeypatch.setenv("TRIMBIN_SERVER", server)
    monkeypatch.setenv("TRIMBIN_TOKEN", TOKEN)
    there, opened = json.loads(run_trimbin("search", *QUESTION, "--json")), json.loads(as_json)
    there.pop("took_ms")
    opened.pop("took_ms")
    assert there == opened


def test_a_file_of_ours_is_sent_along(server: str, reel_library: Path) -> None:
    film = reel_library.parent / "films" / "Photographs.mp4"
    reply = ask(server, f'clip:"{film}"@4-6', token=TOKEN, dials={"top": 1})
    assert [hit["start_s"] for hit in reply["hits"]] == [4.0]
    assert reply["query"] == 'clip:"Photographs.mp4"@4-6'


def test_what_a_server_refuses_is_told_as_it_says(server: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="wants its token"):
        ask(server, "a cat", dials=DIALS)
    with pytest.raises(UsageError, match="Nothing here has a field `nothing`"):
        ask(server, "nothing:here", token=TOKEN, dials=DIALS)
    (tmp_path / "words.mp4").write_text("just words")
    with pytest.raises(UsageError, match=r"^words\.mp4 is not a film"):
        ask(server, f"clip:{tmp_path}/words.mp4", token=TOKEN, dials=DIALS)


def test_what_cannot_be_asked_is_told_before_it_is() -> None:
    with pytest.raises(UsageError, match="is no address of a server"):
        ask("localhost:8600", "a cat", dials=DIALS)
    with pytest.raises(UsageError, match="one file at a time"):
        ask("http://127.0.0.1:1", "clip:a.mp4 image:b.png", dials=DIALS)
    with pytest.raises(InputError, match=r"There is no file nowhere\.mp4"):
        ask("http://127.0.0.1:1", "clip:nowhere.mp4", dials=DIALS)
    with pytest.raises(CannotRunNow, match="Start one there with `trimbin serve`"):
        ask("http://127.0.0.1:1", "a cat", dials=DIALS)


@pytest.mark.parametrize(
    "status, body", [(200, b"<html>"), (404, b"{}"), (200, b"[]"), (502, b'"bad gateway"')]
)
def test_another_server_is_told_from_ours(status: int, body: bytes) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(status, content=body))
    with pytest.raises(CannotRunNow, match=rf"not as a Trimbin server does \(HTTP {status}\)"):
        ask("http://edit.example", "a cat", dials=DIALS, transport=transport)


def test_an_answer_comes_back_whole_from_its_json() -> None:
    moment = Moment(
        hit_id="x:0-48", title_id="x", title="X", path="/x.mp4", shots=(0, 1), start_frame=0,
        end_frame=48, rate="24/1", start_s=0.0, end_s=2.0, start_tc=None, end_tc=None, score=0.5,
        why={"video": 1.0, "line": None}, sources=(Source("line", "Go.", 0.5),), dialogue="Go.",
        best_shot=0, steps=((0, 24), (24, 48)), repeats=1,
    )  # fmt: skip
    answer = Answer("go", (moment,), (moment,), ("A note.",), 7)
    said = json.loads(json.dumps(answer.to_json()))
    said["hits"][0]["of_a_later_version"] = True
    assert answer_of(said) == answer


def test_a_library_that_is_not_there_is_not_served(tmp_path: Path) -> None:
    run_trimbin("serve", "--library", tmp_path / "nowhere", "--port", "0", expect=2)
