"""`trimbin import`: selects made elsewhere, as people type it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from app.options import json_option, library_option

FAILED_INPUTS_EXIT = 1


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--list", "name", required=True, help="The shortlist that is added to.")
@click.option("--title", help="The title that all selects are of, by name or id; for markers.")
@library_option
@json_option
def import_command(file: Path, name: str, title: str | None, root: Path, as_json: bool) -> None:
    """Keep the selects of an EDL, CSV, OTIO, ALE, XML or marker file in a shortlist.

    They are matched to the library's titles by reel, file name, clip name or title. The same file
    again adds nothing.

    Example: trimbin import selects.edl --list "Teaser"
    """
    from app.importing.bring import import_selects
    from app.importing.reading import read_selects
    from indexer.library import Library

    library, found = Library.open(root), read_selects(file)
    imported = import_selects(library, found, origin=file.name, name=name, title=title)
    if as_json:
        click.echo(json.dumps(asdict(imported), ensure_ascii=False))
    else:
        click.echo(imported.told)
    for sentence in (*imported.notes, *imported.problems):
        click.echo(f"trimbin: {sentence}", err=True)
    if imported.problems:
        raise click.exceptions.Exit(FAILED_INPUTS_EXIT)
