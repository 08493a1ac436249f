"""Small arrays made of weights once and kept on disk: made anew whenever the file is no good."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np

from indexer import environment
from indexer.disk import write_atomically
from indexer.encoders.protocol import Vectors

logger = logging.getLogger(__name__)


def derived(name: str, *, made_of: str, make: Callable[[], Vectors]) -> Vectors:
    """Return an array from the user's cache, or make it and keep it there.

    `made_of` is all that decides the array: another text is another file. A cache that cannot be
    read or written costs time and nothing else.
    """
    digest = hashlib.sha256(made_of.encode()).hexdigest()[:16]
    path = environment.user_cache() / "derived" / f"{name}-{digest}.safetensors"
    kept = _read(path) if path.is_file() else None
    return _make(path, make) if kept is None else kept


def _read(path: Path) -> Vectors | None:
    from safetensors.numpy import load

    try:
        return np.asarray(load(path.read_bytes())["vectors"], dtype=np.float32)
    # A damaged file shows itself as whatever safetensors meets first.
    except Exception as error:
        logger.warning("%s is damaged (%s) and is made anew.", path, error)
        return None


def _make(path: Path, make: Callable[[], Vectors]) -> Vectors:
    from safetensors.numpy import save

    vectors = make()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, save({"vectors": np.ascontiguousarray(vectors)}))
    except OSError as error:
        logger.warning("%s cannot be kept (%s); it will be made again.", path, error)
    return vectors
