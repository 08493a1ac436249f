"""A context model on disk: weights in safetensors, all else in JSON, whole or not at all.

    folder/context.json                 config, metrics, fingerprint, and the id of the weights
    folder/context-<id>.safetensors     the weights; the id is their hash
    folder/training.png                 how the loss fell, for people

The weights carry their hash in their name, so a new model never overwrites the one in use: the
JSON, renamed last, is what switches from one to the other.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from hashlib import sha256
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from indexer.context.curve import FEWEST_STEPS, draw_curve
from indexer.context.evaluation import Evaluation
from indexer.context.model import ContextConfig, ContextModel
from indexer.context.train import Metrics, Trained
from indexer.context.validation import Look
from indexer.disk import write_atomically
from qdrant.errors import CannotRunNow

FORMAT = 2
"""Raised when a checkpoint's files change their meaning. What a record lacks takes its default:
a config or record that has grown is no new meaning as long as the defaults are what was before."""

RECORD = "context.json"
CURVE = "training.png"
ID_LENGTH = 16
"""Hexadecimal digits."""


@dataclass(frozen=True)
class Checkpoint:
    """A context model as it was saved."""

    id: str  # hash of the weights: names the model version
    model: ContextModel  # on the CPU, ready for use
    config: ContextConfig
    metrics: Metrics
    fingerprint: str  # of the data it was trained on, as the caller named it


def save_checkpoint(folder: Path, trained: Trained, *, fingerprint: str) -> str:
    """Write the model so that a reader finds the former one or this one; return its id.

    `fingerprint` is the caller's hash of the title ids and generations trained on. Raises
    CannotRunNow where the folder cannot be written.
    """
    weights = safetensors.torch.save(
        {name: tensor.contiguous() for name, tensor in trained.model.state_dict().items()}
    )
    model_id = _id_of(weights)
    record = {
        "format": FORMAT,
        "id": model_id,
        "fingerprint": fingerprint,
        "config": asdict(trained.model.config),
        "metrics": asdict(trained.metrics),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(_weights_path(folder, model_id), weights)
        if len(trained.losses) >= FEWEST_STEPS:
            write_atomically(folder / CURVE, draw_curve(trained.losses, trained.metrics.looks))
        write_atomically(folder / RECORD, json.dumps(record, indent=2).encode())
        for former in folder.glob("context-*.safetensors"):
            if former != _weights_path(folder, model_id):
                former.unlink()
    except OSError as error:
        raise CannotRunNow(
            f"The context model cannot be written to {folder} ({error}); make room or choose "
            "another library, then run `trimbin train` again."
        ) from error
    return model_id


def load_checkpoint(folder: Path) -> Checkpoint:
    """Return the model saved in a folder. Raises CannotRunNow where there is none or it is damaged.

    Nothing random is drawn: the state of the process's generators is left as it was.
    """
    try:
        record = json.loads((folder / RECORD).read_bytes())
    except FileNotFoundError as error:
        raise CannotRunNow(
            f"There is no context model in {folder}; run `trimbin train` to make one."
        ) from error
    except (OSError, ValueError) as error:
        raise _damaged(folder, f"{RECORD} cannot be read") from error
    try:
        return _restore(folder, record)
    except CannotRunNow:
        raise
    except Exception as error:  # whatever a strange file makes the readers raise
        raise _damaged(folder, f"its files do not fit together: {error}") from error


def _restore(folder: Path, record: Mapping[str, Any]) -> Checkpoint:
    if record["format"] != FORMAT:
        raise _damaged(folder, f"its format is {record['format']} and this program reads {FORMAT}")
    weights = _weights_path(folder, record["id"]).read_bytes()
    if _id_of(weights) != record["id"]:
        raise _damaged(folder, "the weights are not those that were saved")
    _check_names(folder, ContextConfig, record["config"])
    _check_names(folder, Metrics, record["metrics"])
    config = ContextConfig(**record["config"])
    with torch.random.fork_rng(devices=[]):  # the initial weights, drawn only to be replaced
        model = ContextModel(config)
    model.load_state_dict(safetensors.torch.load(weights))
    return Checkpoint(
        id=record["id"],
        model=model.eval(),
        config=config,
        metrics=_metrics(record["metrics"]),
        fingerprint=record["fingerprint"],
    )


def _metrics(record: Mapping[str, Any]) -> Metrics:
    evaluation = Evaluation(**record["evaluation"])
    looks = tuple(Look(**look) for look in record.get("looks", ()))
    return Metrics(**{**record, "evaluation": evaluation, "looks": looks})


def _check_names(folder: Path, kind: type[ContextConfig | Metrics], record: Iterable[str]) -> None:
    """Raise where a record has what this program has never heard of."""
    unknown = sorted(set(record) - {known.name for known in fields(kind)})
    if unknown:
        raise _damaged(folder, f"a newer Trimbin wrote it, which knows {', '.join(unknown)}")


def _damaged(folder: Path, reason: str) -> CannotRunNow:
    return CannotRunNow(
        f"The context model in {folder} cannot be used ({reason}); run `trimbin train` to make "
        "it anew."
    )


def _id_of(weights: bytes) -> str:
    return sha256(weights).hexdigest()[:ID_LENGTH]


def _weights_path(folder: Path, model_id: str) -> Path:
    return folder / f"context-{model_id}.safetensors"
