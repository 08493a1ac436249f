"""The API on the reel's library: answers like the command line's, and a sentence for all else."""

import json
import shutil
import struct
import threading
import time
import uuid
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import av
import cv2
import pytest
from harness import run_trimbin
from reel import CAT, LINE, LINE_SHOT, ROCKET, SHOT_FRAMES, photograph
from starlette.testclient import TestClient

from app.api import make_api
from app.api_forms import SHOT_COLUMNS
from app.hosting import allowed_hosts
from app.opened import Opened
from indexer.library import Library

HOSTS = allowed_hosts("127.0.0.1")
HERE = "http://127.0.0.1"
TOKEN = "a-token-that-nobody-guesses"
NOBODY = "7d6f7c1e-0000-4000-8000-00000000dead"  # a title id that no library has


def client_of(root: Path, **how: Any) -> TestClient:
    held = Opened(lambda: root, command="trimbin serve")
    return TestClient(make_api(held, hosts=HOSTS, **how), base_url=HERE)


@pytest.fixture(scope="module")
def client(reel_library: Path) -> Iterator[TestClient]:
    with client_of(reel_library) as client:
        yield client


@pytest.fixture(scope="module")
def title_id(reel_library: Path) -> str:
    [manifest] = Library.open(reel_library).titles()
    return manifest.title_id


@pytest.fixture(scope="module")
def film(reel_library: Path) -> Path:
    return reel_library.parent / "films" / "Photographs.mp4"


def error_of(reply: Any, status: int) -> str:
    """Return the sentence of a refusal, which holds nothing else."""
    assert reply.status_code == status, reply.text
    [(name, sentence)] = reply.json().items()
    assert name == "error" and sentence.endswith(".") and "\n" not in sentence
    return str(sentence)


def first_frames(reply: Any) -> list[int]:
    assert reply.status_code == 200, reply.text
    return [hit["start_frame"] for hit in reply.json()["hits"]]


@pytest.mark.parametrize(
    "query, options",
    [
        ("a cat", ["--top", "3"]),
        ("lighthouse keeper", ["--before", "0.9", "--title", "Photographs"]),
        ("a cup of coffee >> a rocket", ["--floor", "0.1", "--variety", "0.5", "--per-title", "1"]),
    ],
)
def test_the_answer_is_the_command_lines(
    query: str, options: list[str], client: TestClient, reel_library: Path
) -> None:
    told = run_trimbin("search", query, "--library", reel_library, "--json", *options)
    names = [name.removeprefix("--").replace("-", "_") for name in options[::2]]
    dials = dict(zip(names, options[1::2], strict=True))
    expected = json.loads(told)
    got = client.get("/search", params={"query": query, **dials}).json()
    at_length = client.post("/search", json={"query": query, **dials}).json()
    assert expected["hits"]
    for answer in (got, at_length, expected):
        answer.pop("took_ms")
    assert got == at_length == expected


def test_titles_are_listed_and_told_without_how_they_are_kept(
    client: TestClient, title_id: str
) -> None:
    [listed] = client.get("/titles").json()
    told = client.get(f"/titles/{title_id}").json()
    shots = told.pop("shots")
    assert listed == told
    assert (told["title"], told["num_shots"]) == ("Photographs", len(shots))
    assert not {"content_hash", "inputs", "spaces", "generation", "choices"} & told.keys()
    shot = shots[LINE_SHOT]
    assert shot["dialogue"] == LINE
    assert (shot["start_frame"], shot["end_frame"]) == (
        LINE_SHOT * SHOT_FRAMES, (LINE_SHOT + 1) * SHOT_FRAMES,
    )  # fmt: skip
    assert (shot["start_tc"], shot["end_tc"]) == ("00:00:06:00", "00:00:08:00")
    assert set(SHOT_COLUMNS) <= shot.keys()
    picture = client.get(shot["thumbnail"])
    assert (picture.status_code, picture.content[:3]) == (200, b"\xff\xd8\xff")


