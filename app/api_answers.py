"""What the API does to answer: questions of words, questions with a file that was sent along."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

from app.api_forms import AskBesides, shot_forms, title_form
from app.dials import request_of
from app.named_files import NamedFile, Reach, along_with
from app.opened import Opened
from app.request import Request
from app.serve_media import title_named
from qdrant.errors import CannotRunNow, InputError, TrimbinError, UsageError

UNSAFE = re.compile(r"[^\w.]+")
NAME_CHARACTERS = 60
"""A name of so many characters is short enough for every file system, in any script."""


def answer(held: Opened, request: Request, reach: Reach) -> Mapping[str, Any]:
    """Return the answer as the documented JSON; paths of this disk are told to nobody.

    Raises `UsageError` for a file that cannot be read: whoever named it can name another.
    """
    try:
        found = held.answer(reach.resolve(request))
    except CannotRunNow:
        raise
    except InputError as error:
        raise UsageError(reach.told(str(error))) from error
    except TrimbinError as error:
        raise type(error)(reach.told(str(error))) from error
    notes = tuple(map(reach.told, found.notes))
    return replace(found, query=str(request), notes=notes).to_json()


def answer_to_file(
    held: Opened, sent: BinaryIO, name: str, *, kind: type[NamedFile], ask: AskBesides
) -> Mapping[str, Any]:
    """Return the answer to a file that was sent along; it is kept for as long as that takes."""
    safe = _safe(name)
    query = ask.query or f'{kind.__name__.lower()}:"{safe}"'
    request = along_with(request_of(**ask.as_request(query)), kind(safe))
    try:
        with TemporaryDirectory(prefix="trimbin-sent-") as folder:
            path = Path(folder) / safe
            with path.open("wb") as stream:
                shutil.copyfileobj(sent, stream)
            return answer(held, request, Reach({name: path, safe: path}))
    except OSError as error:
        raise CannotRunNow(
            f"There is no room here for what was sent ({error.strerror or error}). Try a shorter "
            "piece, or again later."
        ) from error


def title(held: Opened, title_id: str) -> dict[str, Any]:
    """Return a title and its shots. Raises `InputError` where it is not there."""
    library = held.library
    manifest = library.manifest(title_named(title_id))
    return {**title_form(manifest), "shots": shot_forms(library, manifest)}


def _safe(name: str) -> str:
    """Return what a file may be called here, whatever it was called elsewhere."""
    last = PurePath(name.replace("\\", "/")).name
    return UNSAFE.sub("_", last)[-NAME_CHARACTERS:].lstrip(".") or "file"
