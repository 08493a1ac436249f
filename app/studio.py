"""What commands need before they start: encoders, a progress bar, a store that follows."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

import click
import rich.progress
from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn

from indexer.catalogue import Catalogue
from indexer.encoders.load import EncoderSet, load_encoders
from indexer.library import Library
from indexer.studio import Studio
from qdrant.errors import CannotRunNow, TrimbinError

TELL_EVERY_S = 0.3
"""Seconds between two lines of progress."""


def encoders_of(
    library: Library, *, device: str = "auto", allow_endpoint: bool = False
) -> EncoderSet:
    """Return the encoders of a library's profile; each loads when it is first used.

    With `allow_endpoint` the library keeps the consent to send dialogue to the profile's endpoint.
    """
    endpoint = library.profile.endpoint
    if endpoint and allow_endpoint:
        click.echo(f"Dialogue of this library will be sent to {endpoint}.", err=True)
        library.consent_to(endpoint)
    return load_encoders(
        library.profile,
        device=device,
        cache_dir=library.cache_folder,
        consent=endpoint is not None and library.consented_endpoint == endpoint,
    )


@contextmanager
def open_studio(
    library: Library, *, device: str = "auto", allow_endpoint: bool = False
) -> Iterator[Studio]:
    """Open everything that titles are made with, with a progress bar on stderr."""
    encoders = encoders_of(library, device=device, allow_endpoint=allow_endpoint)
    with bars() as drawn:
        yield Studio(library, encoders, progress=drawn.draw, say=drawn.say)


class Bars:
    """A progress bar on stderr, and sentences above it."""

    def __init__(self, bars: rich.progress.Progress) -> None:
        self._bars = bars
        self._task = bars.add_task("", total=None, visible=False)

    def draw(self, stage: str, done: float, total: float) -> None:
        """Draw how far something is; a `Progress`."""
        unfinished = not total or done < total
        self._bars.update(
            self._task, description=stage, completed=done, total=total or None, visible=unfinished
        )

    def say(self, sentence: str) -> None:
        """Print a sentence above the bar."""
        self._bars.console.print(sentence, markup=False, highlight=False, soft_wrap=True)


class ProgressLines:
    """A `Progress` as lines of JSON on stdout, for a program that waits: a few a second."""

    def __init__(self) -> None:
        self._stage, self._told_at_s = "", -float("inf")

    def __call__(self, stage: str, done: float, total: float) -> None:
        """Print how far something is, where that is news."""
        now_s = time.monotonic()
        if stage != self._stage or done >= total or now_s - self._told_at_s >= TELL_EVERY_S:
            self._stage, self._told_at_s = stage, now_s
            click.echo(json.dumps({"stage": stage, "done": done, "total": total}))


@contextmanager
def publishing(studio: Studio, *, command: str) -> Iterator[Catalogue]:
    """Keep the store in step while titles are made. Indexing goes on where the store cannot.

    Raises `CannotRunNow` in the end where finished titles could not be published.
    """
    catalogue = Catalogue(studio.library, command=command)
    refused: list[TrimbinError] = []

    def publish() -> None:
        try:
            catalogue.sync()
        except TrimbinError as error:
            refused[:] = [error]
        else:
            refused.clear()

    studio.published = publish
    try:
        publish()
        if not refused:
            catalogue.keep_in_step()  # what other processes finish meanwhile is published too
        yield catalogue
        publish()
        if not refused and not catalogue.wait_until_in_step():
            studio.say(
                "Some titles are not searchable yet: the process that owns the library's store is "
                "busy, and will publish them."
            )
    finally:
        catalogue.close()
    if refused:
        raise CannotRunNow(
            f"The titles are indexed but cannot be searched yet: {refused[0]} "
            "Then run the same command again to publish them."
        ) from refused[0]


def build_search_index(catalogue: Catalogue, studio: Studio) -> None:
    """Build the store's search index where one is due; say so where it cannot be built."""
    try:
        catalogue.build_index(studio.progress)
    except TrimbinError as error:
        studio.say(str(error))


@contextmanager
def bars() -> Iterator[Bars]:
    """Show a progress bar on stderr while something takes long."""
    with rich.progress.Progress(
        TextColumn("{task.description:<10}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as progress:
        yield Bars(progress)
