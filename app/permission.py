"""Whether whoever opens the page may change what the library holds: add, relink, remove.

Paths typed into the page reach this machine's disk, and nobody is asked who they are. So it is
allowed where the page is for this machine alone, and elsewhere only when `trimbin ui` was told so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.hosting import LOOPBACK
from qdrant.errors import CannotRunNow, UsageError

WHY_NOT = (
    "This page is served to others, so titles are added, relinked and removed on the machine "
    "itself, or here when it is started with `trimbin ui --allow-changes`."
)
MAX_PATHS = 50
"""Paths that are taken at once."""


@dataclass
class _Allowed:
    changes: bool = False


_allowed = _Allowed()


def allow_changes(*, host: str, other_names: Sequence[str], explicitly: bool) -> None:
    """Settle once, when the page starts, whether it may change the library.

    `other_names` are those that a proxy may call this machine by: then others may come in, too.
    """
    _allowed.changes = explicitly or (host in LOOPBACK and not other_names)


def may_change() -> bool:
    """Return whether the page may change the library; before `allow_changes`: no."""
    return _allowed.changes


def need_permission() -> None:
    """Raise `CannotRunNow` where the page may not change the library."""
    if not may_change():
        raise CannotRunNow(WHY_NOT)


def paths_typed(text: str) -> list[Path]:
    """Return the paths that somebody typed, a line each, whole and without quotes.

    Only paths from the root or from `~` are taken: anything else would depend on where the page
    was started, and could be read as an option or an address. Raises `UsageError`.
    """
    lines = [line.strip().strip("\"'") for line in text.splitlines()]
    paths = [Path(line).expanduser() for line in lines if line]
    if not paths:
        raise UsageError("Type a path on this machine, a line each.")
    if len(paths) > MAX_PATHS:
        raise UsageError(f"At most {MAX_PATHS} paths at once; name their folder instead.")
    for path in paths:
        if not path.is_absolute() or "\0" in str(path):
            raise UsageError(f"{str(path)!r} is no whole path; write it from the root, or from ~.")
    return paths
