"""Training the context model on a library's titles.

    trained = train(titles, ContextConfig(dims=..., global_dim=...), seed=0)
    save_checkpoint(folder, trained, fingerprint=...)

The same titles, config, steps, seed and threads give the same weights to the bit on one kind of
CPU; the process's random state and number of threads are left as they were found.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn, optim

from indexer.context.crops import TrainingTitle, draw_crops
from indexer.context.evaluation import FEWEST_SHOTS, Evaluation, HeldOut, evaluate, hold_out
from indexer.context.masking import draw_masks, masked_loss
from indexer.context.model import ContextConfig, ContextModel
from indexer.context.optimisers import make_optimisers, rate_share
from indexer.context.sequence import TitleSequence, count_shots
from indexer.context.vectors import check_sizes
from qdrant.errors import CannotRunNow, InputError

log = logging.getLogger(__name__)

DEFAULT_STEPS = 120
"""A film of 128 shots learns its context in them, in half of the seconds below on one core."""

SECONDS_LIMIT = 30.0

LOSS_TAIL = 20
"""The training loss reported is the mean of this many last steps."""


@dataclass(frozen=True)
class TrainStep:
    """One line of a training run."""

    step: int  # counted from 1
    steps: int  # as asked
    loss: float  # masked loss of this step's batch, 0..2
    rate: float  # share of the full learning rate
    shots_per_s: float
    eta_s: float


@dataclass(frozen=True)
class Metrics:
    """What a run did and how well its model guesses."""

    num_titles: int
    num_shots: int  # trained on, held-out and empty ones among them
    steps: int  # done
    seconds: float
    hit_time_limit: bool  # stopped before the steps asked for: the result depends on the machine
    first_loss: float
    final_loss: float
    evaluation: Evaluation

    @property
    def worthy(self) -> bool:
        """Whether the model may take part in the ranking."""
        return self.evaluation.worthy


@dataclass(frozen=True)
class Trained:
    """A trained model and its record."""

    model: ContextModel  # on the CPU, ready for use
    metrics: Metrics


def train(
    titles: Sequence[TitleSequence],
    config: ContextConfig,
    *,
    steps: int = DEFAULT_STEPS,
    seconds_limit: float = SECONDS_LIMIT,
    seed: int,
    progress: Callable[[TrainStep], None] | None = None,
    device: str = "cpu",
    threads: int = 1,
) -> Trained:
    """Return a model trained by Masked Shot Modelling, measured on shots it was not taught.

    More `threads` are worth it on a quiet machine only: on two busy cores a second one, waiting
    for its turn, made steps thirteen times slower. The weights' last bits depend on their number.

    Raises CannotRunNow where no title has shots enough, InputError where a title's vectors
    are not finite, ProfileMismatch where they are not of the config's sizes.
    """
    held_out = hold_out(titles, seed=seed)
    with torch.random.fork_rng(devices=[]), _threads(threads):
        torch.default_generator.manual_seed(seed)  # initial weights and dropout
        model = ContextModel(config).to(device)
        _check(titles, model)
        run = _fit(
            model,
            training_titles(titles, held_out),
            steps=steps,
            seconds_limit=seconds_limit,
            generator=torch.Generator().manual_seed(seed),
            progress=progress,
        )
        evaluation = evaluate(model.cpu().eval(), titles, held_out)
    metrics = Metrics(
        num_titles=len(titles),
        num_shots=count_shots(titles),
        steps=len(run.losses),
        seconds=run.seconds,
        hit_time_limit=len(run.losses) < steps,
        first_loss=run.losses[0],
        final_loss=float(np.mean(run.losses[-LOSS_TAIL:])),
        evaluation=evaluation,
    )
    _report(metrics, steps=steps, seconds_limit=seconds_limit)
    return Trained(model, metrics)


@contextmanager
def _threads(number: int) -> Iterator[None]:
    """Let torch use this many threads for a while."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@dataclass(frozen=True)
class _Run:
    losses: list[float]
    seconds: float


