"""What is made of weights once and kept on disk: made anew whenever the file is no good."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from indexer import environment
from indexer.disk import write_atomically
from indexer.encoders.protocol import Vectors
from indexer.encoders.weights import onnx_session

logger = logging.getLogger(__name__)

LoadedT = TypeVar("LoadedT")


def derived(name: str, *, made_of: str, make: Callable[[], Vectors]) -> Vectors:
    """Return an array from the user's cache, or make it and keep it there.

    `made_of` is all that decides the array: another text is another file. A cache that cannot be
    read or written costs time and nothing else.
    """
    from safetensors.numpy import load, save

    return _kept(
        f"{name}-{_digest(made_of)}.safetensors",
        make=lambda: save({"vectors": np.ascontiguousarray(make())}),
        load=lambda content: np.asarray(load(content)["vectors"], dtype=np.float32),
    )


def derived_session(
    name: str, *, made_of: str, make: Callable[[], bytes], threads: int | None = None
) -> Any:
    """Return an onnxruntime session of a model from the user's cache, or export and keep it.

    `make` returns the model's bytes. `threads` as in `onnx_session`.
    """
    return _kept(
        f"{name}-{_digest(made_of)}.onnx",
        make=make,
        load=lambda content: onnx_session(content, threads=threads),
    )


def _digest(made_of: str) -> str:
    return hashlib.sha256(made_of.encode()).hexdigest()[:16]


def _kept(file: str, *, make: Callable[[], bytes], load: Callable[[bytes], LoadedT]) -> LoadedT:
    path = environment.user_cache() / "derived" / file
    if path.is_file():
        try:
            return load(path.read_bytes())
        # A damaged file shows itself as whatever its reader meets first.
        except Exception as error:
            logger.warning("%s is damaged (%s) and is made anew.", path, error)
    content = make()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content)
    except OSError as error:
        logger.warning("%s cannot be kept (%s); it will be made again.", path, error)
    return load(content)
