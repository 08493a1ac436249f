"""A trailer sent to the page, conformed in a child process, and deleted when that ends.

Whatever is in the file, only the child opens it: a decoder that falls over takes nothing with it.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from app.adding import Adding, Work
from app.sent import Sent
from qdrant.errors import CannotRunNow

KINDS = ("mp4", "mov", "mkv", "webm", "m4v", "mxf", "avi", "mpg", "ts")
MAX_TRAILER_MB = 512

conforming = Adding()
"""The trailer that this process conforms, or the last one until it is put away."""


@dataclass
class Edl:
    """The edit decision list of the last trailer."""

    name: str = ""
    content: bytes = b""


edl = Edl()


def begin_conform(sent: Sent, library_root: Path, *, name: str, who: str) -> Work:
    """Conform a trailer into the shortlist `name`, in a child process.

    Raises `CannotRunNow` while another is under way, and where there is no room for it.
    """
    if conforming.work and conforming.work.is_running:
        raise CannotRunNow("Another trailer is being conformed; wait for it, or stop it.")
    try:
        folder = TemporaryDirectory(prefix="trimbin-conform-")
        path = Path(folder.name) / sent.name
        path.write_bytes(sent.content)
    except OSError as error:
        raise CannotRunNow(
            f"There is no room here for the trailer ({error.strerror or error}). Try a smaller "
            "file, or again later."
        ) from error
    made = Path(folder.name) / "edl"
    options = [f"--library={library_root}", f"--list={name}", f"--by={who}", "--format=edl",
               f"--into={made}", "--json", "--tell-progress"]  # fmt: skip
    edl.name, edl.content = "", b""
    try:
        work = conforming.begin(sent.name, ["conform", *options, "--", path])
    except CannotRunNow:
        folder.cleanup()
        raise
    threading.Thread(target=_clear, args=(work, folder, made), name="conform", daemon=True).start()
    return work


def _clear(work: Work, folder: TemporaryDirectory[str], made: Path) -> None:
    """Keep the EDL and delete all else, as soon as the child has ended."""
    try:
        work.process.wait()
        for path in made.glob("*.edl"):
            edl.content, edl.name = path.read_bytes(), path.name
    finally:
        folder.cleanup()
