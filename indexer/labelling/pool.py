"""Every shot of a library at hand, in few numbers, for probes that are learned while one waits.

Contextual vectors have thousands of numbers; what tells shots apart lies in the few hundred
directions in which they differ most (principal components). These are found once on a sample, and
each title's shots are kept along them in the library's cache, so that only titles that have come or
changed are read.
"""

from __future__ import annotations

import hashlib
import io
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from indexer.disk import explained, write_atomically
from indexer.encoders.protocol import Vectors
from indexer.library import Library
from indexer.manifest import Manifest
from indexer.probes.rows import Row, shot_vectors
from indexer.progress import Progress, silent
from qdrant.errors import CannotRunNow
from qdrant.schema import CONTEXT

logger = logging.getLogger(__name__)

POOL_FOLDER = "pool"
BASIS_FILE = "basis.npz"
MAX_DIRECTIONS = 256
SAMPLED_SHOTS = 6000
"""Of all titles evenly: what the directions are found on."""
TITLES_SAMPLED = 200
EXPECTED_WEIGHT = 0.5
"""How much what a title lets expect of a shot counts beside what it is: docs/experiments.md."""
GROWN = 4
"""How many times as many shots a library has when its directions are found anew."""


@dataclass(frozen=True)
class Basis:
    """The directions in which a library's shots differ most, as lines of a row's vectors."""

    row: Row
    weights: Vectors  # (dim,) by which a vector's numbers are multiplied first
    mean: Vectors  # (dim,) of what comes of that
    directions: Vectors  # (num_directions, dim), orthonormal
    scale: float  # by which what lies along them is divided: their mean square is 1 then
    num_shots: int  # of the library when they were found
    made_of: str  # the version, the row, the context model
    name: str  # a hash of all this

    def along(self, vectors: Vectors) -> Vectors:
        """Return vectors (num, dim) along the directions: (num, num_directions) float32."""
        weighed = vectors * self.weights - self.mean
        return np.asarray(weighed @ self.directions.T / self.scale, np.float32)

    def outward(self, weights: Vectors, bias: float) -> tuple[Vectors, float]:
        """Return weights (num_directions,) and a bias as they are for the row's own vectors."""
        weighed = np.asarray(weights @ self.directions / self.scale, np.float32)
        return weighed * self.weights, bias - float(weighed @ self.mean)


@dataclass(frozen=True)
class Pool:
    """All shots of a library, title by title."""

    basis: Basis
    titles: tuple[Manifest, ...]
    vectors: Vectors  # (num_shots, num_directions)
    bounds: NDArray[np.int64]  # (num_shots, 2) first frame and the one after the last
    title: NDArray[np.int32]  # (num_shots,) which of `titles`
    first: dict[str, int]  # title_id -> where its shots begin

    @property
    def num_shots(self) -> int:
        """How many shots there are."""
        return len(self.vectors)

    def shot_of(self, place: int) -> tuple[Manifest, int]:
        """Return the title and the number in it of the shot at a place."""
        manifest = self.titles[self.title[place]]
        return manifest, place - self.first[manifest.title_id]

    def touched(self, title_id: str, start_frame: int, end_frame: int) -> NDArray[np.int64]:
        """Return the places of the shots that frames `[start, end)` of a title touch."""
        if title_id not in self.first:
            return np.empty(0, np.int64)
        begin = self.first[title_id]
        of_title = np.flatnonzero(self.title == self.title[begin])
        bounds = self.bounds[of_title]
        return of_title[(bounds[:, 0] < end_frame) & (bounds[:, 1] > start_frame)]


def pool_of(library: Library, *, progress: Progress = silent) -> Pool:
    """Return all shots of a library; what changed since is read, the rest comes from its cache.

    Raises `CannotRunNow` for a library without finished titles.
    """
    row = row_of(library)
    titles = [m for m in library.in_use() if m.num_shots and (row != CONTEXT or row in m.spaces)]
    if not titles:
        raise CannotRunNow("There are no shots to learn from: index a title first.")
    basis = _basis(library, row, titles, progress)
    parts, bounds, kept = [], [], []
    for number, manifest in enumerate(titles):
        progress("Reading shots", number, len(titles))
        try:
            part, part_bounds = _of_title(library, manifest, basis)
        except OSError as error:  # being removed
            logger.info("%s is passed over: %s", manifest.title, error)
            continue
        parts.append(part)
        bounds.append(part_bounds)
        kept.append(manifest)
    progress("Reading shots", len(titles), len(titles))
    lengths = [len(part) for part in parts]
    starts = np.concatenate([[0], np.cumsum(lengths)])[:-1].tolist()
    return Pool(
        basis=basis,
        titles=tuple(kept),
        vectors=np.concatenate(parts),
        bounds=np.concatenate(bounds),
        title=np.repeat(np.arange(len(kept), dtype=np.int32), lengths),
        first={m.title_id: start for m, start in zip(kept, starts, strict=True)},
    )


