"""`trimbin search`: the library here, or one that another machine serves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from app.options import (
    device_option,
    json_option,
    library_option,
    server_option,
    token_option,
    unless_named,
)
from indexer import environment


@click.command()
@click.argument("query")
@library_option
@click.option("--top", type=click.IntRange(1, 1000), default=10, show_default=True)
@click.option("--title", help="Only this title: its name or its id.")
@click.option(
    "--before",
    type=click.FloatRange(0, 1, min_open=True),
    help="Spoiler guard: only up to this part of each title, 0.8 of it, say.",
)
@click.option("--per-title", type=click.IntRange(1), help="At most so many moments of a title.")
@click.option(
    "--variety",
    type=click.FloatRange(0, 1),
    default=0,
    show_default=True,
    help="0: the best; towards 1: as different from one another as can be.",
)
@click.option(
    "--all-modalities", is_flag=True, help="Pictures and words must both fit; else one may do."
)
@click.option(
    "--floor", type=click.FloatRange(0, 1), help="Scores below are weak.  [the profile's]"
)
@server_option
@token_option
@device_option
@json_option
@click.pass_context
def search(
    ctx: click.Context,
    /,
    query: str,
    root: Path,
    server: str | None,
    token: str | None,
    device: str,
    as_json: bool,
    **dials: Any,
) -> None:
    """Find moments by words, a line, a clip, a picture, and by what is to follow.

    The whole language is in docs/search.md.

    \b
    Example: trimbin search "a bird" --top 3
             trimbin search 'rain & "we have to go" -night'
             trimbin search 'a butterfly >>10s like:"Big Buck Bunny"@1:10-1:20'
    """
    from app.tell import tell

    if server := server or unless_named(ctx, "root", environment.search_server()):
        from app.remote import answer_of, ask

        reply = ask(server, query, token=token or environment.token(), dials=dials)
        if as_json:
            click.echo(json.dumps(reply, ensure_ascii=False))
        else:
            tell(answer_of(reply))
        return

    from app.dials import request_of
    from app.search import search as find
    from app.studio import encoders_of
    from indexer.catalogue import open_catalogue
    from indexer.library import Library

    request = request_of(query, **dials)
    library = Library.open(root)
    with open_catalogue(library, command="trimbin search") as catalogue:
        answer = find(catalogue, encoders_of(library, device=device), request)
    if as_json:
        click.echo(json.dumps(answer.to_json(), ensure_ascii=False))
    else:
        tell(answer)
