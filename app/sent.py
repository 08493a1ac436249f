"""Clips and pictures that somebody sends along with a question on the page.

They lie on the disk for as long as one search takes. A question names them by the name they were
sent with, `clip:"temp.mov"`, and finds them again while the page holds them.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from typing import TypeVar

from app.named_files import NamedFile, Reach, bounded, named_files, with_files
from app.request import Clip, Request
from qdrant.errors import CannotRunNow, InputError, TrimbinError, UsageError

CLIP_KINDS = ("mp4", "mov", "mkv", "webm", "m4v", "mxf", "avi", "mpg", "ts", "wav", "mp3", "m4a")
PICTURE_KINDS = ("jpg", "jpeg", "png", "webp", "tif", "tiff", "bmp", "gif")
MAX_CLIP_MB = 256
MAX_PICTURE_MB = 64
PROBE_TIMEOUT_S = 30.0
PROBE = (
    "import sys, pathlib; from indexer.media.probe import probe; probe(pathlib.Path(sys.argv[1]))"
)
"""Run in a process of its own: a broken file may take a decoder down with it."""
UNSAFE = re.compile(r"[^\w.]+")
NAME_CHARACTERS = 60

AnswerT = TypeVar("AnswerT")


@dataclass(frozen=True)
class Sent:
    """A file that was sent along."""

    name: str  # letters, digits, dots: no path, whatever it was called elsewhere
    content: bytes

    @classmethod
    def of(cls, name: str, content: bytes) -> Sent:
        """Return a file under a name that is safe here."""
        last = PurePath(name.replace("\\", "/")).name
        return cls(UNSAFE.sub("_", last)[-NAME_CHARACTERS:].lstrip(".") or "file", content)

    @property
    def digest(self) -> str:
        """The sha256 of what it holds."""
        return hashlib.sha256(self.content).hexdigest()


def asked_for(request: Request, sent: Sequence[Sent]) -> list[Sent]:
    """Return the files sent along that a request names.

    Raises `UsageError` where it names one that was sent once and is not held any more.
    """
    named = [what.path for what in named_files(request)]
    for path in named:
        if "/" not in path and not any(s.name == path for s in sent) and not Path(path).is_file():
            raise UsageError(
                f"{path} is not here any more: what is sent is kept only for a while. Send it "
                "again, or take it out of the question."
            )
    return [one for one in sent if one.name in named]


def answer_with(
    request: Request, sent: Sequence[Sent], search: Callable[[Request], AnswerT]
) -> tuple[AnswerT, Reach]:
    """Return what `search` answers with the files in their places, and how to tell of them.

    They are gone again when this returns. Raises as `search` does, without their folder, and
    `CannotRunNow` where there is no room for them.
    """
    try:
        with TemporaryDirectory(prefix="trimbin-sent-") as folder:
            reach = Reach({one.name: Path(folder) / one.name for one in sent})
            for one in sent:
                reach.sent[one.name].write_bytes(one.content)
            try:
                return search(with_files(request, lambda named: _placed(named, reach))), reach
            except CannotRunNow:
                raise
            except TrimbinError as error:
                raise type(error)(reach.told(str(error))) from error
    except OSError as error:
        raise CannotRunNow(
            f"There is no room here for what was sent ({error.strerror or error}). Try a shorter "
            "piece, or again later."
        ) from error


def _placed(named: NamedFile, reach: Reach) -> NamedFile:
    path = reach.sent.get(named.path)
    if path is None:
        return named
    found = replace(named, path=str(path))
    if not isinstance(found, Clip):
        return found
    _probe_apart(path)
    return bounded(found)


def _probe_apart(path: Path) -> None:
    """Raise `InputError` for a clip that cannot even be opened, in a process of its own."""
    command = [sys.executable, "-c", PROBE, str(path)]
    root = Path(__file__).parent.parent
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=PROBE_TIMEOUT_S, cwd=root, check=False
        )
    except subprocess.TimeoutExpired:
        done = None
    if done is None or done.returncode != 0:
        raise InputError(
            f"{path.name} is not a film or sound that can be read here. If it plays elsewhere, "
            "re-wrap or re-export it."
        )
