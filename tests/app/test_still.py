"""A frame as a picture: just that frame, of full size."""

import io
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from shelf import add_title, make_film, make_library
from starlette.applications import Starlette
from starlette.testclient import TestClient

from app.serve_media import media_routes, sheet_address, still_address
from indexer.library import Library
from indexer.manifest import Manifest


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


def frames_of(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


@pytest.mark.parametrize("is_variable_rate", [False, True])
@pytest.mark.parametrize("frame", [0, 1, 47, 48, 95])
def test_it_is_just_that_frame(
    frame: int, is_variable_rate: bool, library: Library, tmp_path: Path, client: TestClient
) -> None:
    path = make_film(tmp_path / "film.mp4", seconds=4)
    title = add_title(library, path, is_variable_rate=is_variable_rate)
    reply = client.get(f"{still_address(title.title_id)}{frame}")
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "image/png"
    assert reply.headers["content-disposition"].startswith("attachment")
    assert reply.headers["x-content-type-options"] == "nosniff"
    shown = np.asarray(Image.open(io.BytesIO(reply.content)))
    assert np.array_equal(shown, frames_of(path)[frame])


@pytest.mark.parametrize(
    "asked, status, sentence",
    [
        ("96", 404, "counted from 0 to 95"),
        ("-1", 400, "number of its frame"),
        ("1e3", 400, "number of its frame"),
        ("", 400, "number of its frame"),
    ],
)
def test_what_is_no_frame_is_told(
    asked: str, status: int, sentence: str, client: TestClient, film: Manifest
) -> None:
    reply = client.get(f"{still_address(film.title_id)}{asked}")
    assert reply.status_code == status
    assert sentence in reply.text


def test_sound_alone_has_no_stills(library: Library, tmp_path: Path, client: TestClient) -> None:
    path = make_film(tmp_path / "film.mp4", seconds=4)
    title = add_title(library, path, width=0, height=0)
    reply = client.get(f"{still_address(title.title_id)}0")
    assert reply.status_code == 404
    assert "sound alone" in reply.text


def test_a_film_that_has_gone_is_told(client: TestClient, film: Manifest) -> None:
    Path(film.path).unlink()
    assert "not where it was last seen" in client.get(f"{still_address(film.title_id)}0").text


def test_a_sheet_is_served_where_there_is_one(
    library: Library, film: Manifest, client: TestClient
) -> None:
    assert client.get(sheet_address(film.title_id, 0)).status_code == 404
    path = library.sheet(film.title_id, 0)
    path.parent.mkdir()
    path.write_bytes(b"a sheet")
    reply = client.get(sheet_address(film.title_id, 0))
    assert (reply.content, reply.headers["content-type"]) == (b"a sheet", "image/jpeg")
