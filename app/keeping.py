"""`trimbin remove` and `trimbin relink`: what becomes of titles whose films go or move."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.options import json_option, library_option
from qdrant.errors import TrimbinError, UsageError

if TYPE_CHECKING:
    from indexer.library import Library
    from indexer.manifest import Manifest

FAILED_INPUTS_EXIT = 1


@click.command()
@click.argument("titles", nargs=-1, required=True, metavar="TITLE...")
@library_option
@click.option("--undo", is_flag=True, help="Bring removed titles back.")
@json_option
def remove(titles: tuple[str, ...], root: Path, undo: bool, as_json: bool) -> None:
    """Remove titles, by name or id: they are found no more. Films and shortlists stay.

    What was made of a title waits in the library's folder `removed`, until --undo brings it back
    or you delete it.

    Example: trimbin remove "Old Cut"
    """
    from indexer.keeping import bring_back, remove_title, removed_titles
    from indexer.library import Library

    library = Library.open(root)
    failed = 0
    for asked in titles:
        try:
            there = removed_titles(library) if undo else library.titles()
            found = one_called(asked, there, where="removed" if undo else "here")
            if undo:
                bring_back(library, found.title_id)
            else:
                remove_title(library, found.title_id)
        except TrimbinError as error:
            failed += 1
            click.echo(f"trimbin: {error}", err=True)
            continue
        status = "back" if undo else "removed"
        if as_json:
            told = {"title_id": found.title_id, "title": found.title, "status": status}
            click.echo(json.dumps(told, ensure_ascii=False))
        else:
            click.echo(f"{found.title}: {status}, {found.num_shots} shots")
    _bring_store_in_step(library, "trimbin remove")
    if failed:
        raise click.exceptions.Exit(FAILED_INPUTS_EXIT)


@click.command()
@click.argument("title")
@click.argument("path", type=click.Path(path_type=Path))
@library_option
@json_option
def relink(title: str, path: Path, root: Path, as_json: bool) -> None:
    """Tell where a title's file is now: moved, repaired, re-exported or appended to.

    The title keeps its id, and shortlists what they refer to. A file of other content is then to
    be indexed again, under the same id, with `trimbin index PATH`.

    Example: trimbin relink "The Long Night" ~/Films/long_night_v2.mov
    """
    from indexer.keeping import relink_title
    from indexer.library import Library

    library = Library.open(root)
    found = one_called(title, library.titles(), where="here")
    relinked = relink_title(library, found.title_id, path)
    if as_json:
        told = {"title_id": found.title_id, "path": relinked.manifest.path}
        click.echo(json.dumps({**told, "same": relinked.is_same}, ensure_ascii=False))
    elif relinked.is_same:
        click.echo(f"{found.title}: the same film, found at {relinked.manifest.path}")
    else:
        click.echo(
            f"{found.title}: now another file, {relinked.manifest.path}. Index it again, it "
            f"keeps its id: trimbin index {relinked.manifest.path!r} --library {str(root)!r}"
        )


def one_called(asked: str, titles: list[Manifest], *, where: str) -> Manifest:
    """Return the one title of this name or id. Raises `UsageError` for none, and for several."""
    name = asked.casefold()
    found = [m for m in titles if name in (m.title_id, m.title.casefold())]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(manifest.title_id for manifest in found)
        raise UsageError(f"{len(found)} titles are called {asked!r}; say which by its id: {ids}.")
    known = ", ".join(repr(manifest.title) for manifest in titles[:10])
    raise UsageError(f"No title is called {asked!r} {where}. There are: {known or 'none'}.")


def _bring_store_in_step(library: Library, command: str) -> None:
    """Let the store forget what was removed, and know what is back, where nobody else owns it."""
    from indexer.catalogue import open_catalogue

    try:
        with open_catalogue(library, command=command):
            pass
    except TrimbinError as error:  # the folder is the truth; whoever opens the store next sees it
        click.echo(f"trimbin: The store follows when it can be opened: {error}", err=True)
