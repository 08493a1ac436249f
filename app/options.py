"""Options that many commands have."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import click
from click.core import ParameterSource

from indexer import environment

library_option = click.option(
    "--library",
    "root",
    type=click.Path(path_type=Path, file_okay=False),
    default=environment.library_root,
    show_default="TRIMBIN_LIBRARY, else the user's data folder",
    help="The library's folder.",
)
device_option = click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda", "mps"]),
    default="auto",
    show_default=True,
    help="Where the models run.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
server_option = click.option(
    "--server",
    metavar="URL",
    help="Ask this `trimbin serve` instead of opening a library.  [TRIMBIN_SERVER]",
)
token_option = click.option(
    "--token", metavar="TOKEN", help="What lets us in there.  [TRIMBIN_TOKEN]"
)

ValueT = TypeVar("ValueT")


def unless_named(ctx: click.Context, option: str, value: ValueT) -> ValueT | None:
    """Return the value, unless the command line names that option: it counts for more."""
    is_named = ctx.get_parameter_source(option) is ParameterSource.COMMANDLINE
    return None if is_named else value
