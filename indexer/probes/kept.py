"""A probe that has been learned, kept beside the version whose vectors it reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError

from indexer.disk import explained, write_atomically
from indexer.encoders.protocol import Vectors
from indexer.library import Library
from indexer.probes.rows import Row
from qdrant.schema import CONTEXT

PROBES_FOLDER = "probes"


@dataclass(frozen=True)
class KeptProbe:
    """A linear probe of one task, with the version and context model that it was learned on."""

    task: str
    classes: tuple[str, ...]
    row: Row
    weights: NDArray[np.float32]  # (dim, num_classes)
    bias: NDArray[np.float32]  # (num_classes,)
    calibration: NDArray[np.float32]  # (2, num_classes): slope and offset before the sigmoid
    version: str
    checkpoint: str | None  # the context model, where the row is in context

    def scores(self, vectors: Vectors) -> NDArray[np.float32]:
        """Return how sure it is of each class: (num_vectors, num_classes), 0..1."""
        slope, offset = self.calibration
        logits = slope * (vectors @ self.weights + self.bias) + offset
        return np.asarray(1 / (1 + np.exp(-np.clip(logits, -60, 60))), np.float32)


def keep_probe(library: Library, probe: KeptProbe) -> None:
    """Keep a probe in the version's home, in place of the one of its task."""
    from safetensors.numpy import save

    folder = library.models_folder / PROBES_FOLDER
    arrays = {name: getattr(probe, name) for name in ("weights", "bias", "calibration")}
    told = {name: value for name, value in asdict(probe).items() if name not in arrays}
    with explained(library.root):
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / f"{probe.task}.safetensors", save(arrays))
        write_atomically(folder / f"{probe.task}.json", json.dumps(told, indent=1).encode())


def kept_probe(library: Library, task: str) -> KeptProbe | None:
    """Return the probe kept for a task; None where there is none for the vectors in use."""
    probe = _read(library.models_folder / PROBES_FOLDER, task)
    if probe is None or probe.version != library.version:
        return None
    if probe.row == CONTEXT and probe.checkpoint != library.checkpoint_id():
        return None
    return probe


def _read(folder: Path, task: str) -> KeptProbe | None:
    from safetensors.numpy import load_file

    try:
        told: Mapping[str, Any] = json.loads((folder / f"{task}.json").read_text(encoding="utf-8"))
        arrays = load_file(folder / f"{task}.safetensors")
        return KeptProbe(**{**told, "classes": tuple(told["classes"]), **arrays})
    except (OSError, ValueError, TypeError, KeyError, SafetensorError):
        return None
