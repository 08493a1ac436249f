"""Probes kept for use: weights in safetensors, all else in JSON beside them, whole or not at all.

    <the version's home>/models/probes/<task>.json           what it is, and the hash of its weights
    <the version's home>/models/probes/<task>.safetensors    weights, bias, calibration

A probe reads the vectors of one version only; one that was learned on others is as good as none.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from indexer.disk import explained, write_atomically
from indexer.encoders.protocol import Vectors
from indexer.library import Library
from indexer.probes.metrics import Floats
from indexer.probes.rows import Row
from indexer.probes.task import TaskName
from qdrant.schema import CONTEXT

PROBES_FOLDER = "probes"
FORMAT = 1


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
    labels_hash: str = ""  # of the labels file's content
    num_clips: int = 0  # learned from
    value: float = float("nan")  # of the task's measure, on titles not learned from

    def scores(self, vectors: Vectors) -> Floats:
        """Return how likely each label is (num_vectors, num_classes) of `vectors`, 0..1.

        For popularity it is no likelihood, but where among all clips: a half is the middle.
        """
        logits = (vectors @ self.weights + self.bias) * self.calibration[0] + self.calibration[1]
        return np.asarray(1 / (1 + np.exp(-np.clip(logits, -60, 60))), np.float32)


def keep_probe(library: Library, probe: KeptProbe) -> Path:
    """Write a probe into the library's version, in place of the task's former one.

    Returns the file that tells of it. Raises `CannotRunNow` where the library cannot be written.
    """
    from safetensors.numpy import save

    arrays = {name: getattr(probe, name) for name in ("weights", "bias", "calibration")}
    payload = save({name: np.ascontiguousarray(a, np.float32) for name, a in arrays.items()})
    told = {name: value for name, value in vars(probe).items() if name not in arrays}
    record = {"format": FORMAT, **told, "weights_hash": sha256(payload).hexdigest()}
    path = _path(library, probe.task)
    with explained(library.root):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path.with_suffix(".safetensors"), payload)
        write_atomically(path, json.dumps(record, indent=1, ensure_ascii=False).encode())
    return path


def kept_probe(library: Library, task: TaskName) -> KeptProbe | None:
    """Return the probe kept for a task; None: there is none for these vectors."""
    path = _path(library, task)
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        weights = path.with_suffix(".safetensors").read_bytes()
    except (OSError, ValueError):
        return None
    if record.pop("format", None) != FORMAT:
        return None
    if record.pop("weights_hash", None) != sha256(weights).hexdigest():  # it is being written
        return None
    probe = _restored(record, weights)
    is_ours = probe.version == library.version
    if probe.row == CONTEXT:
        is_ours &= probe.checkpoint == library.checkpoint_id()
    return probe if is_ours else None


def _restored(record: dict[str, Any], weights: bytes) -> KeptProbe:
    from safetensors.numpy import load

    fields: dict[str, Any] = {**record, "classes": tuple(record["classes"]), **load(weights)}
    return KeptProbe(**fields)


def _path(library: Library, task: TaskName) -> Path:
    return library.models_folder / PROBES_FOLDER / f"{task}.json"
