"""Who owns an embedded shard: an OS lock that dies with its holder, and a card that names it.

The lock alone decides. `owner.json` beside it says who holds it and where that process answers;
it is read only by those who found the lock taken, and outlives its owner only after a crash.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from qdrant.errors import StoreUnavailable

logger = logging.getLogger(__name__)

LOCK, CARD = "owner.lock", "owner.json"


@dataclass(frozen=True)
class Owner:
    """A process that owns a shard, as it describes itself."""

    pid: int
    command: str  # e.g. "trimbin ui"
    started_at: str  # ISO 8601, UTC
    url: str | None = None  # its loopback address; None until it answers there
    token: str = ""  # what a reader must show there

    def __str__(self) -> str:
        return f"`{self.command}` (process {self.pid}, since {self.started_at})"


class Ownership:
    """This process's hold on a shard's folder."""

    def __init__(self, folder: Path, lock: FileLock, owner: Owner) -> None:
        self._folder = folder
        self._lock = lock
        self.owner = owner

    def announce(self, url: str) -> None:
        """Write down the loopback address at which this process answers."""
        self.owner = replace(self.owner, url=url)
        self._write()

    def release(self) -> None:
        """Take the card away and free the lock. Calling it twice does nothing."""
        if self._lock.is_locked:
            (self._folder / CARD).unlink(missing_ok=True)
            self._lock.release()

    def _write(self) -> None:
        """Put the card in place in one step, for this user's eyes only: it holds the token."""
        draft = self._folder / f"{CARD}.{self.owner.pid}"
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(asdict(self.owner), file)
        draft.replace(self._folder / CARD)


def acquire(folder: Path, *, command: str) -> Ownership | None:
    """Take the shard in `folder`, or return None where a living process has it.

    A previous owner that died without closing is named in a warning. Raises StoreUnavailable
    where the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / LOCK, thread_local=False)
        lock.acquire(timeout=0)
    except Timeout:
        return None
    except (OSError, NotImplementedError) as error:
        raise StoreUnavailable(
            f"The folder {folder} cannot be locked ({error}); make it writable, or move the "
            f"library to a disk that knows file locks."
        ) from error
    dead = read_card(folder)
    if dead is not None:
        logger.warning("%s died without closing the library; carrying on from there", dead)
    owner = Owner(
        pid=os.getpid(),
        command=command,
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
        token=secrets.token_urlsafe(32),
    )
    ownership = Ownership(folder, lock, owner)
    try:
        ownership._write()
    except OSError as error:
        lock.release()
        raise StoreUnavailable(
            f"The folder {folder} cannot be written ({error.strerror}); free some room there or "
            f"make it writable."
        ) from error
    return ownership


def read_card(folder: Path) -> Owner | None:
    """Return what the owner wrote down, or None where there is nothing readable (yet)."""
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
        return Owner(**card)
    except (OSError, ValueError, TypeError):
        return None