def row_of(library: Library) -> Row:
    """Return which vectors are read: those in context, where the library has them."""
    return "context" if any(CONTEXT in m.spaces for m in library.in_use()) else "fused"


def _basis(library: Library, row: Row, titles: Sequence[Manifest], progress: Progress) -> Basis:
    """Return the library's directions: those kept, while they are of its model and its size."""
    path = library.cache_folder / POOL_FOLDER / BASIS_FILE
    checkpoints = {m.checkpoint for m in titles} if row == "context" else set()
    made_of = f"{library.version} {row} {sorted(map(str, checkpoints))}"
    num_shots = sum(m.num_shots for m in titles)
    kept = _kept_basis(path, made_of)
    if kept and num_shots < GROWN * kept.num_shots:
        return kept
    progress("Finding directions", 0, 1)
    basis = basis_of(_sample(library, row, titles), row, num_shots=num_shots, made_of=made_of)
    buffer = io.BytesIO()
    np.savez(buffer, **vars(basis))
    _keep(library, path, buffer.getvalue(), instead_of="*.npz")
    progress("Finding directions", 1, 1)
    return basis


def basis_of(sample: Vectors, row: Row, *, num_shots: int = 0, made_of: str = "") -> Basis:
    """Return the directions in which some shots (num, dim) differ most."""
    weights = np.ones(sample.shape[1], np.float32)
    if row == CONTEXT:
        weights[sample.shape[1] // 2 :] = EXPECTED_WEIGHT
    weighed = sample * weights
    mean = weighed.mean(axis=0)
    _, values, lines = np.linalg.svd(weighed - mean, full_matrices=False)
    directions = np.ascontiguousarray(lines[:MAX_DIRECTIONS], np.float32)
    scale = float(np.sqrt((values[:MAX_DIRECTIONS] ** 2).mean() / len(sample))) or 1.0
    name = hashlib.sha256(made_of.encode() + mean.tobytes() + directions.tobytes()).hexdigest()
    return Basis(row, weights, mean, directions, scale, num_shots, made_of, name[:12])


def _kept_basis(path: Path, made_of: str) -> Basis | None:
    try:
        with np.load(path) as kept:
            fields = {name: kept[name] for name in kept.files}
        basis = Basis(**{n: v if v.ndim else v.item() for n, v in fields.items()})
    except (OSError, ValueError, TypeError, KeyError, EOFError, BadZipFile):  # none, or damaged
        return None
    return basis if basis.made_of == made_of else None


def _sample(library: Library, row: Row, titles: Sequence[Manifest]) -> Vectors:
    """Return some shots of titles all over the library: (num, dim)."""
    some = titles[:: max(1, len(titles) // TITLES_SAMPLED)]
    each = max(1, SAMPLED_SHOTS // len(some))
    parts = []
    for manifest in some:
        vectors = shot_vectors(library, manifest, row)
        places = np.linspace(0, len(vectors) - 1, min(each, len(vectors))).astype(int)
        parts.append(vectors[places])
    return np.concatenate(parts)


def _of_title(
    library: Library, manifest: Manifest, basis: Basis
) -> tuple[Vectors, NDArray[np.int64]]:
    """Return a title's shots along the directions, and their frames."""
    generation = hashlib.sha256(manifest.generation.encode()).hexdigest()[:12]
    name = f"{manifest.title_id}-{generation}-{basis.name}.npz"
    path = library.cache_folder / POOL_FOLDER / name
    try:
        with np.load(path) as kept:
            return np.asarray(kept["vectors"], np.float32), kept["bounds"]
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        pass  # none yet, or damaged
    vectors = basis.along(shot_vectors(library, manifest, basis.row))
    table = library.shots(manifest.title_id).iloc[: manifest.num_shots]
    bounds = table[["start_frame", "end_frame"]].to_numpy(np.int64)
    buffer = io.BytesIO()
    np.savez(buffer, vectors=vectors.astype(np.float16), bounds=bounds)
    _keep(library, path, buffer.getvalue(), instead_of=f"{manifest.title_id}-*.npz")
    return np.asarray(vectors.astype(np.float16), np.float32), bounds


def _keep(library: Library, path: Path, content: bytes, *, instead_of: str) -> None:
    """Keep a file in the cache; where nothing can be written, it is made again next time."""
    try:
        with explained(library.root):
            path.parent.mkdir(parents=True, exist_ok=True)
            for stale in path.parent.glob(instead_of):
                stale.unlink(missing_ok=True)
            write_atomically(path, content)
    except CannotRunNow as error:
        logger.info("not kept: %s", error)
