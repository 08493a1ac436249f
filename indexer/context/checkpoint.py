"""A context model on disk: weights in safetensors, all else in JSON, whole or not at all.

`record.py` tells its files; `reader.py` loads it without torch, for titles that are only read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from indexer.context.curve import FEWEST_STEPS, draw_curve
from indexer.context.evaluation import Evaluation
from indexer.context.model import ContextConfig, ContextModel
from indexer.context.record import (
    CURVE,
    FORMAT,
    RECORD,
    Record,
    check_names,
    id_of,
    read_record,
    weights_path,
)
from indexer.context.train import Metrics, Trained
from indexer.context.validation import Look
from indexer.disk import write_atomically
from indexer.tower.keep import KeptTower, tower_path
from qdrant.errors import CannotRunNow


@dataclass(frozen=True)
class Checkpoint:
    """A context model as it was saved."""

    id: str  # hash of the weights: names the model version
    model: ContextModel  # on the CPU, ready for use
    config: ContextConfig
    metrics: Metrics
    fingerprint: str  # of the data it was trained on, as the caller named it


def save_checkpoint(
    folder: Path, trained: Trained, *, fingerprint: str, tower: KeptTower | None = None
) -> str:
    """Write the model so that a reader finds the former one or this one; return its id.

    The tower for words that reads its vectors goes with it. `fingerprint` is the caller's hash of
    the title ids and generations trained on. Raises CannotRunNow where the folder cannot be
    written.
    """
    weights = safetensors.torch.save(
        {name: tensor.contiguous() for name, tensor in trained.model.state_dict().items()}
    )
    model_id = id_of(weights, tower)
    record = {
        "format": FORMAT,
        "id": model_id,
        "fingerprint": fingerprint,
        "config": asdict(trained.model.config),
        "metrics": asdict(trained.metrics),
        "tower": tower.told if tower else None,
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(weights_path(folder, model_id), weights)
        if tower is not None:
            write_atomically(tower_path(folder, model_id), tower.weights)
        if len(trained.losses) >= FEWEST_STEPS:
            write_atomically(folder / CURVE, draw_curve(trained.losses, trained.metrics.looks))
        write_atomically(folder / RECORD, json.dumps(record, indent=2).encode())
        for former in folder.glob("*-*.safetensors"):
            if former not in (weights_path(folder, model_id), tower_path(folder, model_id)):
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
    with read_record(folder) as record:
        return _restore(folder, record)


def _restore(folder: Path, record: Record) -> Checkpoint:
    check_names(folder, Metrics, record.metrics)
    with torch.random.fork_rng(devices=[]):  # the initial weights, drawn only to be replaced
        model = ContextModel(record.config)
    model.load_state_dict(safetensors.torch.load(record.weights))
    return Checkpoint(
        id=record.id,
        model=model.eval(),
        config=record.config,
        metrics=_metrics(record.metrics),
        fingerprint=record.fingerprint,
    )


def _metrics(record: Mapping[str, Any]) -> Metrics:
    evaluation = Evaluation(**record["evaluation"])
    looks = tuple(Look(**look) for look in record.get("looks", ()))
    return Metrics(**{**record, "evaluation": evaluation, "looks": looks})
