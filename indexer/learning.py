"""The library's own context model: learned from its titles, due again when they have quadrupled."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Literal

from filelock import FileLock, Timeout

from indexer.assembly import contextualise_title, reassemble, title_sequence
from indexer.disk import explained
from indexer.encoders.kinds import KINDS
from indexer.library import Library
from indexer.memory import give_back
from indexer.profiles import Profile
from indexer.studio import Studio
from indexer.workbench import digest, workbench
from qdrant.errors import CannotRunNow, InputError, UsageError
from qdrant.schema import TEXT

if TYPE_CHECKING:
    from indexer.context.train import Metrics, TrainStep

FIRST_MODEL_SECONDS = 30.0
"""How long `trimbin index` may spend on a library's first context model."""
GROWTH_THAT_IS_DUE = 4
"""A library that has grown by this factor since its model was trained wants a new one."""
MIN_SHOTS = 8
"""Fewer shots than this in the whole library say nothing about context."""
SEED = 20_260_223
STEPS_A_SAVING = 20
"""Between two writings of a training under way: killed, it goes on from there."""


def context_due(library: Library) -> Literal["first", "again"] | None:
    """Return whether the library wants its first context model, or a new one, or neither."""
    num_shots = sum(manifest.num_shots for manifest in library.in_use())
    trained_on = library.shots_trained_on()
    if trained_on is None:
        return "first" if num_shots >= MIN_SHOTS else None
    return "again" if num_shots >= GROWTH_THAT_IS_DUE * trained_on else None


def learn_context(
    studio: Studio, *, steps: int | None = None, seconds: float | None = FIRST_MODEL_SECONDS
) -> Metrics:
    """Train a context model on the library; `bring_into_context` then gives titles its vectors.

    Raises `UsageError` where the library has too few shots to learn from, `CannotRunNow` where
    another process is training.
    """
    from indexer.context.checkpoint import save_checkpoint
    from indexer.context.model import ContextConfig
    from indexer.context.train import DEFAULT_STEPS, train
    from indexer.tower.learning import learn_tower

    library = studio.library
    titles = library.in_use()
    num_shots = sum(manifest.num_shots for manifest in titles)
    if num_shots < MIN_SHOTS:
        raise UsageError(
            f"The library at {library.root} has {num_shots} shots; a context model needs at least "
            f"{MIN_SHOTS}. Index more films first."
        )
    dims = library.profile.dims
    fingerprint = digest(sorted(manifest.generation for manifest in titles))
    studio.encoders.release()  # nothing is encoded meanwhile, and training wants memory too
    give_back()
    with _training_alone(library):
        sequences = [
            title_sequence(library, m.title_id, m.spaces, num_shots=m.num_shots) for m in titles
        ]
        trained = train(
            sequences,
            ContextConfig(dims=dims, global_dim=dims.get(TEXT, 1)),
            steps=steps or DEFAULT_STEPS,
            seconds_limit=seconds or float("inf"),
            seed=SEED,
            progress=partial(_tell_step, studio),
            resume_folder=library.models_folder,
            save_every=STEPS_A_SAVING,
        )
        tower, verdict = learn_tower(
            sequences,
            trained.model,
            asked=asked_by_words(library.profile),
            seed=SEED,
            progress=partial(_tell_tower, studio),
        )
        save_checkpoint(library.context_folder, trained, fingerprint=fingerprint, tower=tower)
    studio.say(_told(trained.metrics))
    studio.say(verdict)
    return trained.metrics


def asked_by_words(profile: Profile) -> tuple[str, ...]:
    """Return the spaces a profile fuses whose encoders read words."""
    return tuple(s for s, spec in profile.fused.items() if KINDS[spec.kind].reads_words)


def bring_into_context(studio: Studio) -> None:
    """Give contextual vectors of the model in use to every title that has older ones or none.

    A title that another process is working on is left to it, and said so.
    """
    library, checkpoint_id = studio.library, studio.library.checkpoint_id()
    if checkpoint_id is None:
        return
    for stale in [m for m in library.in_use() if m.checkpoint != checkpoint_id]:
        try:
            with workbench(library, stale.title_id) as bench:
                manifest = library.find(stale.title_id)  # as it is now that nobody else writes it
                if manifest is not None:
                    contextualise_title(bench, studio)
                    reassemble(manifest, bench, studio)
        except InputError as error:
            studio.say(f"{stale.title} keeps its older context: {error}")


def _tell_step(studio: Studio, step: TrainStep) -> None:
    studio.progress(f"Learning context, loss {step.loss:.3f}", step.step, step.steps)


def _tell_tower(studio: Studio, step: int, steps: int, loss: float) -> None:
    studio.progress(f"Learning words, loss {loss:.3f}", step, steps)


@contextmanager
def _training_alone(library: Library) -> Iterator[None]:
    with explained(library.root):
        library.models_folder.mkdir(exist_ok=True)
        lock = FileLock(library.models_folder / ".lock")
        try:
            lock.acquire(blocking=False)
        except Timeout as error:
            raise CannotRunNow(
                f"Another process is training the context model of the library at {library.root}; "
                "wait for it to finish."
            ) from error
    try:
        yield
    finally:
        lock.release()


def _told(metrics: Metrics) -> str:
    """Say how the training went in one sentence."""
    held_out = metrics.evaluation
    verdict = (
        "it may take part in the ranking"
        if metrics.worthy
        else "the ranking does without it until it does better"
    )
    return (
        f"Context model: {metrics.steps} steps in {metrics.seconds:.0f} s, "
        f"loss {metrics.first_loss:.3f} -> {metrics.final_loss:.3f}; on held-out shots "
        f"{held_out.loss:.3f} against {held_out.control_loss:.3f} for the mean of the two "
        f"neighbours: {verdict}."
    )
