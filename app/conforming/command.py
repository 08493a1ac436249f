"""`trimbin conform`: a finished trailer back to its films, as people type it."""

from __future__ import annotations

import json
from pathlib import Path

import click

from app.options import json_option, library_option


@click.command()
@click.argument("trailer", type=click.Path(path_type=Path))
@click.option("--list", "name", help="The shortlist that is added to.  [the file's name]")
@click.option("--title", help="The one title that it is cut from, by name or id.")
@click.option(
    "-f",
    "--format",
    "kind",
    type=click.Choice(["edl"]),
    help="An EDL with speeds and crossfades; other formats: `trimbin export LIST`.",
)
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    show_default="the current folder",
    help="Where the EDL is written.",
)
@library_option
@click.option("--tell-progress", is_flag=True, hidden=True, help="Print progress as JSON, too.")
@click.option("--by", "who", default="", hidden=True, help="Whose change it is.")
@json_option
def conform(
    trailer: Path,
    name: str | None,
    title: str | None,
    kind: str | None,
    into: Path,
    root: Path,
    tell_progress: bool,
    who: str,
    as_json: bool,
) -> None:
    """Find the moments of the library's films that a finished trailer or promo is cut from.

    They come to the frame, with their speed, whatever was done to their light, crop, titles and
    sound. What is from nowhere in the library is told.

    Example: trimbin conform trailer.mp4 --list "Trailer, first cut" -f edl --into conformed
    """
    from dataclasses import asdict

    from app.conforming.conform import conform_file, keep, told
    from app.conforming.edl import write_edl
    from app.studio import ProgressLines, open_studio
    from indexer.library import Library

    library = Library.open(root)
    with open_studio(library) as studio:
        progress = ProgressLines() if tell_progress else studio.progress
        conformed = conform_file(trailer, studio, title=title, progress=progress)
    name = name or trailer.stem
    file = write_edl(conformed, library, into) if kind and conformed.found else None
    items = keep(conformed, library, name, who=who)
    if as_json:
        more = {
            "list": name if items else None,
            "moments": len(items),
            "edl": str(file) if file else None,
            "told": told(conformed, library),
        }
        click.echo(json.dumps(asdict(conformed) | more, ensure_ascii=False))
    else:
        for line in told(conformed, library):
            click.echo(line)
        if items:
            click.echo(f"{name}: {len(items)} moment{'' if len(items) == 1 else 's'}", err=True)
        if file:
            click.echo(file)
    for note in conformed.notes:
        click.echo(f"trimbin: {note}", err=True)
    if not conformed.found:
        click.echo(f"trimbin: Nothing of {trailer.name} is from this library.", err=True)
