"""Probes kept for use: weights in safetensors, all else in JSON beside them.

    <the version's home>/models/probes/<task>.json           what it is
    <the version's home>/models/probes/<task>.safetensors    weights, bias, calibration

A probe reads the vectors of one version only; one that was learned on others is as good as none.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from indexer.disk import explained, write_atomically
from indexer.encoders.protocol import Vectors
from indexer.library import Library
from indexer.probes.rows import Row
from qdrant.schema import CONTEXT

TaskName = Literal["ads", "popularity", "tone", "genre", "retrieval"]
Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class KeptProbe:
    """A linear probe as it is used: how likely each label holds of a vector."""

    task: TaskName
    classes: tuple[str, ...]
    row: Row  # whose vectors it reads
    weights: Floats  # (dim, num_classes)
    bias: Floats  # (num_classes,)
    calibration: Floats  # (2, num_classes): a score times the first plus the second, in logits
    version: str  # the model version it was learned on
    checkpoint: str | None  # and the context model, where its row is of one

    def scores(self, vectors: Vectors) -> Floats:
        """Return how likely each label is (num_vectors, num_classes) of `vectors`, 0..1."""
        logits = (vectors @ self.weights + self.bias) * self.calibration[0] + self.calibration[1]
        return np.asarray(1 / (1 + np.exp(-np.clip(logits, -60, 60))), np.float32)


def keep_probe(library: Library, probe: KeptProbe) -> None:
    """Write a probe into the library's version. Raises `CannotRunNow`."""
    from safetensors.numpy import save

    arrays = {name: getattr(probe, name) for name in ("weights", "bias", "calibration")}
    payload = save({name: np.ascontiguousarray(a, np.float32) for name, a in arrays.items()})
    told = {name: value for name, value in vars(probe).items() if name not in arrays}
    folder = library.models_folder / "probes"
    with explained(library.root):
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / f"{probe.task}.safetensors", payload)
        write_atomically(folder / f"{probe.task}.json", json.dumps(told).encode())


def kept_probe(library: Library, task: TaskName) -> KeptProbe | None:
    """Return the probe kept for a task; None: there is none for these vectors."""
    from safetensors.numpy import load

    folder = library.models_folder / "probes"
    try:
        told: dict[str, Any] = json.loads((folder / f"{task}.json").read_text(encoding="utf-8"))
        arrays: dict[str, Any] = load((folder / f"{task}.safetensors").read_bytes())
    except (OSError, ValueError):
        return None
    probe = KeptProbe(**{**told, "classes": tuple(told["classes"])}, **arrays)
    is_ours = probe.version == library.version
    if probe.row == CONTEXT:
        is_ours &= probe.checkpoint == library.checkpoint_id()
    return probe if is_ours else None
