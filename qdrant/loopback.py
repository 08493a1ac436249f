"""The owner's read-only address: the part of Qdrant's REST API that our reads use.

A second process reads the library here through `qdrant.server`, as it would read a server. Only
this machine reaches it, and only with the token that the owner's card holds.
"""

from __future__ import annotations

import hmac
import json
import logging
import socketserver
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from pydantic import ValidationError
from qdrant_client import models

from qdrant.backend import Backend, ScoredPoint, StoredPoint
from qdrant.errors import TrimbinError, UsageError

logger = logging.getLogger(__name__)

MAX_BODY_BYTES = 16 * 2**20
"""The largest request: four vectors of 2,304 numbers and a thousand ids fit many times over."""
MAX_POINTS = 10_000
"""The most points one request may ask for."""
SOCKET_TIMEOUT_S = 30.0
"""How long a reader may take to send its request."""
POLL_S = 0.05
"""How long closing may have to wait for the listener to notice."""


class Loopback:
    """A listener on 127.0.0.1 that answers reads from the owner's backend, each in a thread."""

    def __init__(self, backend: Backend, *, collection: str, token: str) -> None:
        self._closing = threading.Event()
        ours = {
            "reads": _reads(backend, collection),
            "token": token,
            "closing": self._closing,
        }
        self._server = _Server(("127.0.0.1", 0), type("_OurHandler", (_Handler,), ours))
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(POLL_S,), name="loopback", daemon=True
        )
        self._thread.start()

    @property
    def url(self) -> str:
        """Return the address, with the port the system gave."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        """Stop listening; requests already here may find the backend gone, and are told so."""
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def server_bind(self) -> None:
        """Bind without asking DNS for our own name, which may take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Note a reader that hung up; nothing of ours is wrong."""
        logger.debug("a reader's request was broken off", exc_info=True)


class _RefusalError(Exception):
    """An answer other than 200: its status and what to say."""


class _Handler(BaseHTTPRequestHandler):
    reads: Mapping[str, Callable[[bytes], Any]] = {}
    token = ""
    closing = threading.Event()
    timeout = SOCKET_TIMEOUT_S

    def do_GET(self) -> None:
        """Say that the owner is alive."""
        self._answer(self._alive)

    def do_POST(self) -> None:
        """Answer a read."""
        self._answer(self._read)

    def do_PUT(self) -> None:
        """Refuse to be written."""
        self._answer(self._write)

    def do_PATCH(self) -> None:
        """Refuse to be written."""
        self._answer(self._write)

    def do_DELETE(self) -> None:
        """Refuse to be written."""
        self._answer(self._write)

    def log_message(self, format: str, *args: Any) -> None:
        """Keep requests out of the owner's terminal."""
        logger.debug(format, *args)

    def _alive(self) -> bool:
        if urlsplit(self.path).path != "/healthz":
            raise _RefusalError(HTTPStatus.NOT_FOUND, "nothing lives here")
        return True

    def _read(self) -> Any:
        read = self.reads.get(unquote(urlsplit(self.path).path))
        if read is None:
            raise _RefusalError(HTTPStatus.NOT_FOUND, "nothing lives here")
        length = self.headers.get("content-length", "")
        if not length.isascii() or not length.isdigit():
            raise _RefusalError(HTTPStatus.LENGTH_REQUIRED, "say how long the request is")
        if int(length) > MAX_BODY_BYTES:
            message = f"a request may have {MAX_BODY_BYTES} bytes"
            raise _RefusalError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, message)
        return read(self.rfile.read(int(length)))

    def _write(self) -> Any:
        raise _RefusalError(HTTPStatus.FORBIDDEN, "readers may not write; the owner does")

    def _answer(self, answer: Callable[[], Any]) -> None:
        """Send what `answer` returns in Qdrant's envelope, if the token is right."""
        try:
            shown = self.headers.get("api-key", "").encode()
            if not hmac.compare_digest(shown, self.token.encode()):
                raise _RefusalError(HTTPStatus.UNAUTHORIZED, "wrong token")
            status, body = HTTPStatus.OK, {"time": 0, "status": "ok", "result": answer()}
        except _RefusalError as refused:
            status, message = refused.args
            body = {"time": 0, "status": {"error": message}}
        except (ValidationError, UsageError) as error:
            status, body = HTTPStatus.BAD_REQUEST, {"time": 0, "status": {"error": str(error)}}
        except TrimbinError as error:
            closing = self.closing.is_set()
            status = HTTPStatus.GONE if closing else HTTPStatus.INTERNAL_SERVER_ERROR
            body = {"time": 0, "status": {"error": str(error)}}
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def answers(url: str, token: str, *, timeout_s: float) -> bool:
    """Whether the owner at this address answers, and knows the token."""
    request = urllib.request.Request(f"{url}/healthz", headers={"api-key": token})
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(request, timeout=timeout_s) as answer:
            return bool(answer.status == HTTPStatus.OK)
    except (OSError, ValueError):
        return False


