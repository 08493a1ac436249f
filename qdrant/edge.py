"""The embedded backend: a qdrant-edge shard in a folder, held by one process."""

from __future__ import annotations

import errno
import json
import logging
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import qdrant_edge as edge
from qdrant_client import models

from qdrant import edge_types
from qdrant.backend import Fields, ScoredPoint, StoredPoint
from qdrant.errors import StoreUnavailable, TrimbinError
from qdrant.gate import Gate
from qdrant.schema import REVISION, Schema

MIN_FREE_BYTES = 128 * 2**20
"""Room a disk must have before points are written. The shard writes through mapped files, where
a full disk is no error that could be caught but kills the process (SIGBUS)."""

FLUSH_EVERY_POINTS = 4096
"""The log of writes is cut at a flush, and read again at opening after a crash. A flush takes some
0.3 s on a slow disk however little there is to write: each payload index has files of its own."""

SHARD, UNFINISHED = "shard", "shard.unfinished"
CONFIG, STORED = "edge_config.json", "stored.revision"
"""In which a shard says what it holds, and how that is stored."""

DELETED = "deleted"
"""In a shard out of which points were deleted: the engine's own idf counts them for ever."""

logger = logging.getLogger(__name__)


class EdgeBackend:
    """A Backend in `folder`. Threads may read and write at once; other processes may not."""

    shared = False

    def __init__(self, folder: Path, *, min_free_bytes: int = MIN_FREE_BYTES) -> None:
        self._folder = folder
        self._min_free_bytes = min_free_bytes
        self._shard: edge.EdgeShard | None = None
        self._writing = threading.RLock()
        self._reading = Gate()
        self._unflushed = 0  # points
        self._counts_deleted = False  # whether the engine's own idf does

    def ensure(self, schema: Schema) -> None:
        """Open the shard, made first if it isn't there.

        One with vectors of other spaces or lengths, or shots stored otherwise, is an earlier
        Trimbin's: it is made anew, and empty, for all in it can be published again. Raises
        StoreUnavailable naming the folder: unwritable, full, damaged.
        """
        with self._named("be opened"):
            self._folder.mkdir(parents=True, exist_ok=True)
            path = self._folder / SHARD
            if path.exists() and not _is_laid_out(path, schema):
                logger.info("%s is of another layout: it is made anew", path)
                shutil.rmtree(path)
            if not path.exists():
                self._require_room()
                self._create(path, schema)
            self._load(schema)

    def upsert(
        self, points: Sequence[models.PointStruct], *, only_if: models.Filter | None = None
    ) -> None:
        """Write points; with `only_if`, one that exists is replaced only where it matches."""
        condition = None if only_if is None else edge_types.filter_(only_if)
        operation = edge.UpdateOperation.upsert_points(
            [edge_types.point(point) for point in points], condition=condition
        )
        with self._writing:
            if only_if is None:
                # Deletions and the registry go on within the reserve: they are the way back.
                self._require_room()
            before = self.num_points()
            self._update(operation)
            # What is replaced is deleted, but the registry's point has nothing that is counted.
            if self.num_points() < before + len(points) and any(p.vector for p in points):
                self._note_deletion()
            self._unflushed += len(points)
            if self._unflushed >= FLUSH_EVERY_POINTS:
                self.flush()

    def delete(self, which: models.Filter) -> None:
        """Delete every point that matches."""
        with self._writing:
            self._note_deletion()
            self._update(edge.UpdateOperation.delete_points_by_filter(edge_types.filter_(which)))

    def query_batch(self, requests: Sequence[models.QueryRequest]) -> list[list[ScoredPoint]]:
        """Return the scored points of each request, best first."""
        batch = edge.QueryBatchRequest(edge_types.queries(requests, corpora=self._counts_deleted))
        with self._read("be searched") as shard:
            answers = shard.query_batch(batch)
        return [[edge_types.scored(point) for point in answer] for answer in answers]

    def retrieve(
        self, ids: Sequence[str], *, payload: Fields = False, vectors: Fields = False
    ) -> list[StoredPoint]:
        """Return those of these points that exist, in any order."""
        with self._read("be read") as shard:
            points = shard.retrieve(
                list(ids),
                with_payload=edge_types.fields(payload),
                with_vector=edge_types.fields(vectors),
            )
        return [edge_types.stored(point) for point in points]

    def scroll(
        self,
        which: models.Filter | None,
        *,
        limit: int,
        offset: str | None = None,
        payload: Fields = True,
    ) -> tuple[list[StoredPoint], str | None]:
        """Return a page of points in the order of their ids, and where the next one begins."""
        request = edge.ScrollRequest(
            limit=limit,
            offset=offset,
            filter=None if which is None else edge_types.filter_(which),
            with_payload=edge_types.fields(payload),
            with_vector=False,
        )
        with self._read("be read") as shard:
            points, following = shard.scroll(request)
        page = [edge_types.stored(point) for point in points]
        return page, None if following is None else str(following)

    def count(self, which: models.Filter | None) -> int:
        """Return exactly how many points match."""
        where = None if which is None else edge_types.filter_(which)
        with self._read("be counted") as shard:
            return shard.count(edge.CountRequest(exact=True, filter=where))

    def num_points(self) -> int:
        """Return how many points there are, at no cost; the registry is one of them."""
        with self._read("be counted") as shard:
            return shard.info().points_count

    def flush(self) -> None:
        """Return once everything written would outlive a power cut."""
        with self._writing, self._named("be flushed"):
            self._open().flush()
            self._unflushed = 0

    @contextmanager
    def still(self) -> Iterator[Path]:
        """Yield the shard's folder with all writes in it; nothing is written until the end."""
        with self._writing:
            self.flush()
            yield self._folder / SHARD

    def exchange(self, schema: Schema, put_in_place: Callable[[], None]) -> None:
        """Close the shard, have another put in its place, and open that. Reads wait meanwhile."""
        with self._writing, self._reading.alone():
            self.close()
            try:
                put_in_place()
            finally:
                with self._named("be opened"):
                    self._load(schema)

    def close(self) -> None:
        """Flush and let go of the shard."""
        with self._writing, self._named("be closed"):
            shard, self._shard = self._shard, None
            if shard is not None:
                shard.close()  # which flushes

    def _load(self, schema: Schema) -> None:
        path = self._folder / SHARD
        self._counts_deleted = (path / DELETED).exists()
        self._shard = edge.EdgeShard.load(str(path), edge_types.config(schema))

    def _note_deletion(self) -> None:
        if not self._counts_deleted:
            with self._named("be written"):
                (self._folder / SHARD / DELETED).touch()
            self._counts_deleted = True

    def _update(self, operation: edge.UpdateOperation) -> None:
        with self._writing, self._named("be written"):
            self._open().update(operation)

    def _create(self, path: Path, schema: Schema) -> None:
        """Make the shard and its indexes aside, so that one that is there is whole."""
        unfinished = self._folder / UNFINISHED
        shutil.rmtree(unfinished, ignore_errors=True)
        shard = edge.EdgeShard.create(str(unfinished), edge_types.config(schema))
        for operation in edge_types.payload_indexes():
            shard.update(operation)
        shard.flush()
        shard.close()
        (unfinished / STORED).write_text(str(REVISION), encoding="utf-8")
        unfinished.rename(path)

    @contextmanager
    def _read(self, deed: str) -> Iterator[edge.EdgeShard]:
        with self._reading.together(), self._named(deed):
            yield self._open()

    def _open(self) -> edge.EdgeShard:
        if self._shard is None:
            raise StoreUnavailable(f"The shard in {self._folder} is closed; open it again.")
        return self._shard

    def _require_room(self) -> None:
        with self._named("be written"):
            if shutil.disk_usage(self._folder).free < self._min_free_bytes:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._folder))

    @contextmanager
    def _named(self, deed: str) -> Iterator[None]:
        """Tell whatever goes wrong, down to a panic in the engine, with the folder's name."""
        try:
            yield
        except TrimbinError:
            raise
        except BaseException as error:
            if not isinstance(error, Exception) and type(error).__module__ != "pyo3_runtime":
                raise
            raise StoreUnavailable(self._message(deed, error)) from error

    def _message(self, deed: str, error: BaseException) -> str:
        what = f"The shard in {self._folder} could not {deed}"
        if getattr(error, "errno", None) == errno.ENOSPC or "No space left" in str(error):
            return f"{what}, because the disk is full; free some room and try again."
        if isinstance(error, OSError):
            return f"{what} ({error.strerror}); make the folder writable or name another."
        return f"{what} ({error}); if it stays so, `trimbin rebuild` makes it anew."


def _is_laid_out(shard: Path, schema: Schema) -> bool:
    """Whether a shard holds what this Trimbin stores; a damaged one is left to say so itself."""
    dims = _dims_in(shard)
    if dims is None:
        return True
    try:
        told = (shard / STORED).read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        told = ""
    return dims == dict(schema.dims) and told == str(REVISION)


def _dims_in(shard: Path) -> dict[str, int] | None:
    """Return the lengths of the vectors that a shard holds; None where it cannot be told."""
    try:
        vectors = json.loads((shard / CONFIG).read_text(encoding="utf-8"))["vectors"]
        return {space: int(told["size"]) for space, told in vectors.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
