"""Who may ask the API: by which name, from which page, with which token; and how much at once."""

from __future__ import annotations

import hmac
import os
import re
import secrets
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.hosting import LOOPBACK
from qdrant.errors import CannotRunNow, UsageError

TOKEN_FILE = "serve-token"
"""In the library's folder, for its owner alone to read."""
TOKEN = re.compile(r"[!-~]{16,200}")
"""Printable ASCII without spaces, long enough not to be guessed."""
TOKEN_BYTES = 32
MAX_BODY_BYTES = 2**20
OPEN_PATHS = frozenset({"/health", "/docs", "/openapi.json"})
"""These say nothing of the library, and are answered without a token."""


def token_for(host: str, library_root: Path, *, given: str | None) -> str | None:
    """Return the token that callers must show, or None where none is needed.

    On loopback none is, unless one is `given`. Elsewhere it is the given one, or the library's
    own, made at the first start. Raises `UsageError` for a token that could be guessed, and
    `CannotRunNow` for a file of it that others can read, or that cannot be written.
    """
    if given is not None:
        if not TOKEN.fullmatch(given):
            raise UsageError(
                "TRIMBIN_TOKEN must be 16 to 200 printable characters without spaces; make one "
                "with `openssl rand -hex 32`, or leave it out."
            )
        return given
    return None if host in LOOPBACK else _kept_token(library_root / TOKEN_FILE)


def _kept_token(path: Path) -> str:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read_token(path)
    except OSError as error:
        raise CannotRunNow(
            f"The token cannot be written to {path} ({error.strerror or error}). Set "
            "TRIMBIN_TOKEN instead."
        ) from error
    made = secrets.token_urlsafe(TOKEN_BYTES)
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        stream.write(f"{made}\n")
    return made


def _read_token(path: Path) -> str:
    try:
        mode = path.stat().st_mode
        token = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CannotRunNow(
            f"The token in {path} cannot be read ({error}). Delete the file to have it made anew, "
            "or set TRIMBIN_TOKEN."
        ) from error
    if os.name != "nt" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise CannotRunNow(
            f"Others can read the token in {path}. Delete the file to have it made anew, or keep "
            f"it with `chmod 600 {path}`."
        )
    if not TOKEN.fullmatch(token):
        raise CannotRunNow(f"{path} holds no token. Delete the file to have it made anew.")
    return token


class Admission:
    """Middleware that lets a request pass, or answers it with a sentence before anything is read.

    The name a caller uses for us must be one of ours; a page of another site may not make its
    visitor's browser ask; and where there is a token it must be shown. Of what is sent,
    `MAX_BODY_BYTES` are read, or what `limits` says for the path, and 413 is raised at the next.
    """

    def __init__(
        self, app: ASGIApp, *, hosts: Sequence[str], token: str | None, limits: Mapping[str, int]
    ) -> None:
        self._app = app
        self._hosts = list(hosts)
        self._token = token
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if not await self._is_called_by_name(scope, receive):
            refusal = _refusal(
                400,
                "This server does not answer to that name. Use this machine's own, or start it "
                "with `--allow-host NAME`.",
            )
        elif headers.get("sec-fetch-site") == "cross-site":
            refusal = _refusal(403, "Pages of other sites may not ask this server.")
        elif not self._is_admitted(scope["path"], headers):
            refusal = _refusal(
                401,
                "This server wants its token: send `Authorization: Bearer TOKEN`, or set "
                "TRIMBIN_TOKEN for `trimbin search`.",
                {"WWW-Authenticate": "Bearer"},
            )
        else:
            most = self._limits.get(scope["path"], MAX_BODY_BYTES)
            await self._app(scope, _at_most(most, receive, headers), send)
            return
        await refusal(scope, receive, send)

    async def _is_called_by_name(self, scope: Scope, receive: Receive) -> bool:
        """Return what Starlette's own check thinks of the Host header; the sentence is ours."""
        passed = False

        async def within(_scope: Scope, _receive: Receive, _send: Send) -> None:
            nonlocal passed
            passed = True

        async def nowhere(_message: Message) -> None: ...

        check = TrustedHostMiddleware(within, allowed_hosts=self._hosts, www_redirect=False)
        await check(scope, receive, nowhere)
        return passed

    def _is_admitted(self, path: str, headers: Headers) -> bool:
        if self._token is None or path in OPEN_PATHS:
            return True
        scheme, _, shown = headers.get("authorization", "").partition(" ")
        is_ours = hmac.compare_digest(shown.strip().encode("latin-1"), self._token.encode())
        return is_ours and scheme.lower() == "bearer"


def _at_most(most: int, receive: Receive, headers: Headers) -> Receive:
    """Return how to receive so many bytes of a body; one that says it has more stays unread."""
    stated = headers.get("content-length", "")
    received = int(stated) if stated.isdecimal() and int(stated) > most else 0

    async def receive_at_most() -> Message:
        nonlocal received
        message = await receive() if received <= most else {}
        received += len(message.get("body", b""))
        if received > most:
            raise HTTPException(413)
        return message

    return receive_at_most


def _refusal(status: int, sentence: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"error": sentence}, status_code=status, headers=headers)