def test_media_come_by_range(client: TestClient, title_id: str, film: Path) -> None:
    part = client.get(f"/titles/{title_id}/media", headers={"Range": "bytes=4-11"})
    assert (part.status_code, part.content) == (206, film.read_bytes()[4:12])
    head = client.head(f"/titles/{title_id}/media")
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) == film.stat().st_size
    preview = client.get(f"/titles/{title_id}/preview", params={"start": 1, "end": 2})
    assert (preview.status_code, preview.content[4:8]) == (200, b"ftyp")


@pytest.mark.parametrize(
    "address",
    [
        "/nowhere",
        "/titles/not-a-title",
        f"/titles/{NOBODY}",
        f"/titles/{NOBODY}/media",
        f"/titles/{NOBODY}/shots/0/thumbnail",
        "/titles/..%2F..%2Ftrimbin.toml/media",
    ],
)
def test_what_is_not_there_is_a_sentence(address: str, client: TestClient) -> None:
    error_of(client.get(address), 404)


@pytest.mark.parametrize(
    "dials, about",
    [
        ({"top": 1001}, "`top`"),
        ({"top": "many"}, "`top`"),
        ({"before": "nan"}, "`before`"),
        ({"variety": 2}, "`variety`"),
        ({"tpo": 3}, "`tpo`"),
    ],
)
def test_a_dial_out_of_range_is_a_sentence(
    dials: dict[str, Any], about: str, client: TestClient
) -> None:
    assert error_of(client.get("/search", params={"query": "cat", **dials}), 422).startswith(about)
    assert error_of(client.post("/search", json={"query": "cat", **dials}), 422).startswith(about)


HOSTILE = (
    "", " ", '"', '"\\', "\\", "\x00", 'title:"\x00"', "&", "cat &", ">>", "cat >>", "- -", "-()",
    "position:1e999..", "position:0.9..0.1", "year:²", "nothing:here", "like:Nobody", "unlike:x",
    "like:Photographs@99999999999f", "like:Photographs@00:00:01:99", "like:Photographs@1-", "-cat",
    "cat >>" + "9" * 400 + "s dog", " >> ".join(["cat"] * 8), " >> ".join(["cat"] * 9),
    "a" * 20_000, "a " * 10_000, '"' + "x " * 9_000, "\u202e", "🦊" * 3_000,
    "like:Photographs " * 150, "cat " * 201 + "&" * 3, "path:/etc/passwd", "generation:x",
    "loudness:-1e308..1e308",
)  # fmt: skip