def _fit(
    model: ContextModel,
    titles: Sequence[TrainingTitle],
    *,
    steps: int,
    seconds_limit: float,
    generator: torch.Generator,
    progress: Callable[[TrainStep], None] | None,
) -> _Run:
    """Train in place; at least one step, whatever the limit."""
    optimisers = make_optimisers(model, model.config)
    full_rates = [[group["lr"] for group in opt.param_groups] for opt in optimisers]
    losses: list[float] = []
    shots_seen, started = 0, time.monotonic()
    model.train()
    for step in range(steps):
        rate = rate_share(step, steps=steps, warmup_share=model.config.warmup_share)
        for optimiser, rates in zip(optimisers, full_rates, strict=True):
            for group, full_rate in zip(optimiser.param_groups, rates, strict=True):
                group["lr"] = rate * full_rate
        loss, num_shots = _step(model, titles, optimisers, generator)
        losses.append(loss)
        shots_seen += num_shots
        elapsed = time.monotonic() - started
        if progress is not None:
            eta_s = elapsed / (step + 1) * (steps - step - 1)
            progress(TrainStep(step + 1, steps, loss, rate, shots_seen / elapsed, eta_s))
        if elapsed > seconds_limit:
            break
    return _Run(losses, time.monotonic() - started)


def _step(
    model: ContextModel,
    titles: Sequence[TrainingTitle],
    optimisers: Sequence[optim.Optimizer],
    generator: torch.Generator,
) -> tuple[float, int]:
    """Take one step and return its loss and how many shots it read."""
    config, device = model.config, model.cls.device
    batch, targetable = draw_crops(titles, config, generator=generator)
    masks = draw_masks(batch.fused, targetable=targetable, config=config, generator=generator)
    batch = batch.to(device)
    output = model(batch, masks.hidden_modalities.to(device))
    loss = masked_loss(output.shots, batch.fused, masks.targets.to(device))
    torch.autograd.backward(loss)
    nn.utils.clip_grad_norm_(model.parameters(), config.clip_norm)
    for optimiser in optimisers:
        optimiser.step()
        optimiser.zero_grad()
    return loss.item(), int(batch.present.sum())


def training_titles(titles: Sequence[TitleSequence], held_out: HeldOut) -> list[TrainingTitle]:
    """Return the titles that have anything to teach, without what is held out."""
    candidates = (
        TrainingTitle(title, title.filled & ~mask)
        for title, mask in zip(titles, held_out.shots, strict=True)
    )
    return [title for title in candidates if title.targetable.any()]


def _check(titles: Sequence[TitleSequence], model: ContextModel) -> None:
    """Raise where the titles cannot be trained on."""
    longest = 0
    for title in titles:
        check_sizes(title, model)
        known = title.global_vector if title.global_vector is not None else np.zeros(0)
        if not (np.isfinite(title.fused).all() and np.isfinite(known).all()):
            raise InputError(
                f"The vectors of title {title.title_id} hold numbers that are not finite; "
                "index the title again with `trimbin index`."
            )
        longest = max(longest, int(title.filled.sum()))
    if longest < FEWEST_SHOTS:
        raise CannotRunNow(
            f"The library's longest title has {longest} shots with anything in them and a context "
            f"model needs {FEWEST_SHOTS}; index more with `trimbin index`, then `trimbin train`."
        )


def _report(metrics: Metrics, *, steps: int, seconds_limit: float) -> None:
    """Log what the run came to, and whether its time limit bound."""
    found = metrics.evaluation
    log.info(
        "context model: %d shots, %d steps, %.1f s, held-out loss %.3f, neighbours' mean %.3f",
        metrics.num_shots, metrics.steps, metrics.seconds, found.loss, found.control_loss,
    )  # fmt: skip
    if metrics.hit_time_limit:
        log.warning(
            "training stopped at its limit of %g s after %d of %d steps; allow more seconds for "
            "a better and repeatable model", seconds_limit, metrics.steps, steps,
        )  # fmt: skip
