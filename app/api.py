"""The API: a library over HTTP, asked in the same words as `trimbin search` and answered alike."""

from __future__ import annotations

import json
import logging
from asyncio import CancelledError
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeVar

from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI, Query, Request, UploadFile
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, JSONResponse, Response

from app import api_answers, serve_media
from app.admission import Admission
from app.api_forms import Ask, AskBesides, Found, Health, Trouble, title_form
from app.api_page import PAGE_HEADERS, page_of
from app.dials import request_of
from app.named_files import NotShared, Reach, named_files
from app.opened import Opened
from app.request import Clip, Image
from qdrant.errors import CannotRunNow, TrimbinError, UsageError

logger = logging.getLogger(__name__)

MAX_BYTES = {"/search/image": 64 * 2**20, "/search/clip": 512 * 2**20}
"""How large a file may be; anything else that is sent is a question."""
SEARCHES_AT_ONCE = 16
"""More wait their turn; whoever asks for health waits for none of them."""
FILES_AT_ONCE = 2
"""Clips and pictures looked at, previews made: they take seconds where words take none."""
SENTENCES = {
    404: "There is nothing at this address; /docs says what there is.",
    405: "This address is not asked in that way; /docs says how.",
    413: "That is too much to send: a clip has 512 MiB at most, a picture 64, a question 1.",
}

ResultT = TypeVar("ResultT")


