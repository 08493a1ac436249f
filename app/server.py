"""How the page is served: Streamlit and our media routes on one port, for this machine alone."""

from __future__ import annotations

import logging
import os
import threading
import webbrowser
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app import permission
from app.adding import adding
from app.hosting import LOOPBACK, allowed_hosts, called, listen, run
from app.mapping import drawing
from app.sent import MAX_CLIP_MB
from qdrant.errors import TrimbinError

if TYPE_CHECKING:
    from streamlit.starlette import App

    from indexer.library import Library

logger = logging.getLogger(__name__)

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8501
SCRIPT = Path(__file__).with_name("main.py")


def serve_page(
    library_root: Path,
    *,
    host: str = DEFAULT_HOST,
    port: int = DEFAULT_PORT,
    open_browser: bool = True,
    allow_hosts: Sequence[str] = (),
    allow_changes: bool = False,
) -> None:
    """Serve the page until SIGINT or SIGTERM, then close the store and return.

    There need be no library yet: the page says how to make one, and finds it then. Raises
    `CannotRunNow` where the port cannot be had. A `port` of 0 takes a free one. Any other `host`
    than this machine's own lets others in: nobody is asked who they are. `allow_hosts` are names
    that browsers may call this machine by, besides those in `allowed_hosts`. Where others may come
    in, titles can be added, relinked and removed on the page only with `allow_changes`.
    """
    hosts = allowed_hosts(host, allow_hosts)
    permission.allow_changes(host=host, other_names=allow_hosts, explicitly=allow_changes)
    listening = listen(host, port)
    with listening:
        port = listening.getsockname()[1]
        os.environ["TRIMBIN_LIBRARY"] = str(library_root.expanduser().absolute())
        address = f"http://{called(host)}:{port}"
        app = _app(host, port, hosts)
        print(f"Trimbin is at {address} (stop it with Ctrl-C)", flush=True)
        if open_browser:
            threading.Timer(1.0, webbrowser.open, args=(address,)).start()
        run(app, listening)


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
            adding.stop()
            drawing.stop()
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


def _settings(host: str, port: int) -> dict[str, Any]:
    return {
        "browser.gatherUsageStats": False,
        "browser.serverAddress": "localhost" if host in LOOPBACK else called(host),
        "server.address": host,
        "server.port": port,
        "server.headless": True,  # we open the browser ourselves
        "server.fileWatcherType": "none",
        "server.enableXsrfProtection": True,
        "server.enableCORS": True,
        "server.maxUploadSize": MAX_CLIP_MB,  # held in memory while the page holds the clip
        "client.toolbarMode": "minimal",
        "client.showErrorDetails": "none",
        "runner.magicEnabled": False,
        # Half a second after every run, with the models' objects in memory, and before the page
        # sees what the run has made.
        "runner.postScriptGC": False,
    }
