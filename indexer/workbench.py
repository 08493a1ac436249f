"""A title's folder while it is being made: stages recorded, so that work is never done twice."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock, Timeout

from indexer.disk import explained, write_atomically
from indexer.encoders.protocol import Vectors
from indexer.library import Library
from indexer.words.cues import Cue
from qdrant.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)

STAGES_FILE = "stages.json"


def digest(*parts: Any) -> str:
    """Return a short hash of JSON values: the name of a stage's inputs."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Workbench:
    """One title's folder, held by this process alone while it works there.

    `stages.json` keeps what is done from which inputs, where each space's vectors lie, and what a
    stage found worth telling.
    """

    def __init__(self, folder: Path, *, library_root: Path) -> None:
        self.folder = folder
        self._root = library_root
        record = self._read_record()
        self.done: dict[str, str] = record.get("done", {})
        self.spaces: dict[str, str] = record.get("spaces", {})
        self.notes: dict[str, list[str]] = record.get("notes", {})
        self.facts: dict[str, Any] = record.get("facts", {})

    def is_done(self, stage: str, inputs: str) -> bool:
        """Whether this stage has been finished from these very inputs."""
        return self.done.get(stage) == inputs

    @contextmanager
    def doing(self, stage: str, inputs: str) -> Iterator[list[str]]:
        """Do a stage, collecting notes; it is recorded as done only when the block ends well."""
        started = time.perf_counter()
        notes: list[str] = []
        yield notes
        self.notes[stage] = notes
        self.done[stage] = inputs
        record = {name: getattr(self, name) for name in ("done", "spaces", "notes", "facts")}
        self.write(STAGES_FILE, json.dumps(record, indent=1).encode())
        logger.info("%s %s: %.1f s", self.folder.name[:8], stage, time.perf_counter() - started)

    def write(self, file: str, content: bytes) -> None:
        """Write a file of the folder, whole or not at all. Raises `CannotRunNow`."""
        path = self.folder / file
        with explained(self._root):
            path.parent.mkdir(exist_ok=True)
            write_atomically(path, content)

    def save_table(self, name: str, table: pd.DataFrame) -> None:
        """Write a table, a row a shot."""
        buffer = io.BytesIO()
        table.to_parquet(buffer, index=False)
        self.write(f"{name}.parquet", buffer.getvalue())

    def table(self, name: str) -> pd.DataFrame:
        """Return a table saved under this name."""
        import pandas as pd

        return pd.read_parquet(self.folder / f"{name}.parquet")

    def save_cues(self, name: str, cues: Sequence[Cue]) -> None:
        """Keep cues under a name; see `cues`."""
        self.write(f"{name}.json", json.dumps([asdict(cue) for cue in cues]).encode())

    def cues(self, name: str) -> tuple[Cue, ...]:
        """Return the cues kept under a name; none where there are none."""
        try:
            kept = json.loads((self.folder / f"{name}.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return ()
        return tuple(Cue(**{**cue, "sounds": tuple(cue["sounds"])}) for cue in kept)

    def save_vectors(self, space: str, version: str, **vectors: Vectors) -> None:
        """Write a space's vectors, made by this version of its encoder, as safetensors."""
        from safetensors.numpy import save

        file = f"{space}@{version}.safetensors"
        self.write(file, save(dict(vectors)))
        self.spaces[space] = file

    def tidy(self, *, num_shots: int) -> None:
        """Remove what earlier versions and longer cuts of the title left behind."""
        for path in self.folder.glob("*@*.safetensors"):
            if path.name not in self.spaces.values():
                path.unlink(missing_ok=True)
        for path in (*self.folder.glob("thumbs/*.jpg"), *self.folder.glob("sheets/*.jpg")):
            if int(path.stem) >= num_shots:
                path.unlink(missing_ok=True)

    def vectors(self, space: str) -> dict[str, Vectors]:
        """Return a space's vectors, "shots" and for some "title"; empty where it has none."""
        file = self.spaces.get(space)
        return load_vectors(self.folder / file) if file else {}

    def _read_record(self) -> dict[str, Any]:
        try:
            return dict(json.loads((self.folder / STAGES_FILE).read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return {}


def load_vectors(path: Path) -> dict[str, Vectors]:
    """Return the named arrays of a safetensors file, float32."""
    from safetensors.numpy import load_file

    return {name: np.asarray(rows, np.float32) for name, rows in load_file(path).items()}


@contextmanager
def workbench(library: Library, title_id: str) -> Iterator[Workbench]:
    """Hold a title's folder. Raises `InputError` where another process is working on it."""
    folder = library.folder(title_id)
    with explained(library.root):
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / ".lock")
        try:
            lock.acquire(blocking=False)
        except Timeout as error:
            raise InputError(
                f"Title {title_id} is being indexed by another process; wait for it to finish."
            ) from error
    try:
        yield Workbench(folder, library_root=library.root)
    finally:
        lock.release()
