"""`trimbin serve`: the library over HTTP, for many people and programs."""

from __future__ import annotations

from pathlib import Path

import click

from app.options import device_option, library_option


@click.command()
@library_option
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8600, show_default=True)
@click.option(
    "--allow-host",
    multiple=True,
    metavar="NAME",
    help="A name by which others may call this machine, beside localhost and its own.",
)
@click.option(
    "--allow-files",
    "shared",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A folder in which questions may name files, `clip:` and `image:`.  [none]",
)
@device_option
def serve(
    root: Path,
    host: str,
    port: int,
    allow_host: tuple[str, ...],
    shared: Path | None,
    device: str,
) -> None:
    """Serve the library over HTTP: search, titles, pictures, media. Documented at /docs.

    On this machine only, unless told otherwise; from elsewhere callers need a token: TRIMBIN_TOKEN,
    or the one that is made in the library's folder at the first start.

    Example: trimbin serve --port 8700
    """
    from app.admission import TOKEN_FILE, token_for
    from app.api import make_api
    from app.hosting import allowed_hosts, called, listen, run
    from app.opened import Opened
    from indexer import environment
    from indexer.library import Library

    hosts = allowed_hosts(host, allow_host)
    library = Library.open(root)
    given = environment.token()
    token = token_for(host, library.root, given=given)
    with listen(host, port) as listening:
        port = listening.getsockname()[1]
        click.echo(f"Trimbin answers at http://{called(host)}:{port} (stop it with Ctrl-C)")
        if token:
            where = "TRIMBIN_TOKEN" if given else library.root / TOKEN_FILE
            click.echo(f"Callers need the token in {where}; it travels in clear without TLS.")
        held = Opened(lambda: library.root, command="trimbin serve", device=device)
        run(make_api(held, hosts=hosts, token=token, shared=shared), listening)
