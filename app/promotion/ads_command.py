"""`trimbin ads`: where an advertisement fits, and where it had better not be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.options import device_option, json_option, library_option

if TYPE_CHECKING:
    from app.promotion.ads import AdBreak


@click.command("ads")
@click.argument("brief")
@click.option(
    "--avoid",
    multiple=True,
    metavar="LABEL",
    help="What no break may be near to: a tag, words, or brand-safety: all that tags mark so.  "
    "[violence, gore, drugs, nudity]",
)
@click.option("--top", type=click.IntRange(1, 1000), default=10, show_default=True)
@click.option("--title", help="Only this title: its name or its id.")
@library_option
@device_option
@json_option
def ads_command(
    brief: str, avoid: tuple[str, ...], top: int, title: str | None, root: Path, device: str,
    as_json: bool,
) -> None:  # fmt: skip
    """Find breaks between scenes before which there is what BRIEF says.

    Those near to what is to be avoided are told apart, with the reason.

    \b
    Example: trimbin ads "a picnic on a meadow" --avoid violence
             trimbin ads "a forest" --title "Big Buck Bunny" --top 3
    """
    from app.promotion.ads import DEFAULT_AVOID, ad_breaks
    from app.studio import encoders_of
    from indexer.catalogue import open_catalogue
    from indexer.library import Library

    library = Library.open(root)
    with open_catalogue(library, command="trimbin ads") as catalogue:
        found = ad_breaks(
            catalogue,
            encoders_of(library, device=device),
            brief,
            avoid=avoid or DEFAULT_AVOID,
            title=title,
            top=top,
        )
    if as_json:
        click.echo(json.dumps(found.to_json(), ensure_ascii=False))
        return
    for place, one in enumerate(found.breaks, start=1):
        click.echo(f"{place:>3}  {_line(one)}")
    if found.avoid:
        click.echo("To be avoided:")
        for one in found.avoid:
            click.echo(f"     {_line(one)}: {', '.join(map(str, one.reasons))}")
    for note in found.notes:
        click.echo(note, err=True)


def _line(one: AdBreak) -> str:
    unsure = "" if one.confident else "  (weak)"
    signs = ", ".join(one.signs)
    return f"{one.score:.2f}  {one.tc}  {one.title}  [{signs}; fits at {one.best_tc}]{unsure}"
