"""What our servers have in common: a port of this machine, the names it answers to, a way to stop.

The page (`app/server.py`) and the API (`app/serving.py`) stand on it.
"""

from __future__ import annotations

import errno
import os
import re
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, NoReturn

from qdrant.errors import CannotRunNow, UsageError

if TYPE_CHECKING:
    from starlette.types import ASGIApp

LOOPBACK = ("127.0.0.1", "localhost", "::1")
EVERY_ADDRESS = ("0.0.0.0", "::", "")
"""To listen on these is to listen on all of the machine's addresses; nobody is sent there."""
HOST_NAME = re.compile(r"(\*\.)?[\w-]+(\.[\w-]+)*|[0-9a-fA-F:]*:[0-9a-fA-F:.]+")

GRACE_S = 3
"""Seconds that open requests get when the server stops: a paused player holds one for ever."""


def listen(host: str, port: int) -> socket.socket:
    """Take the port, so that it is ours or the refusal is a sentence, before anything is loaded.

    A `port` of 0 takes a free one. Raises `CannotRunNow` where it cannot be had.
    """
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


def allowed_hosts(host: str, allow_hosts: Sequence[str] = ()) -> list[str]:
    """Return the names and addresses that others may call this machine by.

    They are loopback's, those in `allow_hosts` (`*.studio.example` stands for all names below
    it) and, where others may come in, the address listened on and this machine's own name.
    Another site's name made to point here (DNS rebinding) is none of them. Raises `UsageError`
    for what is no name, `*` too: it would let any site in.
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


def called(host: str) -> str:
    """Return what others call the address we listen on."""
    return "localhost" if host in EVERY_ADDRESS else _bracketed(host)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def run(app: ASGIApp, listening: socket.socket) -> None:
    """Serve until SIGINT or SIGTERM, then stop in order and return."""
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


def leave() -> NoReturn:
    """End this process at once; for servers whose store and children are closed already.

    Streamlit's threads may still be drawing a page, in the middle of a library written in C++.
    Python would end such a thread as soon as it asks for the lock, and C++ then aborts the process.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
