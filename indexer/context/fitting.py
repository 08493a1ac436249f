"""The loop of training: steps, looks at the validation titles, and a state that can be taken up."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn, optim

from indexer.context.crops import TrainingTitle, draw_crops
from indexer.context.masking import draw_masks, drop_modalities, objective
from indexer.context.model import ContextModel
from indexer.context.optimisers import make_optimisers, rate_share
from indexer.context.precision import Precision, autocast
from indexer.context.resume import ResumeFile, random_states, restore_random_states
from indexer.context.validation import Look, Validation, best_of, better, out_of_patience

log = logging.getLogger(__name__)

LOG_EVERY = 50
"""Steps between two lines in the log; each look at the validation titles has a line besides."""

FULL_RATE = "full_rate"
"""Of an optimiser's group: the learning rate that the schedule takes a share of."""


@dataclass(frozen=True)
class TrainStep:
    """One line of a training run."""

    step: int  # counted from 1
    steps: int  # as asked
    loss: float  # of this step's batch, 0..2
    rate: float  # share of the full learning rate
    shots_per_s: float
    eta_s: float
    look: Look | None = None  # at the validation titles, if there was one after this step


@dataclass
class Run:
    """What has become of a run so far."""

    losses: list[float] = field(default_factory=list)  # one a step
    looks: list[Look] = field(default_factory=list)
    best_weights: dict[str, Tensor] | None = None  # of the best look
    shots_seen: int = 0
    seconds: float = 0.0  # before it was cut short, too
    stopped_early: bool = False  # by the config's patience

    @property
    def steps(self) -> int:
        """Return how many steps have been taken."""
        return len(self.losses)


@dataclass(frozen=True)
class Trainer:
    """A model in training, with all that a step changes."""

    model: ContextModel
    optimisers: Sequence[optim.Optimizer]
    generator: torch.Generator  # of crops and masks; dropout draws from torch's own

    @classmethod
    def start(cls, model: ContextModel, *, seed: int) -> Trainer:
        """Return a trainer that has taken no step."""
        optimisers = make_optimisers(model, model.config)
        for group in (group for optimiser in optimisers for group in optimiser.param_groups):
            group[FULL_RATE] = group["lr"]
        return cls(model, optimisers, torch.Generator().manual_seed(seed))

    def take_step(
        self, titles: Sequence[TrainingTitle], *, rate: float, precision: Precision
    ) -> tuple[float, int]:
        """Take one step at a share of the full rate; return its loss and how many shots it read."""
        for group in (group for optimiser in self.optimisers for group in optimiser.param_groups):
            group["lr"] = rate * group[FULL_RATE]
        model, config, device = self.model, self.model.config, self.model.cls.device
        whole, targetable = draw_crops(titles, config, generator=self.generator)
        seen = replace(
            whole, fused=drop_modalities(whole.fused, config=config, generator=self.generator)
        )
        masks = draw_masks(
            seen.fused, targetable=targetable, config=config, generator=self.generator
        ).to(device)
        with autocast(device, precision):
            output = model(seen.to(device), masks.hidden_modalities)
        loss = objective(output.shots.float(), whole.fused.to(device), masks, config)
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(model.parameters(), config.clip_norm)
        for optimiser in self.optimisers:
            optimiser.step()
            optimiser.zero_grad()
        return loss.item(), int(whole.present.sum())

    def state(self, run: Run) -> dict[str, Any]:
        """Return everything that the next step depends on, and what became of the run."""
        return {
            "model": self.model.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
            "generator": self.generator.get_state(),
            "random_states": random_states(self.model.cls.device),
            "run": {**vars(run), "looks": [asdict(look) for look in run.looks]},
        }

    def restore(self, state: dict[str, Any]) -> Run:
        """Put a state back and return the run it is of."""
        self.model.load_state_dict(state["model"])
        for optimiser, kept in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(kept)
        self.generator.set_state(state["generator"])
        restore_random_states(state["random_states"], self.model.cls.device)
        looks = [Look(**look) for look in state["run"]["looks"]]
        return Run(**{**state["run"], "looks": looks})


def fit(
    trainer: Trainer,
    titles: Sequence[TrainingTitle],
    *,
    steps: int,
    seconds_limit: float,
    precision: Precision,
    validation: Validation | None = None,
    resume: ResumeFile | None = None,
    progress: Callable[[TrainStep], None] | None = None,
) -> Run:
    """Train in place, with the best weights in the end; at least one step, whatever the limit."""
    model, config = trainer.model, trainer.model.config
    kept = resume.read() if resume is not None else None
    run = trainer.restore(kept) if kept is not None else Run()
    if kept is not None:
        log.info("training goes on after step %d of %d", run.steps, steps)
    before, started = run.seconds, time.monotonic()
    model.train()
    while run.steps < steps and not _is_over(run, seconds_limit, config.patience):
        rate = rate_share(run.steps, steps=steps, warmup_share=config.warmup_share)
        loss, num_shots = trainer.take_step(titles, rate=rate, precision=precision)
        run.losses.append(loss)
        run.shots_seen += num_shots
        look = None
        if validation is not None and run.steps % config.validate_every == 0:
            look = _look(validation, trainer, run, precision)
        run.seconds = before + time.monotonic() - started
        if resume is not None and run.steps % resume.every == 0:
            resume.write(trainer.state(run))
        _tell(run, steps=steps, rate=rate, look=look, progress=progress)
    run.stopped_early = run.steps < steps and out_of_patience(run.looks, patience=config.patience)
    if validation is not None and (not run.looks or run.looks[-1].step < run.steps):
        _look(validation, trainer, run, precision)  # the last weights may be the best
    if run.best_weights is not None:
        model.load_state_dict(run.best_weights)
    return run


def _is_over(run: Run, seconds_limit: float, patience: int) -> bool:
    """Whether a run that has steps left to take is to take none of them."""
    if run.steps == 0:
        return False
    return run.seconds > seconds_limit or out_of_patience(run.looks, patience=patience)


def _look(validation: Validation, trainer: Trainer, run: Run, precision: Precision) -> Look:
    """Look at the validation titles, and keep the weights if they are the best yet."""
    look = validation.look(trainer.model, step=run.steps, precision=precision)
    if better(look, best_of(run.looks)):
        weights = trainer.model.state_dict()
        run.best_weights = {name: tensor.clone() for name, tensor in weights.items()}
    run.looks.append(look)
    return look


def _tell(
    run: Run,
    *,
    steps: int,
    rate: float,
    look: Look | None,
    progress: Callable[[TrainStep], None] | None,
) -> None:
    """Write a line into the log every so often, and tell whoever asked of every step."""
    pace, eta_s = run.shots_seen / run.seconds, run.seconds / run.steps * (steps - run.steps)
    line = TrainStep(run.steps, steps, run.losses[-1], rate, pace, eta_s, look)
    if run.steps % LOG_EVERY == 0 or look is not None:
        said = "" if look is None else (
            f", validation {look.loss:.4f}, centred cosine {look.centred_cosine:.3f}, "
            f"pairwise {look.pairwise_cosine:.3f}"
        )  # fmt: skip
        log.info(
            "step %d of %d: loss %.4f%s, rate %.0f%%, %.0f shots/s, %.0f s left",
            line.step, steps, line.loss, said, 100 * rate, pace, eta_s,
        )  # fmt: skip
    if progress is not None:
        progress(line)
