"""Vectors that were paid for, kept so that nobody pays twice."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from indexer.encoders.protocol import Vectors

logger = logging.getLogger(__name__)

BUSY_TIMEOUT_S = 30.0
MAX_VARIABLES = 500
"""SQLite builds allow at least 999 placeholders in a statement."""


class PaidCache:
    """Vectors by the hash of what they were asked for. Holds neither the text nor the key.

    A file that is not a database is put aside and begun anew: it costs money, never an answer.
    """

    def __init__(self, path: Path, *, asked: Sequence[str | int]) -> None:
        """`asked` is what decides a vector besides its text: endpoint, model, dimensions."""
        self._path = path
        self._asked = list(asked)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._begin()
        except sqlite3.DatabaseError as error:
            aside = path.with_suffix(".damaged")
            logger.warning("%s is damaged (%s) and is put aside as %s.", path, error, aside.name)
            path.replace(aside)
            self._begin()

    def find(self, texts: Sequence[str]) -> dict[str, Vectors]:
        """Return the vectors that are here, text -> (dim,) float32."""
        keys = {self._key(text): text for text in texts}
        found: dict[str, Vectors] = {}
        with self._open() as database:
            for start in range(0, len(keys), MAX_VARIABLES):
                some = list(keys)[start : start + MAX_VARIABLES]
                marks = ",".join("?" * len(some))
                rows = database.execute(
                    f"SELECT key, vector FROM vectors WHERE key IN ({marks})", some
                )
                found |= {keys[key]: np.frombuffer(blob, np.float32) for key, blob in rows}
        return found

    def keep(self, vectors: Mapping[str, Vectors]) -> None:
        """Keep vectors, text -> (dim,) float32."""
        rows = [
            (self._key(text), row.astype(np.float32).tobytes()) for text, row in vectors.items()
        ]
        with self._open() as database:
            database.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", rows)

    def _key(self, text: str) -> bytes:
        return hashlib.sha256(json.dumps([*self._asked, text]).encode()).digest()

    def _begin(self) -> None:
        with self._open() as database:
            database.execute(
                "CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB NOT NULL)"
            )

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        # A connection a call: threads and processes share the file, never a connection.
        connection = sqlite3.connect(self._path, timeout=BUSY_TIMEOUT_S)
        with contextlib.closing(connection), connection:
            yield connection
