"""Options that many commands have."""

from __future__ import annotations

from pathlib import Path

import click

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
