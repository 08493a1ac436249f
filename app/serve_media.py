"""The pictures and sound of a library over HTTP, for the page's own player.

    /film/{title_id}                        the title's own file
    /film/{title_id}/proxy?start=..&end=..  a playable stand-in around a moment (seconds)
    /film/{title_id}/still?frame=N          a frame as PNG, full size
    /thumbs/{title_id}/{shot}.jpg           a shot's picture
    /sheets/{title_id}/{shot}.jpg           frames of a shot side by side, to run through

An address names a title; where its file lies comes from the manifest alone. (Streamlit keeps
`/media/` for itself.) Ranges, 416 and HEAD are Starlette's, which streams in small chunks.
"""

from __future__ import annotations

import mimetypes
import re
import stat
import uuid
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from app.proxy import proxy_for
from app.still import still
from indexer.library import Library
from indexer.manifest import Manifest
from qdrant.errors import CannotRunNow, InputError, TrimbinError, UsageError

SAFETY_HEADERS = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; media-src 'self'; img-src 'self'; sandbox",
    "Cache-Control": "private, no-cache",
}
"""Another site can neither embed nor read a film, and a film can never be taken for a page."""

MEDIA_TYPES = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".webm": "video/webm",
    ".mkv": "video/x-matroska",
    ".m4a": "audio/mp4",
    ".mp3": "audio/mpeg",
    ".wav": "audio/wav",
    ".flac": "audio/flac",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".aac": "audio/aac",
}

FRAME = re.compile(r"[0-9]{1,9}")

OpenLibrary = Callable[[], Library]


def film_address(title_id: str) -> str:
    """Return the path of a title's own file on this server."""
    return f"/film/{title_id}"


def proxy_address(title_id: str, start_s: float, end_s: float) -> str:
    """Return the path of the proxy of a moment on this server."""
    span = urlencode({"start": f"{start_s:.3f}", "end": f"{end_s:.3f}"})
    return f"/film/{title_id}/proxy?{span}"


def still_address(title_id: str) -> str:
    """Return the path of a title's frames on this server, to be followed by a frame's number."""
    return f"/film/{title_id}/still?frame="


def thumbnail_address(title_id: str, shot: int) -> str:
    """Return the path of a shot's picture on this server."""
    return f"/thumbs/{title_id}/{shot}.jpg"


def sheet_address(title_id: str, shot: int) -> str:
    """Return the path of a shot's sheet on this server."""
    return f"/sheets/{title_id}/{shot}.jpg"


def media_routes(open_library: OpenLibrary) -> list[BaseRoute]:
    """Return the routes. `open_library` is called anew for each request, in a worker thread."""

    async def serve_film(request: Request) -> Response:
        return await _answer(lambda: film(open_library(), _title_id(request)))

    async def serve_proxy(request: Request) -> Response:
        return await _answer(
            lambda: proxy(
                open_library(),
                _title_id(request),
                *(_seconds(request, n) for n in ("start", "end")),
            )
        )

    async def serve_still(request: Request) -> Response:
        return await _answer(lambda: still_of(open_library(), _title_id(request), _frame(request)))

    async def serve_thumbnail(request: Request) -> Response:
        shot = request.path_params["shot"]
        return await _answer(lambda: thumbnail(open_library(), _title_id(request), shot))

    async def serve_sheet(request: Request) -> Response:
        shot = request.path_params["shot"]
        return await _answer(lambda: sheet(open_library(), _title_id(request), shot))

    return [
        Route("/film/{title_id}", serve_film),  # GET brings HEAD with it
        Route("/film/{title_id}/proxy", serve_proxy),
        Route("/film/{title_id}/still", serve_still),
        Route("/thumbs/{title_id}/{shot:int}.jpg", serve_thumbnail),
        Route("/sheets/{title_id}/{shot:int}.jpg", serve_sheet),
    ]


async def _answer(find: Callable[[], Response]) -> Response:
    """Return the file found, or the sentence that says why there is none."""
    try:
        return await run_in_threadpool(find)
    except UsageError as error:
        return _sentence(error, status_code=400)
    except CannotRunNow as error:
        return _sentence(error, status_code=503)
    except TrimbinError as error:
        return _sentence(error, status_code=404)


def film(library: Library, title_id: str) -> FileResponse:
    """Return a title's own file. Raises `InputError` where it is not there."""
    manifest = library.manifest(title_id)
    return _file(
        Path(manifest.path),
        media_type=_media_type(manifest),
        otherwise=f"The file of {manifest.title!r} is not where it was last seen. Put it back, or "
        "index it where it is now.",
    )


def proxy(library: Library, title_id: str, start_s: float, end_s: float) -> FileResponse:
    """Return a playable stand-in around a moment. Raises `InputError` for what is not there."""
    made = proxy_for(library, library.manifest(title_id), start_s, end_s)
    return _file(made.path, media_type="video/mp4", otherwise="The preview has gone: ask again.")


def still_of(library: Library, title_id: str, frame: int) -> Response:
    """Return a frame as a picture to be kept. Raises `InputError` for a frame that is not there."""
    name = f"attachment; filename={title_id[:8]}-{frame:06d}.png"
    headers = {**SAFETY_HEADERS, "Content-Disposition": name}
    return Response(still(library, title_id, frame), media_type="image/png", headers=headers)


def thumbnail(library: Library, title_id: str, shot: int) -> FileResponse:
    """Return a shot's picture. Raises `InputError` where it has none."""
    path = library.thumbnail(title_id, shot)
    return _file(path, media_type="image/jpeg", otherwise=f"Shot {shot} has no picture.")


def sheet(library: Library, title_id: str, shot: int) -> FileResponse:
    """Return a shot's sheet of frames. Raises `InputError` where it has none."""
    path = library.sheet(title_id, shot)
    return _file(path, media_type="image/jpeg", otherwise=f"Shot {shot} has no sheet of frames.")


def _file(path: Path, *, media_type: str, otherwise: str) -> FileResponse:
    try:
        found = path.stat()
    except OSError as error:
        raise InputError(otherwise) from error
    if not stat.S_ISREG(found.st_mode):
        raise InputError(otherwise)
    return FileResponse(path, media_type=media_type, headers=SAFETY_HEADERS, stat_result=found)


def _title_id(request: Request) -> str:
    return title_named(request.path_params["title_id"])


def title_named(asked: str) -> str:
    """Return the title id of an address in its one spelling, which is also a folder's name.

    Raises `InputError` for what is none.
    """
    try:
        return str(uuid.UUID(asked))
    except ValueError as error:
        raise InputError("There is no such title: a title's id is a UUID.") from error


def _seconds(request: Request, name: str) -> float:
    try:
        return float(request.query_params[name])
    except (KeyError, ValueError) as error:
        raise UsageError(
            f"A preview needs `{name}` in seconds, as in `?start=1.5&end=4`."
        ) from error


def _frame(request: Request) -> int:
    asked = request.query_params.get("frame", "")
    if not FRAME.fullmatch(asked):
        raise UsageError("A still needs the number of its frame, as in `?frame=240`.")
    return int(asked)


def _media_type(manifest: Manifest) -> str:
    suffix = Path(manifest.path).suffix.lower()
    guessed = MEDIA_TYPES.get(suffix) or mimetypes.guess_type(manifest.path)[0] or ""
    # Whatever a file calls itself, it is served as film or sound, never as a page.
    return guessed if guessed.startswith(("video/", "audio/")) else "video/mp4"


def _sentence(error: TrimbinError, *, status_code: int) -> Response:
    return PlainTextResponse(f"{error}\n", status_code=status_code, headers=SAFETY_HEADERS)
