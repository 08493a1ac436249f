"""`trimbin.toml`: which library a folder is, and which version of it is in use.

The file is replaced in one step and by one process at a time, so whoever reads it finds what it
said before or after, and nobody's change is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tomlkit
from filelock import FileLock

from indexer.disk import explained, write_atomically

SETTINGS_FILE = "trimbin.toml"


def read_settings(root: Path) -> dict[str, Any]:
    """Return what the file says now. Raises `OSError` or `ValueError` where it cannot be read."""
    return tomlkit.parse((root / SETTINGS_FILE).read_text(encoding="utf-8")).unwrap()


def write_settings(root: Path, settings: Mapping[str, Any]) -> None:
    """Replace the file; a None is left out. Raises `CannotRunNow`."""
    plain = {name: value for name, value in settings.items() if not isinstance(value, Mapping)}
    tables = {name: value for name, value in settings.items() if name not in plain}
    told = {name: value for name, value in {**plain, **tables}.items() if value is not None}
    with explained(root):
        write_atomically(root / SETTINGS_FILE, tomlkit.dumps(told).encode())


def change_settings(root: Path, change: Callable[[dict[str, Any]], Mapping[str, Any]]) -> None:
    """Replace the file by what `change` makes of what it says. Raises `CannotRunNow`."""
    with alone(root):
        write_settings(root, change(read_settings(root)))


@contextmanager
def alone(root: Path) -> Iterator[None]:
    """Let one process at a time make a library, so that two first runs make one and not two."""
    with explained(root):
        root.mkdir(parents=True, exist_ok=True)
        lock = FileLock(root / ".lock")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
