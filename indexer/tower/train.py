"""Training a tower on a library's own titles, by contrast (InfoNCE, arXiv 1807.03748)."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn, optim
from torch.nn import functional

from indexer.context.optimisers import rate_share
from indexer.context.resume import own_randomness
from indexer.context.windows import most_central, overlapping_windows
from indexer.encoders.protocol import Vectors
from indexer.tower.lessons import Lesson, ToldTitle, draw_lesson
from indexer.tower.model import Tower, TowerConfig

log = logging.getLogger(__name__)

DEFAULT_STEPS = 1500
SECONDS_LIMIT = 120.0
LOSS_TAIL = 50
"""The loss reported is the mean of this many last steps."""


@dataclass(frozen=True)
class TrainedTower:
    """A tower and what its training came to."""

    tower: Tower
    steps: int
    seconds: float
    loss: float  # in nats, of picking a shot out of a step's windows


def train_tower(
    titles: Sequence[ToldTitle],
    config: TowerConfig,
    *,
    steps: int = DEFAULT_STEPS,
    seconds_limit: float = SECONDS_LIMIT,
    seed: int,
    progress: Callable[[int, int, float], None] | None = None,
) -> TrainedTower:
    """Return a tower that has learned the titles; the same inputs give the same one.

    `progress` takes the step, the steps asked for and the loss.
    """
    random, losses, started = np.random.default_rng(seed), list[float](), time.monotonic()
    with own_randomness(torch.device("cpu"), seed=seed):
        tower = Tower(config)
        optimiser = optim.AdamW(
            tower.parameters(), lr=config.rate, weight_decay=config.weight_decay
        )
        tower.train()
        while len(losses) < steps and time.monotonic() - started < seconds_limit:
            share = rate_share(len(losses), steps=steps, warmup_share=config.warmup_share)
            for group in optimiser.param_groups:
                group["lr"] = share * config.rate
            lessons = [draw_lesson(titles, config, random=random) for _ in range(config.windows)]
            loss = contrast(tower, lessons)
            torch.autograd.backward(loss)
            nn.utils.clip_grad_norm_(tower.parameters(), config.clip_norm)
            optimiser.step()
            optimiser.zero_grad()
            losses.append(loss.item())
            if progress is not None:
                progress(len(losses), steps, losses[-1])
    seconds = time.monotonic() - started
    found = TrainedTower(tower.eval(), len(losses), seconds, float(np.mean(losses[-LOSS_TAIL:])))
    log.info("tower: %d steps, %.1f s, loss %.3f", found.steps, found.seconds, found.loss)
    return found


def contrast(tower: Tower, lessons: Sequence[Lesson]) -> Tensor:
    """Return the mean cross-entropy of picking each question's shot out of all the lessons' shots.

    Shots next to the answer are neither right nor wrong.
    """
    config, longest = tower.config, max(len(lesson.shots) for lesson in lessons)
    shots = torch.zeros(len(lessons), longest, 2 * config.fused_dim)
    present = torch.zeros(len(lessons), longest, dtype=torch.bool)
    for row, lesson in enumerate(lessons):
        shots[row, : len(lesson.shots)] = torch.from_numpy(lesson.shots)
        present[row, : len(lesson.shots)] = True
    keys = tower.keys(shots, present).flatten(0, 1)  # (B S, K)
    answers = torch.cat(
        [torch.from_numpy(lesson.answers) + row * longest for row, lesson in enumerate(lessons)]
    )
    questions = tower.ask(torch.cat([torch.from_numpy(lesson.questions) for lesson in lessons]))
    scores = questions @ keys.T * tower.log_scale.exp()  # (Q, B S)
    places = torch.arange(len(keys))
    apart = (places - answers[:, None]).abs()
    same_title = places // longest == answers[:, None] // longest
    spared = same_title & (apart > 0) & (apart <= config.spared)
    ignored = spared | ~present.flatten()
    return functional.cross_entropy(scores.masked_fill(ignored, -torch.inf), answers)


@torch.inference_mode()
def keys_of(tower: Tower, fused: Vectors, expected: Vectors) -> Vectors:
    """Return a title's keys (num_shots, key_dim) float32, unit length.

    Of its shots as they are, and what is expected of each, (num_shots, fused_dim). A title longer
    than a window is read in overlapping ones, each shot taken from where it is most central.
    """
    config = tower.config
    windows = overlapping_windows(len(fused), size=config.max_shots, overlap=config.window_overlap)
    taken_from = most_central(len(fused), windows)
    keys = np.zeros((len(fused), config.key_dim), np.float32)
    whole = torch.from_numpy(np.concatenate([fused, expected], axis=1))
    for number, window in enumerate(windows):
        if not len(window):
            continue
        seen = whole[None, window.start : window.stop]
        read = tower.keys(seen, torch.ones(seen.shape[:2], dtype=torch.bool))[0].numpy()
        here = np.flatnonzero(taken_from == number)
        keys[here] = read[here - window.start]
    return keys


@torch.inference_mode()
def ask(tower: Tower, words: Vectors) -> Vectors:
    """Return questions (num, fused_dim) in the space of the keys: (num, key_dim), unit length."""
    return tower.ask(torch.from_numpy(words)).numpy()
