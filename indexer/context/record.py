"""What a context model on disk consists of, read without building a model.

    folder/context.json                 config, metrics, fingerprint, and the id of the weights
    folder/context-<id>.safetensors     the weights; the id is their hash
    folder/training.png                 how the loss fell, for people

The weights carry their hash in their name, so a new model never overwrites the one in use: the
JSON, renamed last, is what switches from one to the other.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from indexer.context.config import ContextConfig
from qdrant.errors import CannotRunNow

if TYPE_CHECKING:
    from indexer.tower.keep import KeptTower

FORMAT = 2
"""Raised when a checkpoint's files change their meaning. What a record lacks takes its default:
a config or record that has grown is no new meaning as long as the defaults are what was before."""

RECORD = "context.json"
CURVE = "training.png"
ID_LENGTH = 16
"""Hexadecimal digits."""


@dataclass(frozen=True)
class Record:
    """A checkpoint as its files have it."""

    id: str  # hash of the weights: names the model version
    config: ContextConfig
    metrics: Mapping[str, Any]  # of `indexer.context.train.Metrics`, not looked at
    fingerprint: str  # of the data it was trained on, as the caller named it
    weights: bytes  # safetensors
    tower: KeptTower | None = None  # for words, where one was learned and is worth it


@contextmanager
def read_record(folder: Path) -> Iterator[Record]:
    """Yield the checkpoint in a folder. Raises CannotRunNow where there is none or it is damaged.

    Whatever goes wrong with its parts inside the block is told as damage to it, too.
    """
    try:
        told = json.loads((folder / RECORD).read_bytes())
    except FileNotFoundError as error:
        raise CannotRunNow(
            f"There is no context model in {folder}; run `trimbin train` to make one."
        ) from error
    except (OSError, ValueError) as error:
        raise damaged(folder, f"{RECORD} cannot be read") from error
    try:
        yield _checked(folder, told)
    except CannotRunNow:
        raise
    except Exception as error:  # whatever a strange file makes the readers raise
        raise damaged(folder, f"its files do not fit together: {error}") from error


def _checked(folder: Path, told: Mapping[str, Any]) -> Record:
    if told["format"] != FORMAT:
        raise damaged(folder, f"its format is {told['format']} and this program reads {FORMAT}")
    weights = weights_path(folder, told["id"]).read_bytes()
    tower = _tower(folder, told)
    if id_of(weights, tower) != told["id"]:
        raise damaged(folder, "the weights are not those that were saved")
    check_names(folder, ContextConfig, told["config"])
    return Record(
        id=told["id"],
        config=ContextConfig(**told["config"]),
        metrics=told["metrics"],
        fingerprint=told["fingerprint"],
        weights=weights,
        tower=tower,
    )


def _tower(folder: Path, told: Mapping[str, Any]) -> KeptTower | None:
    from indexer.tower.keep import KeptTower, tower_path

    if told.get("tower") is None:
        return None
    return KeptTower(told["tower"], tower_path(folder, told["id"]).read_bytes())


def check_names(folder: Path, kind: type[Any], told: Iterable[str]) -> None:
    """Raise where a record of a dataclass has what this program has never heard of."""
    unknown = sorted(set(told) - {known.name for known in fields(kind)})
    if unknown:
        raise damaged(folder, f"a newer Trimbin wrote it, which knows {', '.join(unknown)}")


def damaged(folder: Path, reason: str) -> CannotRunNow:
    """Return the error that says why a checkpoint cannot be used, and the way out."""
    return CannotRunNow(
        f"The context model in {folder} cannot be used ({reason}); run `trimbin train` to make "
        "it anew."
    )


def id_of(weights: bytes, tower: KeptTower | None = None) -> str:
    """Return the id that weights give their model, those of its tower among them."""
    return sha256(weights + (tower.weights if tower else b"")).hexdigest()[:ID_LENGTH]


def weights_path(folder: Path, model_id: str) -> Path:
    """Return where the weights of a model lie."""
    return folder / f"context-{model_id}.safetensors"
