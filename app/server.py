"""How the page is served: Streamlit and our media routes on one port, for this machine alone."""

from __future__ import annotations

import errno
import logging
import os
import re
import signal
import socket
import threading
import webbrowser
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qdrant.errors import CannotRunNow, TrimbinError, UsageError

if TYPE_CHECKING:
    from streamlit.starlette import App

    from indexer.library import Library

logger = logging.getLogger(__name__)

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8501
SCRIPT = Path(__file__).with_name("main.py")
LOOPBACK = ("127.0.0.1", "localhost", "::1")
EVERY_ADDRESS = ("0.0.0.0", "::", "")
"""To listen on these is to listen on all of the machine's addresses; no browser is sent there."""
HOST_NAME = re.compile(r"(\*\.)?[\w-]+(\.[\w-]+)*|[0-9a-fA-F:]*:[0-9a-fA-F:.]+")

GRACE_S = 3
"""Seconds that open requests get when the server stops: a paused player holds one for ever."""


def serve_page(
    library_root: Path,
    *,
    host: str = DEFAULT_HOST,
    port: int = DEFAULT_PORT,
    open_browser: bool = True,
    allow_hosts: Sequence[str] = (),
) -> None:
    """Serve the page until SIGINT or SIGTERM, then close the store and return.

    There need be no library yet: the page says how to make one, and finds it then. Raises
    `CannotRunNow` where the port cannot be had. A `port` of 0 takes a free one. Any other `host`
    than this machine's own lets others in: nobody is asked who they are. `allow_hosts` are names
    that browsers may call this machine by, besides those in `allowed_hosts`.
    """
    hosts = allowed_hosts(host, allow_hosts)
    listening = _listen(host, port)
    with listening:
        port = listening.getsockname()[1]
        os.environ["TRIMBIN_LIBRARY"] = str(library_root.expanduser().absolute())
        address = f"http://{_called(host)}:{port}"
        app = _app(host, port, hosts)
        print(f"Trimbin is at {address} (stop it with Ctrl-C)", flush=True)
        if open_browser:
            threading.Timer(1.0, webbrowser.open, args=(address,)).start()
        _run(app, listening)


def _listen(host: str, port: int) -> socket.socket:
    """Take the port, so that it is ours or the refusal is a sentence, before anything is loaded."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with ExitStack() as unless_ours:
        try:
            listening = unless_ours.enter_context(socket.socket(family))
            if os.name != "nt":  # there it would let two servers share a port
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((host, port))
            listening.listen()
        except OSError as error:
            raise CannotRunNow(_why_not(host, port, error)) from error
        unless_ours.pop_all()
    return listening


def _why_not(host: str, port: int, error: OSError) -> str:
    """Return why a port cannot be had, and the way out."""
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} on {host} is taken. Choose another one with `--port`, or stop the "
            "program that holds it."
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return (
            f"Port {port} on {host} needs a permission that this user does not have. Choose one "
            "from 1024 on with `--port`."
        )
    return (
        f"Port {port} on {host} cannot be had ({error.strerror or error}). Choose another port "
        "with `--port`, or an address of this machine with `--host`."
    )


def _app(host: str, port: int, hosts: Sequence[str]) -> App:
    """Return the page as an ASGI application, configured whatever this user's own files say."""
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware
    from streamlit.starlette import App
    from streamlit.web import bootstrap

    from app.serve_media import media_routes
    from app.views.look import THEME, tell_unexpected

    @asynccontextmanager
    async def lifespan(_app: App) -> AsyncIterator[dict[str, Any] | None]:
        from app import page  # its caches want a running Streamlit

        try:
            page.find_library()
        except TrimbinError as error:
            logger.warning("%s", error)  # the page says it too, and tries again
        try:
            yield None
        finally:
            page.close()

    app = App(
        SCRIPT,
        routes=media_routes(_library),
        lifespan=lifespan,
        # Another site's name made to point here (DNS rebinding) is turned away.
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=hosts)],
        on_script_error=tell_unexpected,
    )
    bootstrap.load_config_options({**_settings(host, port), **THEME})
    return app


def _library() -> Library:
    from app import page

    return page.library()


def allowed_hosts(host: str, allow_hosts: Sequence[str] = ()) -> list[str]:
    """Return the names and addresses that a browser may call this machine by.

    They are loopback's, those in `allow_hosts` (`*.studio.example` stands for all names below
    it) and, where others may come in, the address listened on and this machine's own name.
    Raises `UsageError` for what is no name, `*` too: it would let any site in.
    """
    for name in allow_hosts:
        if not HOST_NAME.fullmatch(name):
            raise UsageError(
                f"{name!r} is no name of a machine. `--allow-host` takes a name or an address "
                "without scheme and port, as in `edit.example`, or `*.example` for all below it."
            )
    ours: tuple[str, ...] = LOOPBACK
    if host not in LOOPBACK:
        ours += (socket.gethostname(), *(() if host in EVERY_ADDRESS else (host,)))
    names = dict.fromkeys(name.lower() for name in (*ours, *allow_hosts))
    return [_bracketed(name) for name in names]


def _called(host: str) -> str:
    """Return what a browser calls the address we listen on."""
    return "localhost" if host in EVERY_ADDRESS else _bracketed(host)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _settings(host: str, port: int) -> dict[str, Any]:
    return {
        "browser.gatherUsageStats": False,
        "browser.serverAddress": "localhost" if host in LOOPBACK else _called(host),
        "server.address": host,
        "server.port": port,
        "server.headless": True,  # we open the browser ourselves
        "server.fileWatcherType": "none",
        "server.enableXsrfProtection": True,
        "server.enableCORS": True,
        "server.maxUploadSize": 1,  # MB; the page takes no files
        "client.toolbarMode": "minimal",
        "client.showErrorDetails": "none",
        "runner.magicEnabled": False,
    }


def _run(app: App, listening: socket.socket) -> None:
    import uvicorn

    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        use_colors=False,
        timeout_graceful_shutdown=GRACE_S,
    )
    # uvicorn stops in order and then raises the signal anew: let both end as Ctrl-C does.
    with suppress(KeyboardInterrupt):
        previous = signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            uvicorn.Server(config).run(sockets=[listening])
        finally:
            signal.signal(signal.SIGTERM, previous)
