"""Films over HTTP: ranges, only what the library names, never anything else."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from shelf import PICTURE, add_title, make_film, make_library
from starlette.applications import Starlette
from starlette.testclient import TestClient

from app.serve_media import film_address, media_routes, proxy_address, thumbnail_address
from indexer.library import Library
from indexer.manifest import Manifest
from qdrant.errors import CannotRunNow

NOBODY = "7d6f7c1e-0000-4000-8000-00000000dead"  # a title id that no library has


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return make_library(tmp_path / "library")


@pytest.fixture
def film(library: Library, tmp_path: Path) -> Manifest:
    return add_title(library, make_film(tmp_path / "film.mp4", seconds=4))


@pytest.fixture
def client(library: Library) -> Iterator[TestClient]:
    with TestClient(Starlette(routes=media_routes(lambda: library))) as client:
        yield client


def test_the_whole_film(client: TestClient, film: Manifest) -> None:
    reply = client.get(film_address(film.title_id))
    assert reply.status_code == 200
    assert reply.content == Path(film.path).read_bytes()
    assert reply.headers["content-type"] == "video/mp4"
    assert reply.headers["accept-ranges"] == "bytes"
    assert reply.headers["cross-origin-resource-policy"] == "same-origin"
    assert reply.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "asked, first, last",
    [("0-0", 0, 0), ("100-299", 100, 299), ("500-", 500, -1), ("-40", -40, -1)],
)
def test_a_range_is_just_these_bytes(
    asked: str, first: int, last: int, client: TestClient, film: Manifest
) -> None:
    whole = Path(film.path).read_bytes()
    first, last = (n if n >= 0 else len(whole) + n for n in (first, last))
    reply = client.get(film_address(film.title_id), headers={"Range": f"bytes={asked}"})
    assert reply.status_code == 206
    assert reply.content == whole[first : last + 1]
    assert reply.headers["content-range"] == f"bytes {first}-{last}/{len(whole)}"
    assert reply.headers["content-length"] == str(last - first + 1)


def test_a_range_past_the_end_cannot_be_had(client: TestClient, film: Manifest) -> None:
    reply = client.get(film_address(film.title_id), headers={"Range": f"bytes={film.size}-"})
    assert reply.status_code == 416
    assert reply.headers["content-range"] == f"bytes */{film.size}"


def test_head_says_the_length_and_sends_nothing(client: TestClient, film: Manifest) -> None:
    reply = client.head(film_address(film.title_id))
    assert reply.status_code == 200
    assert reply.headers["content-length"] == str(film.size)
    assert reply.content == b""


def test_a_large_film_is_never_whole_in_memory(
    client: TestClient, film: Manifest, library: Library
) -> None:
    """Sent in chunks: look at the messages themselves."""
    import anyio

    sent: list[int] = []
    app = Starlette(routes=media_routes(lambda: library))
    with Path(film.path).open("ab") as stream:
        stream.truncate(5_000_000)

    async def ask() -> None:
        async def receive() -> dict[str, object]:
            await anyio.sleep(60)
            return {"type": "http.disconnect"}

        async def send(message: dict[str, object]) -> None:
            body = message.get("body", b"")
            assert isinstance(body, bytes)
            sent.append(len(body))

        address = film_address(film.title_id)
        scope = {"type": "http", "method": "GET", "path": address, "headers": []}
        scope |= {"query_string": b"", "asgi": {"spec_version": "2.4"}}
        await app(scope, receive, send)  # type: ignore[arg-type]

    anyio.run(ask)
    assert sum(sent) == 5_000_000
    assert max(sent) <= 256 * 1024


@pytest.mark.parametrize(
    "address",
    [
        f"/film/{NOBODY}",
        "/film/not-a-title",
        "/film/..%2F..%2Ftrimbin.toml",
        "/film/%2Fetc%2Fpasswd",
        "/thumbs/..%2F..%2Fmodels/0.jpg",
        f"/thumbs/{NOBODY}/0.jpg",
    ],
)
def test_only_titles_of_the_library_are_served(
    address: str, client: TestClient, film: Manifest
) -> None:
    assert client.get(address).status_code == 404


def test_the_path_comes_from_the_manifest_alone(client: TestClient, film: Manifest) -> None:
    reply = client.get(f"{film_address(film.title_id)}?path=/etc/passwd")
    assert reply.content == Path(film.path).read_bytes()


def test_a_title_whose_file_has_gone_is_a_sentence(client: TestClient, film: Manifest) -> None:
    Path(film.path).unlink()
    reply = client.get(film_address(film.title_id))
    assert reply.status_code == 404
    assert reply.text.startswith("The file of 'film' is not where it was last seen. Put it back")


def test_a_film_that_calls_itself_a_page_is_still_a_film(
    client: TestClient, library: Library, tmp_path: Path
) -> None:
    path = make_film(tmp_path / "x.mp4", seconds=1).rename(tmp_path / "page.html")
    manifest = add_title(library, path)
    reply = client.get(film_address(manifest.title_id))
    assert reply.headers["content-type"] == "video/mp4"


def test_a_proxy_is_made_on_demand_and_has_ranges(client: TestClient, film: Manifest) -> None:
    address = proxy_address(film.title_id, 1.0, 2.0)
    whole = client.get(address)
    assert (whole.status_code, whole.headers["content-type"]) == (200, "video/mp4")
    assert whole.content[4:8] == b"ftyp"
    part = client.get(address, headers={"Range": "bytes=4-7"})
    assert (part.status_code, part.content) == (206, b"ftyp")


@pytest.mark.parametrize("span", ["", "?start=1", "?start=a&end=2"])
def test_a_proxy_without_a_span_is_a_question_badly_put(
    span: str, client: TestClient, film: Manifest
) -> None:
    reply = client.get(f"/film/{film.title_id}/proxy{span}")
    assert reply.status_code == 400
    assert "in seconds" in reply.text


@pytest.mark.parametrize("span", ["start=3&end=1", "start=nan&end=2", "start=90&end=inf"])
def test_a_proxy_of_nothing_is_not_found(span: str, client: TestClient, film: Manifest) -> None:
    assert client.get(f"/film/{film.title_id}/proxy?{span}").status_code == 404


def test_a_shots_picture(client: TestClient, film: Manifest) -> None:
    reply = client.get(thumbnail_address(film.title_id, 1))
    assert (reply.status_code, reply.content) == (200, PICTURE)
    assert reply.headers["content-type"] == "image/jpeg"
    missing = client.get(thumbnail_address(film.title_id, 99))
    assert (missing.status_code, missing.text) == (404, "Shot 99 has no picture.\n")


def test_a_library_that_cannot_be_read_is_a_sentence() -> None:
    def refuse() -> Library:
        raise CannotRunNow("The disk is away.")

    with TestClient(Starlette(routes=media_routes(refuse))) as client:
        reply = client.get(film_address(NOBODY))
    assert (reply.status_code, reply.text) == (503, "The disk is away.\n")
