"""Training the towers: AdamW, warm-up and cosine, an early stop, the best weights kept."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn, optim

from indexer.encoders.weights import undisturbed
from indexer.finetune.holding_out import Split
from indexer.finetune.objective import Found, contrastive_loss, found, same_captions
from indexer.finetune.pictures import Pictures
from indexer.finetune.towers import Towers

logger = logging.getLogger(__name__)

Adapters = Literal["lora", "none"]
Pool = Literal["mean", "temporal"]

STEEPEST = math.log(100)
"""CLIP's own limit to its logit scale."""
LONGEST_GRADIENT = 1.0
BETAS = (0.9, 0.98)
"""As CLIP's own training."""


@dataclass(frozen=True)
class Recipe:
    """How to train."""

    adapters: Adapters = "lora"  # "none": only what lies behind the towers is trained
    rank: int = 8  # of the adapters
    pool: Pool = "mean"  # of a shot's frames
    frames: int = 4  # a shot
    epochs: int = 10
    batch: int = 32  # pairs that compete with each other
    rate: float = 5e-4  # the highest learning rate
    decay: float = 0.01  # of adapters and pool; never of weights that came with the model
    warmup: float = 0.1  # share of the steps
    patience: int = 3  # epochs without a better held-out loss until it stops
    held_out: float = 0.2  # share of the pairs
    seed: int = 20_260_223


@dataclass(frozen=True)
class Epoch:
    """One epoch: what was learned from, and what the held-out pairs say."""

    number: int  # counted from 1; 0 is the model as it came
    loss: float | None  # mean over the epoch's steps; None before the first
    held_out: Found
    seconds: float


@dataclass(frozen=True)
class Trained:
    """A finished run. The towers hold the weights of the best epoch, adapters merged."""

    epochs: tuple[Epoch, ...]
    best: int  # the epoch with the lowest held-out loss; 0: training made nothing better

    @property
    def before(self) -> Found:
        """The held-out pairs, by the model as it came."""
        return self.epochs[0].held_out

    @property
    def after(self) -> Found:
        """The held-out pairs, by the weights that are kept. They also chose the epoch."""
        return self.epochs[self.best].held_out


def train(
    towers: Towers,
    pictures: Pictures,
    split: Split,
    recipe: Recipe,
    *,
    told: Callable[[int, int, float], None] = lambda step, steps, loss: None,
) -> Trained:
    """Train the towers in place. The same inputs, seed and threads give the same on one CPU.

    `told` hears of every step: its number, how many there may be, its loss. The process's random
    state is left as it was found.
    """
    with undisturbed():
        torch.manual_seed(recipe.seed)
        towers.make_learnable(rank=recipe.rank if recipe.adapters == "lora" else None)
        learned = towers.learned()
        optimiser = _optimiser(learned, recipe)
        order = torch.Generator().manual_seed(recipe.seed)
        a_batch = min(recipe.batch, len(split.training))
        steps = recipe.epochs * (len(split.training) // a_batch)
        scale = float(towers.scale.detach())  # one for all epochs: they are compared by the loss
        epochs = [Epoch(0, None, held_out(towers, pictures, split, scale=scale), 0.0)]
        best, kept, step = 0, _copied(learned), 0
        for number in range(1, recipe.epochs + 1):
            started, losses = time.perf_counter(), []
            for places in _batches(split.training, a_batch, order):
                rate = recipe.rate * rate_share(step, steps=steps, warmup=recipe.warmup)
                losses.append(_step(towers, pictures, places, optimiser, rate))
                step += 1
                told(step, steps, losses[-1])
            seconds = time.perf_counter() - started
            said = held_out(towers, pictures, split, scale=scale)
            epochs.append(Epoch(number, sum(losses) / len(losses), said, seconds))
            logger.info("%s, %.1f pairs a second", epochs[-1], len(losses) * a_batch / seconds)
            if said.loss < epochs[best].held_out.loss:
                best, kept = number, _copied(learned)
            elif number - best >= recipe.patience:
                break
        _put_back(learned, kept)
        towers.merge()
    return Trained(tuple(epochs), best)


def held_out(
    towers: Towers, pictures: Pictures, split: Split, *, scale: float, batch: int = 32
) -> Found:
    """Return how well the held-out captions find their shots."""
    shots, texts = [], []
    captions = [pictures.pairs[place].caption for place in split.held_out]
    with torch.inference_mode():
        for start in range(0, len(captions), batch):
            places = split.held_out[start : start + batch]
            shots.append(towers.shots(pictures.pixels[list(places)]).cpu())
            texts.append(towers.captions(captions[start : start + batch]).cpu())
        return found(
            torch.cat(shots),
            torch.cat(texts),
            scale=torch.tensor(scale),
            same=same_captions(captions),
        )


def rate_share(step: int, *, steps: int, warmup: float) -> float:
    """Return the share of the learning rate at a step counted from 0: up a line, down a cosine."""
    rising = max(1, round(steps * warmup))
    if step < rising:
        return (step + 1) / rising
    return 0.5 * (1 + math.cos(math.pi * (step - rising) / max(1, steps - rising)))


def _step(
    towers: Towers,
    pictures: Pictures,
    places: Sequence[int],
    optimiser: optim.Optimizer,
    rate: float,
) -> float:
    captions = [pictures.pairs[place].caption for place in places]
    shots = towers.shots(pictures.pixels[list(places)])
    texts = towers.captions(captions)
    same = same_captions(captions).to(shots.device)
    loss = contrastive_loss(shots, texts, scale=towers.scale, same=same)
    optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    moved = [p for group in optimiser.param_groups for p in group["params"]]
    nn.utils.clip_grad_norm_(moved, LONGEST_GRADIENT)
    for group in optimiser.param_groups:
        group["lr"] = rate
    steepest = max(STEEPEST, float(towers.model.logit_scale.detach()))
    optimiser.step()
    with torch.no_grad():
        towers.model.logit_scale.clamp_(max=steepest)
    return float(loss.detach())


def _optimiser(learned: dict[str, nn.Parameter], recipe: Recipe) -> optim.Optimizer:
    """Return AdamW over what is learned; only matrices that we put there decay."""
    ours = [
        parameter.ndim > 1 and (name.startswith("pool.") or ".parametrizations." in name)
        for name, parameter in learned.items()
    ]
    groups = [
        {
            "params": [p for p, own in zip(learned.values(), ours, strict=True) if own is decays],
            "weight_decay": recipe.decay if decays else 0.0,
        }
        for decays in (True, False)
    ]
    return optim.AdamW([g for g in groups if g["params"]], lr=recipe.rate, betas=BETAS)


def _batches(places: Sequence[int], size: int, order: torch.Generator) -> Iterator[list[int]]:
    """Yield whole batches in random order; what is left over waits for the next epoch."""
    shuffled = [places[n] for n in torch.randperm(len(places), generator=order).tolist()]
    for start in range(0, len(shuffled) - size + 1, size):
        yield shuffled[start : start + size]


def _copied(learned: dict[str, nn.Parameter]) -> dict[str, Tensor]:
    return {name: parameter.detach().clone() for name, parameter in learned.items()}


def _put_back(learned: dict[str, nn.Parameter], kept: dict[str, Tensor]) -> None:
    with torch.no_grad():
        for name, parameter in learned.items():
            parameter.copy_(kept[name])
