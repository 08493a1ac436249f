"""Classifiers of labels kept in the library, so that every shot can be told what holds of it.

    <the version's home>/models/labels/<hash of the name>.npz

One reads the vectors of one version and one context model only; of others it is as good as none.
"""

from __future__ import annotations

import hashlib
import io
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from indexer.disk import explained, write_atomically
from indexer.encoders.protocol import Vectors
from indexer.labelling.learner import Learned
from indexer.labelling.pool import Basis
from indexer.library import Library
from indexer.probes.rows import Row
from qdrant.schema import CONTEXT

logger = logging.getLogger(__name__)

LABELS_FOLDER = "labels"


@dataclass(frozen=True, eq=False)
class KeptClassifier:
    """How likely a label holds of a shot, as answers taught it."""

    name: str
    row: Row  # whose vectors it reads
    weights: Vectors  # (dim,)
    bias: float
    num_yes: int
    num_no: int
    version: str  # the model version it was learned on
    checkpoint: str  # and the context model; empty where its row is of none

    def scores(self, vectors: Vectors) -> NDArray[np.float32]:
        """Return how sure it is of each shot's own vector: (num_shots,), 0..1."""
        return np.asarray(1 / (1 + np.exp(-(vectors @ self.weights + self.bias))), np.float32)

    @property
    def digest(self) -> str:
        """A hash of what decides its word."""
        told = self.name.encode() + self.weights.tobytes() + np.float64(self.bias).tobytes()
        return hashlib.sha256(told).hexdigest()[:16]


def keep_classifier(library: Library, name: str, basis: Basis, learned: Learned) -> KeptClassifier:
    """Keep a label's classifier in place of its former one, and return it.

    Raises `CannotRunNow` where the library cannot be written.
    """
    weights, bias = basis.outward(learned.weights, learned.bias)
    kept = KeptClassifier(
        name, basis.row, weights, bias, learned.num_yes, learned.num_no, library.version,
        (library.checkpoint_id() or "") if basis.row == CONTEXT else "",
    )  # fmt: skip
    buffer = io.BytesIO()
    np.savez(buffer, **vars(kept))
    path = _path(library, name)
    with explained(library.root):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, buffer.getvalue())
    return kept


def forget_classifier(library: Library, name: str) -> None:
    """Keep a label's classifier no longer. Raises `CannotRunNow` as `keep_classifier`."""
    with explained(library.root):
        _path(library, name).unlink(missing_ok=True)


def kept_classifiers(library: Library) -> list[KeptClassifier]:
    """Return the classifiers that read this version's vectors, by name."""
    found = [c for c in _all(library) if _is_ours(c, library)]
    return sorted(found, key=lambda c: c.name)


def names_kept(library: Library) -> dict[str, bool]:
    """Return the labels that have a classifier: name -> whether it reads this version's vectors."""
    return {c.name: _is_ours(c, library) for c in sorted(_all(library), key=lambda c: c.name)}


def _all(library: Library) -> Iterator[KeptClassifier]:
    for path in (library.models_folder / LABELS_FOLDER).glob("*.npz"):
        try:
            with np.load(path) as kept:
                fields = {name: kept[name] for name in kept.files}
            yield KeptClassifier(**{n: v if v.ndim else v.item() for n, v in fields.items()})
        except (OSError, ValueError, TypeError, KeyError, EOFError, BadZipFile) as error:
            logger.warning("%s cannot be read (%s); keep the label anew.", path, error)


def _is_ours(kept: KeptClassifier, library: Library) -> bool:
    checkpoint = (library.checkpoint_id() or "") if kept.row == CONTEXT else ""
    return (kept.version, kept.checkpoint) == (library.version, checkpoint)


def _path(library: Library, name: str) -> Path:
    digest = hashlib.sha256(name.encode()).hexdigest()[:16]
    return library.models_folder / LABELS_FOLDER / f"{digest}.npz"
