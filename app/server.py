"""How the page is served: Streamlit and our media routes on one port, for this machine alone."""

from __future__ import annotations

import errno
import logging
import os
import signal
import socket
import threading
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qdrant.errors import CannotRunNow, TrimbinError

if TYPE_CHECKING:
    from streamlit.starlette import App

    from indexer.library import Library

logger = logging.getLogger(__name__)

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8501
SCRIPT = Path(__file__).with_name("main.py")
LOOPBACK = ("127.0.0.1", "localhost", "::1")

GRACE_S = 3
"""Seconds that open requests get when the server stops: a paused player holds one for ever."""


def serve_page(
    library_root: Path,
    *,
    host: str = DEFAULT_HOST,
    port: int = DEFAULT_PORT,
    open_browser: bool = True,
) -> None:
    """Serve the page until SIGINT or SIGTERM, then close the store and return.

    Raises `CannotRunNow` where the port is taken. A `port` of 0 takes a free one. Any other `host`
    than this machine's own lets others in: nobody is asked who they are.
    """
    listening = _listen(host, port)
    with listening:
        port = listening.getsockname()[1]
        os.environ["TRIMBIN_LIBRARY"] = str(library_root.expanduser().absolute())
        address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        app = _app(host, port)
        print(f"Trimbin is at {address} (stop it with Ctrl-C)", flush=True)
        if open_browser:
            threading.Timer(1.0, webbrowser.open, args=(address,)).start()
        _run(app, listening)


def _listen(host: str, port: int) -> socket.socket:
    """Take the port, so that it is ours or the refusal is a sentence, before anything is loaded."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.socket(family)
        if os.name != "nt":  # there it would let two servers share a port
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen()
    except OSError as error:
        listening.close()
        taken = error.errno in (errno.EADDRINUSE, errno.EACCES)
        reason = "is taken" if taken else f"cannot be had ({error.strerror or error})"
        raise CannotRunNow(
            f"Port {port} on {host} {reason}. Choose another one with `--port`, or stop the "
            "program that holds it."
        ) from error
    return listening


def _app(host: str, port: int) -> App:
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
            page.catalogue()
            page.warm_up()
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
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=list(_allowed_hosts(host)))],
        on_script_error=tell_unexpected,
    )
    bootstrap.load_config_options({**_settings(host, port), **THEME})
    return app


def _library() -> Library:
    from app import page

    return page.library()


def _allowed_hosts(host: str) -> tuple[str, ...]:
    return (*LOOPBACK, "[::1]") if host in LOOPBACK else ("*",)


def _settings(host: str, port: int) -> dict[str, Any]:
    return {
        "browser.gatherUsageStats": False,
        "browser.serverAddress": "localhost" if host in LOOPBACK else host,
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
