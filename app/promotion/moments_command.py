"""`trimbin moments`: what of a title is worth showing, as many and as long as asked for."""

from __future__ import annotations

import json
from pathlib import Path

import click

from app.options import json_option, library_option


@click.command("moments")
@click.argument("title")
@click.option("--count", type=click.IntRange(1, 100), default=6, show_default=True)
@click.option(
    "--length",
    "length_s",
    type=click.FloatRange(min=0, min_open=True),
    default=30,
    show_default=True,
    help="Seconds in all.",
)
@click.option(
    "--before",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.8,
    show_default=True,
    help="Spoiler guard: only from this first part of the title.",
)
@click.option("--list", "name", help="Keep them in this shortlist.")
@library_option
@json_option
def moments_command(
    title: str, count: int, length_s: float, before: float, name: str | None, root: Path,
    as_json: bool,
) -> None:  # fmt: skip
    """Find the moments of a title that are worth showing: unlike one another, cut on its cuts.

    They are chosen by the probe that your labels taught (`trimbin evaluate retrieval`), else by
    what stands out; docs/promotion.md says how, and what that is worth.

    \b
    Example: trimbin moments "Big Buck Bunny"
             trimbin moments "Big Buck Bunny" --count 3 --length 15 --list Teaser
    """
    from app.places import find_title
    from app.promotion.moments import keep_moments, moments_of
    from indexer.library import Library

    library = Library.open(root)
    manifest = find_title(title, library)
    moments = moments_of(library, manifest, count=count, length_s=length_s, before=before)
    if name is not None:
        keep_moments(library, name, moments.found)
    if as_json:
        click.echo(json.dumps(moments.to_json(), ensure_ascii=False))
        return
    for place, one in enumerate(moments.found, start=1):
        passage = one.passage
        click.echo(
            f"{place:>3}  {one.worth:.2f}  {passage.line()}  {passage.seconds:4.1f} s  [{one.told}]"
        )
    click.echo(f"{moments.seconds:.1f} s in all", err=True)
    for note in moments.notes:
        click.echo(note, err=True)
