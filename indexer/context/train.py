"""Training the context model on a library's titles.

    trained = train(titles, ContextConfig(dims=..., global_dim=...), seed=0)
    save_checkpoint(folder, trained, fingerprint=...)

The same titles, config, steps, seed and threads give the same weights to the bit on one kind of
CPU; the process's random state and number of threads are left as they were found.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from indexer.context.crops import TrainingTitle
from indexer.context.evaluation import FEWEST_SHOTS, Evaluation, HeldOut, evaluate, hold_out
from indexer.context.fitting import Run, Trainer, fit
from indexer.context.fitting import TrainStep as TrainStep
from indexer.context.model import ContextConfig, ContextModel
from indexer.context.precision import AskedPrecision, Precision, choose_precision
from indexer.context.resume import ResumeFile, name_run, own_randomness
from indexer.context.sequence import TitleSequence, count_shots
from indexer.context.validation import Look, Validation, best_of, keep_for_validation
from indexer.context.vectors import check_sizes
from qdrant.errors import CannotRunNow, InputError

log = logging.getLogger(__name__)

DEFAULT_STEPS = 120
"""A film of 128 shots learns its context in them, in half of the seconds below on one core."""

SECONDS_LIMIT = 30.0

SAVE_EVERY = 100
"""Steps between two writings of an unfinished run."""

LOSS_TAIL = 20
"""The training loss reported is the mean of this many last steps."""


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
    # A record without these is of a model trained before there were validation titles.
    looks: tuple[Look, ...] = ()  # at the validation titles, in order; empty where none were kept
    best_step: int | None = None  # after which the weights were as they are; None: the last one
    stopped_early: bool = False  # no look had been better for as long as the config's patience
    precision: Precision = "float32"

    @property
    def worthy(self) -> bool:
        """Whether the model may take part in the ranking."""
        return self.evaluation.worthy


@dataclass(frozen=True)
class Trained:
    """A trained model and its record."""

    model: ContextModel  # on the CPU, ready for use
    metrics: Metrics
    losses: tuple[float, ...] = ()  # of each step


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
    precision: AskedPrecision = "auto",
    resume_folder: Path | None = None,
    save_every: int = SAVE_EVERY,
) -> Trained:
    """Return a model trained by Masked Shot Modelling, measured on shots it was not taught.

    With a `resume_folder` the run is written there every so many steps, and one that was cut short
    is taken up where it stood. `precision` "auto" is bfloat16 on a graphics card, float32 on the
    CPU. More `threads` are worth it on a quiet machine only: on two busy cores a second one,
    waiting for its turn, made steps thirteen times slower. The weights' last bits depend on their
    number.

    Raises CannotRunNow where no title has shots enough or the folder cannot be written, InputError
    where a title's vectors are not finite, ProfileMismatch where they are not of the config's
    sizes, UsageError where there is no such precision.
    """
    place = torch.device(device)
    exactness = choose_precision(precision, place)
    held_out = hold_out(titles, seed=seed)
    resume = None
    if resume_folder is not None:
        decided_by = {"steps": steps, "seed": seed, "device": place.type, "precision": exactness}
        run_id = name_run(titles, config, decided_by)
        resume = ResumeFile(resume_folder, run_id, every=save_every)
    with own_randomness(place, seed=seed), _threads(threads):  # initial weights and dropout
        model = ContextModel(config).to(place)
        _check(titles, model)
        lessons, kept = _divide(titles, held_out, config, seed=seed)
        run = fit(
            Trainer.start(model, seed=seed),
            lessons,
            steps=steps,
            seconds_limit=seconds_limit,
            precision=exactness,
            validation=Validation(kept, config, seed=seed) if kept else None,
            resume=resume,
            progress=progress,
        )
        evaluation = evaluate(model.cpu().eval(), titles, held_out)
    if resume is not None:
        resume.remove()
    metrics = _metrics(run, titles, evaluation, steps=steps, precision=exactness)
    _report(metrics, steps=steps, seconds_limit=seconds_limit)
    return Trained(model, metrics, tuple(run.losses))


@contextmanager
def _threads(number: int) -> Iterator[None]:
    """Let torch use this many threads for a while."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _divide(
    titles: Sequence[TitleSequence], held_out: HeldOut, config: ContextConfig, *, seed: int
) -> tuple[list[TrainingTitle], list[TitleSequence]]:
    """Return what to train on and the titles to validate on, none of them held out."""
    kept = keep_for_validation(titles, held_out, seed=seed) if config.validate_every else ()
    if config.validate_every and not kept:
        log.warning(
            "%d titles are too few to keep whole ones for validation: training goes on to its end",
            len(titles),
        )
    taught = [number for number in range(len(titles)) if number not in kept]
    masks = tuple(held_out.shots[number] for number in taught)
    lessons = training_titles([titles[n] for n in taught], HeldOut(held_out.kind, masks))
    return lessons, [titles[number] for number in kept]


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


def _metrics(
    run: Run,
    titles: Sequence[TitleSequence],
    evaluation: Evaluation,
    *,
    steps: int,
    precision: Precision,
) -> Metrics:
    """Return the record of a run."""
    best = best_of(run.looks)
    return Metrics(
        num_titles=len(titles),
        num_shots=count_shots(titles),
        steps=run.steps,
        seconds=run.seconds,
        hit_time_limit=run.steps < steps and not run.stopped_early,
        first_loss=run.losses[0],
        final_loss=float(np.mean(run.losses[-LOSS_TAIL:])),
        evaluation=evaluation,
        looks=tuple(run.looks),
        best_step=best.step if best is not None else None,
        stopped_early=run.stopped_early,
        precision=precision,
    )


def _report(metrics: Metrics, *, steps: int, seconds_limit: float) -> None:
    """Log what the run came to, and whether its time limit bound."""
    found = metrics.evaluation
    log.info(
        "context model: %d shots, %d steps, %.1f s, held-out loss %.3f, neighbours' mean %.3f",
        metrics.num_shots, metrics.steps, metrics.seconds, found.loss, found.control_loss,
    )  # fmt: skip
    if metrics.stopped_early:
        log.info(
            "training stopped early after step %d of %d; the weights are those after step %d",
            metrics.steps, steps, metrics.best_step,
        )  # fmt: skip
    if metrics.hit_time_limit:
        log.warning(
            "training stopped at its limit of %g s after %d of %d steps; allow more seconds for "
            "a better and repeatable model", seconds_limit, metrics.steps, steps,
        )  # fmt: skip
