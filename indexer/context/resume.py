"""A training run that was cut short, taken up where it stood: to the bit, on the CPU.

    folder/training.resume    model, optimisers, generators, losses; there while a run is unfinished

The file is renamed into place, so a run killed while writing leaves the one before. It carries a
hash of all that decides the run: other titles, another config or seed begin anew.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from indexer.context.model import ContextConfig
from indexer.context.sequence import TitleSequence
from indexer.disk import write_atomically
from qdrant.errors import CannotRunNow

log = logging.getLogger(__name__)

RESUME_NAME = "training.resume"
FORMAT = 1
"""Raised when the file's contents change their meaning; files of another are not taken up."""


@dataclass(frozen=True)
class ResumeFile:
    """Where an unfinished run is kept."""

    folder: Path
    run_id: str
    every: int  # steps between two writings

    @property
    def path(self) -> Path:
        """Return where the file lies."""
        return self.folder / RESUME_NAME

    def write(self, state: Mapping[str, Any]) -> None:
        """Keep a run's state, whole or not at all. Raises CannotRunNow where it cannot be."""
        content = io.BytesIO()
        torch.save({"format": FORMAT, "run_id": self.run_id, "state": dict(state)}, content)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_atomically(self.path, content.getvalue())
        except OSError as error:
            raise CannotRunNow(
                f"The unfinished training cannot be kept in {self.folder} ({error}); make room or "
                "choose another folder, then train again."
            ) from error

    def read(self) -> dict[str, Any] | None:
        """Return the state of the same run, on the CPU, if one was cut short.

        A damaged file is passed over and said.
        """
        try:
            kept = torch.load(self.path, map_location="cpu", weights_only=True)
            same = kept["format"] == FORMAT and kept["run_id"] == self.run_id
            state: dict[str, Any] = kept["state"]
        except FileNotFoundError:
            return None
        except Exception as error:  # whatever a strange file makes the reader raise
            log.warning("%s cannot be read (%s): training begins anew", self.path, error)
            return None
        if not same:
            log.info("%s is of another run: training begins anew", self.path)
            return None
        return state

    def remove(self) -> None:
        """Forget the run: it is finished."""
        self.path.unlink(missing_ok=True)


def name_run(
    titles: Sequence[TitleSequence], config: ContextConfig, settings: Mapping[str, object]
) -> str:
    """Return a hash of everything that decides a run's weights."""
    content = blake2b(repr((asdict(config), sorted(settings.items()))).encode(), digest_size=16)
    for title in titles:
        known = title.global_vector
        content.update(repr((title.title_id, title.fused.shape, known is None)).encode())
        content.update(title.fused.tobytes())
        content.update(b"" if known is None else known.tobytes())
    return content.hexdigest()


@contextmanager
def own_randomness(device: torch.device, *, seed: int) -> Iterator[None]:
    """Seed the generators that initial weights and dropout draw from, and put them back after."""
    before = random_states(device)
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        with torch.cuda.device(device):
            torch.cuda.manual_seed(seed)
    elif device.type == "mps":
        torch.mps.manual_seed(seed)
    try:
        yield
    finally:
        restore_random_states(before, device)


def random_states(device: torch.device) -> dict[str, Tensor]:
    """Return the states of the CPU's generator and of the device's own."""
    states = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    elif device.type == "mps":
        states["mps"] = torch.mps.get_rng_state()
    return states


def restore_random_states(states: Mapping[str, Tensor], device: torch.device) -> None:
    """Put generators back to the states that `random_states` returned."""
    torch.set_rng_state(states["cpu"])
    if "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"], device)
    if "mps" in states:
        torch.mps.set_rng_state(states["mps"])
