"""`trimbin tag`: what shots show, their tone and genre, from words alone or from a kept probe."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.options import device_option, json_option, library_option

if TYPE_CHECKING:
    from indexer.library import Library
    from indexer.manifest import Manifest
    from indexer.tagging.tag import Tagged

FAILED_INPUTS_EXIT = 1
MOST_TOLD = 8
"""Tags of each group that a line names."""
BY_WORDS = (
    "Where words alone tell, confidence is an order and no likelihood; docs/tags.md says how far "
    "to trust it."
)


@click.command("tag")
@library_option
@click.option(
    "--only",
    type=click.Choice(["label", "own", "tone", "genre"]),
    multiple=True,
    help="These groups alone; own: labels taught by clicks.  [all]",
)
@click.option("--title", "named", multiple=True, metavar="NAME", help="These titles.  [all]")
@click.option(
    "--min-confidence",
    "least",
    type=click.FloatRange(0, 1),
    default=0.6,
    show_default=True,
    help="How sure a tag must be. Words alone are never surer than .9.",
)
@click.option("--clear", is_flag=True, help="Take tags away instead.")
@device_option
@json_option
def tag(
    root: Path,
    only: tuple[str, ...],
    named: tuple[str, ...],
    least: float,
    clear: bool,
    device: str,
    as_json: bool,
) -> None:
    """Tag every shot: labels, tones, genres; then search for label:, tone:, clipgenre:.

    Each is asked in words, or of a probe that `trimbin evaluate` kept. Nothing is decoded; a title
    that stays as it is costs nothing.

    \b
    Example: trimbin tag
             trimbin search "tone:peaceful -label:closeup"
    """
    from app.labels.book import Labels
    from app.labels.filters import learn_anew
    from app.studio import open_studio, publishing
    from indexer.library import Library
    from indexer.tagging.tag import clear_tags, tag_titles
    from indexer.tagging.vocabulary import GROUPS

    library = Library.open(root)
    groups = [group for group in GROUPS if not only or group in only]
    failed, by_words = 0, False
    with open_studio(library, device=device) as studio:
        titles = _titles(library, named)
        with publishing(studio, command="trimbin tag"):
            if "own" in groups and not clear:
                for sentence in learn_anew(studio, Labels.of(library)):
                    click.echo(f"trimbin: {sentence}", err=True)
            done = (
                clear_tags(studio, titles, groups=groups)
                if clear
                else tag_titles(studio, titles, groups=groups, least=least)
            )
            for result in done:
                failed += result.status == "failed"
                by_words |= "words" in result.sources.values()
                _print(result, as_json=as_json)
        if by_words and not clear:
            studio.say(BY_WORDS)
    if failed:
        raise click.exceptions.Exit(FAILED_INPUTS_EXIT)


def _titles(library: Library, named: Sequence[str]) -> list[Manifest]:
    """Return the titles of these names or ids; without any, all. Raises `UsageError`."""
    from app.places import find_titles
    from qdrant.errors import UsageError

    titles = library.in_use()
    if not titles:
        raise UsageError(
            f"The library at {library.root} has no titles to tag. Index some with "
            "`trimbin index PATH`."
        )
    if not named:
        return titles
    asked = {m.title_id for name in named for m in find_titles(name, library)}
    return [manifest for manifest in titles if manifest.title_id in asked]


def _print(result: Tagged, *, as_json: bool) -> None:
    from dataclasses import asdict

    if as_json:
        click.echo(json.dumps(asdict(result), ensure_ascii=False))
    elif result.status == "failed":
        click.echo(f"trimbin: {result.reason}", err=True)
    else:
        click.echo(f"{result.title}: {result.status}, {result.shots} shots")
        for group, counts in result.tags.items():
            told = [f"{name} {shots}" for name, shots in [*counts.items()][:MOST_TOLD]]
            more = f" and {len(counts) - MOST_TOLD} more" if len(counts) > MOST_TOLD else ""
            source = result.sources.get(group, "")
            click.echo(f"  {group} ({source}): {', '.join(told) or 'none'}{more}")
