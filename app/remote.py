"""`trimbin search --server`: a library that another machine serves is asked, and answers alike."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import fields, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from app.hosting import LOOPBACK
from app.moment import Moment, Source
from app.named_files import NamedFile, named_files, with_files
from app.parsing import parse
from app.request import Clip, Request
from app.search import Answer
from qdrant.errors import CannotRunNow, InputError, UsageError

logger = logging.getLogger(__name__)

TIMEOUT_S = 600.0
"""A clip is looked at for as long as it takes; a server that is not there is told at once."""
CONNECT_TIMEOUT_S = 10.0


def ask(
    server: str,
    query: str,
    *,
    token: str | None = None,
    dials: Mapping[str, Any],
    transport: httpx.BaseTransport | None = None,
) -> dict[str, Any]:
    """Return a server's answer as its documented JSON; a file that the query names is sent along.

    `dials` are those of `app.dials.request_of`. Raises `UsageError` for what the server cannot
    take, `InputError` for a file that is not here, `CannotRunNow` where it does not answer.
    """
    url = _address(server, token)
    request = parse(query)
    asked = {name: value for name, value in dials.items() if value is not None}
    host = urlsplit(url).hostname
    with (
        ExitStack() as opened,
        httpx.Client(
            base_url=url,
            timeout=httpx.Timeout(TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
            headers={"Authorization": f"Bearer {token}"} if token else {},
            trust_env=host not in LOOPBACK,  # a proxy has no business there
            transport=transport,
        ) as client,
    ):
        try:
            if named := _one_file(request):
                path = Path(named.path).expanduser()
                stream = opened.enter_context(_readable(path).open("rb"))
                kind = "clip" if isinstance(named, Clip) else "image"
                query = str(with_files(request, lambda file: replace(file, path=path.name)))
                reply = client.post(
                    f"/search/{kind}",
                    params={**asked, "query": query},
                    files={"file": (path.name, stream)},
                )
            else:
                reply = client.post("/search", json={**asked, "query": query})
        except httpx.HTTPError as error:
            raise CannotRunNow(
                f"No Trimbin server answers at {server} ({error or type(error).__name__}). Start "
                "one there with `trimbin serve`, or correct `--server`."
            ) from error
    return _understood(reply, server)


def answer_of(reply: Mapping[str, Any]) -> Answer:
    """Return the answer that documented JSON tells; what later versions add to it is left out."""
    found = [(_moment(hit), hit.get("confident", True)) for hit in reply["hits"]]
    return Answer(
        query=reply["query"],
        hits=tuple(moment for moment, is_confident in found if is_confident),
        weak=tuple(moment for moment, is_confident in found if not is_confident),
        notes=tuple(reply["notes"]),
        took_ms=reply["took_ms"],
    )


def _moment(hit: Mapping[str, Any]) -> Moment:
    known = {field.name: hit[field.name] for field in fields(Moment) if field.name in hit}
    known["shots"] = tuple(known["shots"])
    known["steps"] = tuple(map(tuple, known.get("steps", ())))
    known["sources"] = tuple(
        Source(source["kind"], source["text"], source["start_s"]) for source in known["sources"]
    )
    known["tags"] = {group: tuple(names) for group, names in known.get("tags", {}).items()}
    return Moment(**known)


def _address(server: str, token: str | None) -> str:
    parts = urlsplit(server)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(
            f"{server!r} is no address of a server; write `--server http://localhost:8600`."
        )
    if token and parts.scheme == "http" and parts.hostname not in LOOPBACK:
        logger.warning("The token travels to %s in clear; use https.", parts.hostname)
    return server


def _one_file(request: Request) -> NamedFile | None:
    """Return the file that a request names, or None; terms may name the same one again."""
    named = list(named_files(request))
    if len({(type(file), file.path) for file in named}) > 1:
        raise UsageError("A server is asked with one file at a time; leave the others out.")
    return named[0] if named else None


def _readable(path: Path) -> Path:
    if not path.is_file():
        raise InputError(f"There is no file {path}.")
    return path


def _understood(reply: httpx.Response, server: str) -> dict[str, Any]:
    """Return what a reply says, or raise what went wrong there."""
    try:
        said = json.loads(reply.content)
        if reply.is_success and "hits" in said:
            return dict(said)
        sentence = str(said["error"])
    except (ValueError, KeyError, TypeError) as error:
        raise CannotRunNow(
            f"{server} answers, but not as a Trimbin server does (HTTP {reply.status_code}). "
            "Correct `--server`."
        ) from error
    raise (CannotRunNow if reply.is_server_error else UsageError)(sentence)