def _reads(backend: Backend, collection: str) -> dict[str, Callable[[bytes], Any]]:
    """Return what can be asked: path -> what answers the body of a request to it."""

    def query_batch(body: bytes) -> Any:
        requests = models.QueryRequestBatch.model_validate_json(body).searches
        _bounded(*(request.limit for request in requests))
        return [
            {"points": [_scored(point) for point in answer]}
            for answer in backend.query_batch(requests)
        ]

    def retrieve(body: bytes) -> Any:
        wanted = models.PointRequest.model_validate_json(body)
        _bounded(len(wanted.ids))
        ids = [str(id_) for id_ in wanted.ids]
        payload, vectors = _fields(wanted.with_payload), _fields(wanted.with_vector)
        points = backend.retrieve(ids, payload=payload, vectors=vectors)
        return [_stored(point) for point in points]

    def scroll(body: bytes) -> Any:
        wanted = models.ScrollRequest.model_validate_json(body)
        limit = wanted.limit or 10
        _bounded(limit)
        points, following = backend.scroll(
            wanted.filter,
            limit=limit,
            offset=None if wanted.offset is None else str(wanted.offset),
            payload=_fields(wanted.with_payload),
        )
        return {"points": [_stored(point) for point in points], "next_page_offset": following}

    def count(body: bytes) -> Any:
        wanted = models.CountRequest.model_validate_json(body)
        return {"count": backend.count(wanted.filter)}

    root = f"/collections/{collection}/points"
    return {
        f"{root}/query/batch": query_batch,
        root: retrieve,
        f"{root}/scroll": scroll,
        f"{root}/count": count,
    }


def _bounded(*limits: int | None) -> None:
    if any(limit is not None and limit > MAX_POINTS for limit in limits):
        raise _RefusalError(HTTPStatus.BAD_REQUEST, f"at most {MAX_POINTS} points at a time")


def _fields(wanted: Any) -> bool | list[str]:
    """Return which fields are wanted; nothing but all, none or a list of names is taken."""
    if wanted is None or isinstance(wanted, bool):
        return bool(wanted)
    if isinstance(wanted, list):
        return [str(name) for name in wanted]
    raise _RefusalError(HTTPStatus.BAD_REQUEST, "name the fields in a list")


def _scored(point: ScoredPoint) -> dict[str, Any]:
    """Return a point as Qdrant tells of it; the version is one that nobody asks for."""
    told = {"id": point.id, "version": 0, "score": point.score}
    return told if point.payload is None else {**told, "payload": point.payload}


def _stored(point: StoredPoint) -> dict[str, Any]:
    told: dict[str, Any] = {"id": point.id, "payload": point.payload}
    if point.vector is not None:
        told["vector"] = {name: _plain(vector) for name, vector in point.vector.items()}
    return told


def _plain(vector: Any) -> Any:
    return vector.model_dump() if isinstance(vector, models.SparseVector) else vector