@pytest.mark.parametrize("query", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_question_is_answered_or_refused(query: str, client: TestClient) -> None:
    reply = client.post("/search", json={"query": query})
    if reply.status_code != 200:
        error_of(reply, 400)


def test_a_question_that_is_too_long_or_no_text_is_refused(client: TestClient) -> None:
    assert "20000" in error_of(client.post("/search", json={"query": "a" * 20_001}), 422)
    as_json = {"Content-Type": "application/json"}
    for body in (b'{"query": "\\ud800"}', b'{"query": 7}', b"{", b"[]", b""):
        error_of(client.post("/search", content=body, headers=as_json), 422)
    error_of(client.post("/search", json={"query": "a" * 2**20}), 413)
    error_of(client.post("/search", content=(b"a" * 2**18 for _ in range(5)), headers=as_json), 413)
    sent = {"file": ("large.png", b"a" * (64 * 2**20 + 1))}
    error_of(client.post("/search/image", files=sent), 413)


@pytest.mark.parametrize("query", ["clip:{}", "image:{}", "-clip:{}", 'cat >> clip:"{}"@0-1'])
def test_no_file_is_opened_because_a_question_names_it(
    query: str, client: TestClient, film: Path
) -> None:
    for path in (film, "/etc/passwd", "/nowhere"):
        reply = client.post("/search", json={"query": query.format(path)})
        assert error_of(reply, 403).startswith("This server opens no file")


def test_files_are_reached_in_the_shared_folder_alone(
    reel_library: Path, film: Path, tmp_path: Path
) -> None:
    shared = tmp_path / "shared"
    (shared / "reels").mkdir(parents=True)
    shutil.copy(film, shared / "reels" / "reel.mp4")
    shutil.copy(film, tmp_path / "private.mp4")
    (shared / "leads out.mp4").symlink_to(tmp_path / "private.mp4")
    (shared / "loop.mp4").symlink_to(shared / "loop.mp4")
    with client_of(reel_library, shared=shared) as client:
        reply = client.get("/search", params={"query": "clip:reels/reel.mp4@4-6", "top": 1})
        assert first_frames(reply) == [ROCKET * SHOT_FRAMES]
        assert reply.json()["query"] == 'clip:"reels/reel.mp4"@4-6'
        for path in ("../private.mp4", "leads out.mp4", "loop.mp4", "reels", "/etc/passwd", film,
                     "nowhere.mp4", "a\0b", "x" * 5_000):  # fmt: skip
            refused = client.post("/search", json={"query": f'clip:"{path}"'})
            assert "There is no file" in error_of(refused, 403)
        (shared / "words.mp4").write_text("just words")
        unread = client.get("/search", params={"query": "clip:words.mp4"})
        assert error_of(unread, 400).startswith("words.mp4 is not a film")


def test_a_clip_that_is_sent_along_is_compared(client: TestClient, film: Path) -> None:
    with film.open("rb") as stream:
        sent = {"file": ("../My reel.mp4", stream)}
        query = 'clip:"../My reel.mp4"@4-6 position:0.1..'
        reply = client.post("/search/clip", params={"query": query, "top": 1}, files=sent)
    assert first_frames(reply) == [ROCKET * SHOT_FRAMES]
    assert reply.json()["query"] == 'clip:"../My reel.mp4"@4-6 position:0.1..'


def test_a_picture_that_is_sent_along_is_compared(client: TestClient) -> None:
    picture = cv2.imencode(".png", photograph("chelsea")[..., ::-1])[1].tobytes()
    for params in ({"top": 1}, {"top": 1, "query": "position:..0.9"}):
        reply = client.post("/search/image", params=params, files={"file": ("cat.png", picture)})
        assert first_frames(reply) == [CAT * SHOT_FRAMES]
        assert 'image:"cat.png"' in reply.json()["query"]


def png_claiming(side: int) -> bytes:
    """Return a small PNG that says it is `side` x `side` pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    lines = zlib.compress(b"\0" * 1_000_000)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", lines) + chunk(b"IEND", b"")
    )


def test_what_is_no_film_and_no_picture_is_refused_by_its_name(
    client: TestClient, film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    whole = film.read_bytes()
    playlist = f"#EXTM3U\n#EXTINF:5,\nfile://{film}\n#EXT-X-ENDLIST\n".encode()
    for kind, name, sent in (
        ("clip", "cut.mp4", whole[: len(whole) // 2]),
        ("clip", "words.mp4", b"just words\n" * 100),
        ("clip", "list.m3u8", playlist),
        ("clip", "empty.mp4", b""),
        ("image", "bomb.png", png_claiming(60_000)),
        ("image", "cut.png", png_claiming(900)[:500]),
        ("image", "film.png", whole),
        ("image", "empty.png", b""),
    ):
        told = error_of(client.post(f"/search/{kind}", files={"file": (name, sent)}), 400)
        assert name in told and str(tmp_path) not in told
    assert not list(tmp_path.iterdir())
    error_of(client.post("/search/clip"), 422)
    error_of(client.post("/search/clip", data={"file": "no file"}), 422)


def test_a_whole_evening_is_no_question(
    client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "evening.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_u8", rate=8000, layout="mono")
        for _ in range(11):
            frame = av.AudioFrame(format="u8", layout="mono", samples=8000 * 60)
            frame.sample_rate = 8000
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with path.open("rb") as file:
        told = error_of(client.post("/search/clip", files={"file": file}), 400)
    assert '`clip:"evening.wav"@1:10-1:20`' in told


def test_other_names_and_other_sites_pages_are_turned_away(client: TestClient) -> None:
    for address in ("/health", "/search?query=cat", "/docs"):
        error_of(client.get(address, headers={"Host": "rebound.example"}), 400)
        error_of(client.get(address, headers={"Sec-Fetch-Site": "cross-site"}), 403)
    assert client.get("/health", headers={"Host": "localhost:8600"}).status_code == 200


def test_a_token_is_wanted_where_there_is_one(reel_library: Path) -> None:
    with client_of(reel_library, token=TOKEN) as client:
        for shown in ("", TOKEN, f"Basic {TOKEN}", "Bearer", f"Bearer {TOKEN}x", "Bearer \xe9"):
            headers = {"Authorization": shown.encode("latin-1")}
            for address in ("/titles", "/search?query=cat", "/nowhere"):
                reply = client.get(address, headers=headers)
                error_of(reply, 401)
                assert reply.headers["www-authenticate"] == "Bearer"
        shown = {"Authorization": f"Bearer {TOKEN}"}
        assert client.get("/titles", headers=shown).status_code == 200
        for address in ("/health", "/docs", "/openapi.json"):
            assert client.get(address).status_code == 200


def test_the_documentation_names_every_address_and_loads_nothing(client: TestClient) -> None:
    schema = client.get("/openapi.json").json()
    page = client.get("/docs")
    assert {"/search", "/search/clip", "/search/image", "/titles", "/health"} <= set(
        schema["paths"]
    )
    assert all(path in page.text for path in schema["paths"])
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert "src=" not in page.text and "http" not in page.text.replace("<meta http-equiv", "")
    hit = schema["components"]["schemas"]["Hit"]["properties"]
    found = client.get("/search?query=cat&top=1").json()["hits"][0]
    assert set(found) == set(hit)


def test_health_waits_for_no_search(reel_library: Path) -> None:
    held = Opened(lambda: reel_library, command="trimbin serve")
    with (
        TestClient(make_api(held, hosts=HOSTS), base_url=HERE) as client,
        ThreadPoolExecutor(1) as pool,
    ):
        with held._turn:  # a search that takes long
            search = pool.submit(client.get, "/search", params={"query": "a cat"})
            assert client.get("/health").json()["status"] in ("ok", "starting")
            assert not search.done()
        assert search.result().status_code == 200
        assert client.get("/health").json() == {"status": "ok", "warm": True}


def test_two_ask_at_once_while_a_title_is_published(reel_library: Path, tmp_path: Path) -> None:
    root = tmp_path / "library"
    shutil.copytree(reel_library, root, ignore=shutil.ignore_patterns("qdrant"))
    done = threading.Event()

    def ask_on(client: TestClient) -> int:
        asked = 0
        while not done.is_set():
            assert CAT * SHOT_FRAMES in first_frames(client.get("/search?query=a+cat"))
            asked += 1
        return asked

    with client_of(root) as client, ThreadPoolExecutor(2) as pool:
        while not client.get("/search?query=a+cat").json()["hits"]:
            time.sleep(0.1)
        asking = [pool.submit(ask_on, client) for _ in range(2)]
        try:
            put_again(root, title="Copy")
            deadline = time.monotonic() + 30
            copy = {"query": "a cat", "title": "Copy"}
            while not client.get("/search", params=copy).json()["hits"]:
                assert time.monotonic() < deadline, "the title never appeared"
        finally:
            done.set()
        assert all(each.result() for each in asking)


def put_again(root: Path, *, title: str) -> None:
    """Put the library's one title into it once more, under another id and name."""
    [folder] = (root / "titles").iterdir()
    other = folder.with_name(str(uuid.uuid4()))
    shutil.copytree(folder, other, ignore=shutil.ignore_patterns("manifest.json"))
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest |= {"title_id": other.name, "title": title, "generation": "again"}
    part = other / "manifest.part"
    part.write_text(json.dumps(manifest))
    part.rename(other / "manifest.json")


def test_a_closed_library_cannot_answer_now(reel_library: Path) -> None:
    held = Opened(lambda: reel_library, command="trimbin serve")
    client = TestClient(make_api(held, hosts=HOSTS), base_url=HERE)
    held.close()
    assert "trimbin serve" in error_of(client.get("/search?query=cat"), 503)