def make_api(
    held: Opened, *, hosts: Sequence[str], token: str | None = None, shared: Path | None = None
) -> FastAPI:
    """Return the API over a library; it is opened when the API starts, and closed when it ends.

    It answers to the names in `hosts`, to those who show `token` where there is one, and reads the
    files that questions name in the folder `shared` alone.
    """

    @asynccontextmanager
    async def lifespan(_api: FastAPI) -> AsyncIterator[None]:
        held.warm_up()  # opens the library too
        try:
            yield
        finally:
            held.close()

    api = FastAPI(
        title="Trimbin",
        summary="Find the moment: the shots of a library, asked in the words of `trimbin search`.",
        version="1",
        docs_url=None,  # those pages load scripts from another machine; ours is below
        redoc_url=None,
        lifespan=lifespan,
        middleware=[Middleware(Admission, hosts=hosts, token=token, limits=MAX_BYTES)],
        responses={"default": {"model": Trouble, "description": "Why not, in one sentence."}},
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    _tell_in_sentences(api)
    searches, looking = CapacityLimiter(SEARCHES_AT_ONCE), CapacityLimiter(FILES_AT_ONCE)
    _answer_questions(api, held, Reach(folder=shared), searches, looking)
    _tell_of_titles(api, held, searches, looking)

    @api.get("/health")
    async def health() -> Health:
        """Say whether the server is there. Needs no token."""
        return Health("ok" if held.is_open else "starting", held.is_warm)

    @api.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(page_of(api.openapi()), headers=PAGE_HEADERS)

    return api


def _answer_questions(
    api: FastAPI, held: Opened, reach: Reach, searches: CapacityLimiter, looking: CapacityLimiter
) -> None:
    found: dict[int | str, dict[str, Any]] = {200: {"model": Found}}

    async def find(ask: Ask) -> Response:
        request = request_of(**ask.as_request(ask.query))
        turns = looking if any(named_files(request)) else searches
        return _json(await _run(partial(api_answers.answer, held, request, reach), turns))

    async def find_like(file: UploadFile, kind: type[Clip | Image], ask: AskBesides) -> Response:
        work = partial(
            api_answers.answer_to_file, held, file.file, file.filename or "", kind=kind, ask=ask
        )
        return _json(await _run(work, looking))

    @api.get("/search", responses=found)
    async def search(ask: Annotated[Ask, Query()]) -> Response:
        """Find moments."""
        return await find(ask)

    @api.post("/search", responses=found)
    async def search_at_length(ask: Ask) -> Response:
        """Find moments, asked in JSON."""
        return await find(ask)

    @api.post("/search/clip", responses=found)
    async def search_clip(file: UploadFile, ask: Annotated[AskBesides, Query()]) -> Response:
        """Find moments like a film that is sent along, or like a span of it."""
        return await find_like(file, Clip, ask)

    @api.post("/search/image", responses=found)
    async def search_image(file: UploadFile, ask: Annotated[AskBesides, Query()]) -> Response:
        """Find moments that look like a picture that is sent along."""
        return await find_like(file, Image, ask)


def _tell_of_titles(
    api: FastAPI, held: Opened, searches: CapacityLimiter, looking: CapacityLimiter
) -> None:
    @api.get("/titles")
    async def titles() -> list[dict[str, Any]]:
        """List the titles, by name."""
        return await _run(lambda: [title_form(m) for m in held.library.titles()], searches)

    @api.get("/titles/{title_id}")
    async def title(title_id: str) -> Response:
        """Tell of a title and its shots: frames, seconds, timecode, what is said."""
        return _json(await _run(partial(api_answers.title, held, title_id), searches))

    @api.get("/titles/{title_id}/shots/{shot}/thumbnail", response_class=Response)
    async def thumbnail(title_id: str, shot: int) -> Response:
        """Send a shot's picture."""
        named = serve_media.title_named(title_id)
        return await _run(lambda: serve_media.thumbnail(held.library, named, shot), searches)

    @api.head("/titles/{title_id}/media", include_in_schema=False)
    @api.get("/titles/{title_id}/media", response_class=Response)
    async def media(title_id: str) -> Response:
        """Send a title's own file, or ranges of it."""
        named = serve_media.title_named(title_id)
        return await _run(lambda: serve_media.film(held.library, named), searches)

    @api.get("/titles/{title_id}/preview", response_class=Response)
    async def preview(title_id: str, start: float, end: float) -> Response:
        """Send a small MP4 of a moment, `[start, end)` in seconds, and a little around it."""
        named = serve_media.title_named(title_id)
        return await _run(lambda: serve_media.proxy(held.library, named, start, end), looking)


async def _run(work: Callable[[], ResultT], turns: CapacityLimiter) -> ResultT:
    try:
        return await to_thread.run_sync(work, limiter=turns)
    except CancelledError as error:  # the grace of a server that is being stopped is over
        raise CannotRunNow("This server is being stopped; ask again when it is back.") from error


def _json(answer: Mapping[str, Any]) -> Response:
    """Return just what the command line prints."""
    return Response(json.dumps(answer, ensure_ascii=False), media_type="application/json")


def _tell_in_sentences(api: FastAPI) -> None:
    """Have every trouble answered with `{"error": "..."}`."""

    @api.exception_handler(TrimbinError)
    async def ours(_request: Request, error: TrimbinError) -> Response:
        return _trouble(_status(error), str(error))

    @api.exception_handler(RequestValidationError)
    async def asked_wrongly(_request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"][1:]) or "what was sent"
        return _trouble(422, f"`{where}` cannot be taken: {_lower(first['msg'])}; /docs says how.")

    @api.exception_handler(HTTPException)
    async def refused(_request: Request, error: HTTPException) -> Response:
        told = SENTENCES.get(error.status_code, f"That cannot be taken: {_lower(error.detail)}.")
        return _trouble(error.status_code, told, error.headers)

    @api.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> Response:
        logger.error("%s %s", request.method, request.url.path, exc_info=error)
        return _trouble(
            500,
            f"Something went wrong that should not have ({type(error).__name__}). The server's own "
            "output says where; please report it.",
        )


def _status(error: TrimbinError) -> int:
    match error:
        case NotShared():
            return 403
        case UsageError():
            return 400
        case CannotRunNow():
            return 503
        case _:
            return 404


def _trouble(status: int, sentence: str, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse({"error": sentence}, status_code=status, headers=headers)


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:].rstrip(".")
