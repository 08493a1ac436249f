"""Writing to a library's folder: whole or not at all, and a refusal told as a sentence."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from qdrant.errors import CannotRunNow


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all, also after a crash."""
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        with part.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def explained(root: Path) -> Iterator[None]:
    """Turn an operating system's refusal to write into a sentence about this library."""
    try:
        yield
    except OSError as error:
        raise CannotRunNow(
            f"The library at {root} cannot be written ({error.strerror or error}). Check its "
            "permissions and free space, or choose another folder with `--library`."
        ) from error
