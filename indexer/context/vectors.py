"""A trained model put to use: contextual vectors for every shot of a title, and for the title."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from indexer.context.reader import ContextReader
from indexer.context.sequence import TitleSequence
from indexer.context.windows import most_central, overlapping_windows
from indexer.encoders.protocol import Vectors, unit
from qdrant.errors import ProfileMismatch

if TYPE_CHECKING:
    from indexer.context.model import ContextModel

AnyModel: TypeAlias = "ContextModel | ContextReader"
"""As it is trained, or as it reads without torch."""

NUM_PASSES = 5
"""Each hides every fifth shot, so that a hidden shot's neighbours are always in sight."""


@dataclass(frozen=True)
class ContextVectors:
    """A title's shots as their context shows them."""

    shots: Vectors  # (num_shots, dim) float32, unit length, empty shots too
    title: Vectors  # (hidden,) float32, unit length: [CLS], the mean of it over windows


def contextualise(model: AnyModel, title: TitleSequence) -> ContextVectors:
    """Return the title's contextual vectors: the same whatever else is read before or beside it.

    A shot's vector (`context_dim` numbers) is what the shot is beside what the others of its title
    let one expect of it: the model's word for it when it is hidden. That told more of five tasks
    than what the model says of a shot in sight, or than its hidden states (docs/results.md).
    Raises ProfileMismatch where the shots are not of the size the model was trained on.
    """
    seen = predict(model, title)  # raises where the sizes differ
    shots = np.concatenate([title.fused, expected(model, title)], axis=1)
    return ContextVectors(unit(shots), seen.title)


def expected(
    model: AnyModel, title: TitleSequence, *, asked: NDArray[np.bool_] | None = None
) -> Vectors:
    """Return what the other shots let one expect of each shot: (num_shots, fused_dim), unit length.

    Zeros where a shot is not `asked` (num_shots,) for. The title is read `NUM_PASSES` times, each
    time with another part of the asked shots hidden, so that a shot's neighbours are in sight.
    """
    shots = np.zeros_like(title.fused)
    wanted = np.ones(title.num_shots, dtype=bool) if asked is None else asked
    phases = np.arange(title.num_shots) % NUM_PASSES
    for phase in range(NUM_PASSES):
        hidden = wanted & (phases == phase)
        if hidden.any():
            shots[hidden] = predict(model, title, hidden_shots=hidden).shots[hidden]
    return shots


def predict(
    model: AnyModel, title: TitleSequence, *, hidden_shots: NDArray[np.bool_] | None = None
) -> ContextVectors:
    """Return what the model says of each shot: (num_shots, fused_dim), some hidden from it.

    A title longer than the model's window is read in overlapping ones, each shot taken from where
    it is most central. Windows go one by one: padding would change the last bits.
    """
    check_sizes(title, model)
    if hidden_shots is None:
        hidden_shots = np.zeros(title.num_shots, dtype=bool)
    config = model.config
    windows = overlapping_windows(
        title.num_shots, size=config.max_shots, overlap=config.window_overlap
    )
    taken_from = most_central(title.num_shots, windows)
    shots = np.zeros((title.num_shots, config.fused_dim), dtype=np.float32)
    summaries = np.zeros((len(windows), config.hidden), dtype=np.float32)
    for number, window in enumerate(windows):
        seen = title.excerpt(window.start, window.stop)
        outputs, summaries[number] = _read(model, seen, hidden_shots[window.start : window.stop])
        here = np.flatnonzero(taken_from == number)
        shots[here] = outputs[here - window.start]
    return ContextVectors(unit(shots), unit(summaries.mean(axis=0)))


def check_sizes(title: TitleSequence, model: AnyModel) -> None:
    """Raise ProfileMismatch where a title's vectors are not of the model's sizes."""
    config = model.config
    known = title.global_vector
    if title.fused.ndim != 2 or title.fused.shape[1] != config.fused_dim:
        raise ProfileMismatch(
            f"The shots of title {title.title_id} are {title.fused.shape[-1]} numbers long and the "
            f"context model reads {config.fused_dim}; run `trimbin train` under the library's "
            "present profile."
        )
    if known is not None and known.shape != (config.global_dim,):
        raise ProfileMismatch(
            f"The metadata vector of title {title.title_id} is {known.shape[-1]} numbers long and "
            f"the context model reads {config.global_dim}; run `trimbin train` under the library's "
            "present profile."
        )


def _read(
    model: AnyModel, title: TitleSequence, hidden_shots: NDArray[np.bool_]
) -> tuple[Vectors, Vectors]:
    """Return one window's outputs (num_shots, fused_dim) and its [CLS] (hidden,)."""
    if isinstance(model, ContextReader):
        return model.read(title, hidden_shots)
    import torch

    from indexer.context.crops import collate

    model.eval()
    device = model.cls.device
    hidden = torch.from_numpy(hidden_shots)[None, :, None]  # (1, S, 1)
    hidden = hidden.expand(1, title.num_shots, len(model.config.dims))  # (1, S, M)
    with torch.inference_mode():
        output = model(collate([title], model.config).to(device), hidden.to(device))
    return output.shots[0].cpu().numpy(), output.cls[0].cpu().numpy()
