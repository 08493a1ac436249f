"""A library's own tower: learned from its titles' words once its context model is."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from indexer.context.evaluation import hold_out
from indexer.context.model import ContextModel
from indexer.context.sequence import TitleSequence
from indexer.context.vectors import expected
from indexer.encoders.protocol import unit
from indexer.tower.evaluation import TowerEvaluation, evaluate_tower
from indexer.tower.keep import KeptTower, kept
from indexer.tower.lessons import ToldTitle, Words
from indexer.tower.model import TowerConfig
from indexer.tower.train import DEFAULT_STEPS, SECONDS_LIMIT, train_tower
from qdrant.schema import TEXT

FEWEST_TITLES = 5
"""Fewer with words would leave none to try the tower on."""
FEWEST_LINES = 200
"""Spoken shots in all of them: fewer are learned by heart."""
NOTHING = np.zeros(0, np.float32)
MOST_TITLES = 200
"""Read for it: more would not teach it more in the steps there are."""


def learn_tower(
    titles: Sequence[TitleSequence],
    model: ContextModel,
    *,
    asked: Sequence[str],
    seed: int,
    steps: int = DEFAULT_STEPS,
    seconds_limit: float = SECONDS_LIMIT,
    progress: Callable[[int, int, float], None] | None = None,
) -> tuple[KeptTower | None, str]:
    """Return a tower for the titles, if one is worth it, and a sentence that says how it went.

    `asked` are the modalities whose encoders read words. A tenth of the titles is kept from
    training, to try the tower on.
    """
    parted = [(title, _parts(title, model)) for title in titles]
    spoken = [(title, parts) for title, parts in parted if parts.get(TEXT, NOTHING).any()]
    told = [_told(title, parts, model) for title, parts in spoken[:MOST_TITLES]]
    lines = sum(int(title.is_spoken.sum()) for title in told)
    if len(told) < FEWEST_TITLES or lines < FEWEST_LINES or TEXT not in asked:
        return None, (
            f"Words do not reach context: it takes {FEWEST_TITLES} titles with dialogue in "
            f"{FEWEST_LINES} shots to learn how, and there are {len(told)} with {lines}."
        )
    held_out = hold_out(
        [TitleSequence(title.title_id, title.fused) for title in told], seed=seed
    ).shots
    lessons = [t for t, mask in zip(told, held_out, strict=True) if not mask.any()]
    kept_back = [t for t, mask in zip(told, held_out, strict=True) if mask.any()]
    trained = train_tower(
        lessons,
        TowerConfig(dims=model.config.dims, asked=tuple(asked)),
        steps=steps,
        seconds_limit=seconds_limit,
        seed=seed,
        progress=progress,
    )
    found = evaluate_tower(trained.tower, kept_back, seed=seed)
    return (kept(trained.tower, found) if found.worthy else None), _verdict(found)


def _parts(title: TitleSequence, model: ContextModel) -> Words:
    """Return a title's shots modality by modality, each row of unit length or zeros."""
    dims = model.config.dims
    parts = np.split(title.fused, np.cumsum(list(dims.values()))[:-1], axis=1)
    return {modality: unit(rows) for modality, rows in zip(dims, parts, strict=True)}


def _told(title: TitleSequence, parts: Words, model: ContextModel) -> ToldTitle:
    about = {} if title.global_vector is None else {TEXT: title.global_vector}
    return ToldTitle(title.title_id, parts, expected(model, title), {TEXT: parts[TEXT]}, about)


def _verdict(found: TowerEvaluation) -> str:
    verdict = "they may reach it" if found.worthy else "they do without it until it does better"
    return (
        f"Words into context: {found.recall:.0%} of {found.num_questions} shots found by what is "
        f"seen and said around them, {found.control_recall:.0%} without a tower: {verdict}."
    )
