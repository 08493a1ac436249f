"""How an export's files are written: whole or not at all, and what is said where that fails."""

from __future__ import annotations

import errno
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from qdrant.errors import CannotRunNow, InputError

MAX_TOLD = 5
NO_ROOM = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))  # Windows has no quota


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Give a name to write under, renamed to `path` in the end; taken away where that fails.

    Raises `CannotRunNow` where the folder cannot be written.
    """
    with part_of(path) as part:
        yield part
        part.replace(path)


@contextmanager
def part_of(path: Path) -> Iterator[Path]:
    """Give a name to write under, and take the file away unless it was renamed."""
    part = path.with_name(f".{path.stem}.{uuid.uuid4().hex[:8]}{path.suffix}.part")
    try:
        yield part
    except OSError as error:
        if error.errno in NO_ROOM:
            raise disk_full(path.name) from error
        raise CannotRunNow(
            f"{path.name} cannot be written to {path.parent} ({error.strerror or error}). Check "
            "the folder's permissions and free space."
        ) from error
    finally:
        part.unlink(missing_ok=True)


def disk_full(name: str) -> CannotRunNow:
    """Return what is said when there is no room for a file."""
    return CannotRunNow(
        f"The disk is full: {name} could not be written whole and was taken away. Make room and "
        "export once more; clips that are finished are not rendered again."
    )


def left_out(
    failures: Sequence[InputError], *, num_cuts: int, what: str, folder: Path
) -> InputError:
    """Return what is said in the end about the cuts that could not be made."""
    told = " ".join(str(error) for error in failures[:MAX_TOLD])
    more = len(failures) - MAX_TOLD
    rest = f" And {more} more." if more > 0 else ""
    return InputError(
        f"{len(failures)} of {num_cuts} {what} could not be made; the others are in {folder}. "
        f"{told}{rest}"
    )
