"""`trimbin map`: the map of the catalogue, drawn ahead or by the page in a child process."""

from __future__ import annotations

import json
from pathlib import Path

import click

from app.adding import Adding, Work
from app.options import json_option, library_option

drawing = Adding()
"""What the page of this process draws."""


def begin_map(library_root: Path) -> Work:
    """Draw a library's map in a child process. Raises `CannotRunNow` while one is being drawn."""
    return drawing.begin("map", ["map", "--library", library_root, "--json", "--tell-progress"])


@click.command("map")
@library_option
@click.option("--tell-progress", is_flag=True, hidden=True, help="Print progress as JSON, too.")
@json_option
def draw_map(root: Path, tell_progress: bool, as_json: bool) -> None:
    """Draw the map of all shots that the page shows under Browse, and keep it in the library.

    The page does it by itself; a large library is better drawn beforehand. Titles that come
    later are placed on it in seconds.

    Example: trimbin map
    """
    from app.studio import ProgressLines, bars
    from indexer.atlas.atlas import draw_atlas
    from indexer.library import Library

    library = Library.open(root)
    with bars() as drawn:
        atlas = draw_atlas(library, ProgressLines() if tell_progress else drawn.draw)
    told = {"shots": len(atlas.shot), "titles": len(atlas.generations), "every": atlas.every}
    if as_json:
        click.echo(json.dumps({**told, "space": atlas.space, "groups": atlas.names}))
    else:
        every = f", one of {atlas.every} shots of each" if atlas.every > 1 else ""
        of_what = f"{told['shots']} shots of {told['titles']} titles{every}"
        click.echo(f"{of_what}, compared by {atlas.space}")
        for name in atlas.names:
            click.echo(f"  {name}")
