"""`trimbin similar`: titles like one, where nobody knows yet what its audience likes."""

from __future__ import annotations

import json
from pathlib import Path

import click

from app.options import json_option, library_option


@click.command("similar")
@click.argument("title")
@click.option("--top", type=click.IntRange(1, 1000), default=6, show_default=True)
@library_option
@json_option
def similar_command(title: str, top: int, root: Path, as_json: bool) -> None:
    """Find the titles most like one, by what the context model sums each of them up as.

    0 is as alike as the library's titles are on average; nothing is known of plot.

    Example: trimbin similar "Big Buck Bunny" --top 3
    """
    from app.places import find_title
    from app.promotion.similar import similar_to
    from indexer.library import Library

    library = Library.open(root)
    found, notes = similar_to(library, find_title(title, library), top=top)
    if as_json:
        rows = [
            {"title_id": one.manifest.title_id, "title": one.manifest.title,
             "path": one.manifest.path, "likeness": round(one.likeness, 4)}
            for one in found
        ]  # fmt: skip
        click.echo(json.dumps({"titles": rows, "notes": notes}, ensure_ascii=False))
        return
    for place, one in enumerate(found, start=1):
        click.echo(f"{place:>3}  {one.likeness:+.2f}  {one.manifest.title}")
    for note in notes:
        click.echo(note, err=True)
