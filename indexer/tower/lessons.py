"""What a tower learns from: questions that a library asks of itself.

A line is a question for the shot it is said in, whose own words are then hidden, so that the
answer must come from its neighbours; and for a wordless shot near by. What a title is about is a
question for any of its shots, seen or not; what is seen and said around a shot, for that shot. And
a shot's own line or picture stays a question for it. To words others would say it otherwise: noise
is added to them, and what they say nothing of is noise altogether, as it is to real encoders.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from indexer.encoders.fuse import fuse
from indexer.encoders.protocol import Vectors, unit
from indexer.tower.model import TowerConfig
from qdrant.schema import TEXT, VIDEO

OWN_LINE, LINE_NEAR, ITSELF, ABOUT, AROUND = range(5)
SHARES = (0.2, 0.3, 0.15, 0.1, 0.25)
"""Of the questions, in this order."""
HIDDEN_SHARE = 0.5
"""Of the shots of a window have their own words hidden."""
SEEN_TOO = 0.3
"""Of the questions for a line, how many show the picture as well; of those for a title, twice."""
SEEN_AROUND, SAID_AROUND = 4, 6
"""Shots on either side over which pictures and words are averaged."""


Words = dict[str, Vectors]
"""modality -> vectors: a row a shot or a question, or (dim,) of one."""


@dataclass(frozen=True)
class ToldTitle:
    """A title as a tower learns it."""

    title_id: str
    parts: Words  # modality -> (num_shots, dim), zeros where it is missing
    expected: Vectors  # (num_shots, fused_dim) what the others let one expect, unit length
    lines: Words  # modality -> (num_shots, dim) each shot's line, as words are read
    about: Words  # modality -> (dim,) what the title is about, as words; or nothing

    @property
    def num_shots(self) -> int:
        """Return how many shots the title has."""
        return len(self.expected)

    @cached_property
    def is_spoken(self) -> NDArray[np.bool_]:
        """Return which shots have a line: (num_shots,)."""
        spoken: NDArray[np.bool_] = np.any([rows.any(axis=1) for rows in self.lines.values()], 0)
        return spoken

    @cached_property
    def fused(self) -> Vectors:
        """Return the shots as they are: (num_shots, fused_dim)."""
        return fuse(list(self.parts.values()))

    @cached_property
    def wordless(self) -> Vectors:
        """Return the shots without their words: (num_shots, fused_dim)."""
        return fuse([rows * (m != TEXT) for m, rows in self.parts.items()])

    @cached_property
    def around(self) -> Words:
        """Return what is seen and said around each shot: modality -> (num_shots, dim)."""
        reaches = {VIDEO: SEEN_AROUND, TEXT: SAID_AROUND}
        return {m: _mean_around(self.parts[m], reach) for m, reach in reaches.items()}


@dataclass(frozen=True)
class Lesson:
    """A window of a title, and questions about it."""

    shots: Vectors  # (num_shots, 2 fused_dim): own beside expected, some words hidden
    questions: Vectors  # (num_questions, fused_dim)
    answers: NDArray[np.intp]  # (num_questions,) shots of the window


@dataclass(frozen=True)
class _Window:
    """A stretch of a title, in some shots of which the words are hidden."""

    title: ToldTitle
    start: int
    hidden: NDArray[np.bool_]  # (num_shots,)
    near: int

    @property
    def end(self) -> int:
        return self.start + len(self.hidden)

    @cached_property
    def is_spoken(self) -> NDArray[np.bool_]:
        return self.title.is_spoken[self.start : self.end]

    @cached_property
    def is_blind(self) -> NDArray[np.bool_]:
        """Which shots show no words."""
        return self.hidden | ~self.is_spoken

    def shots(self) -> Vectors:
        here = slice(self.start, self.end)
        own = np.where(self.hidden[:, None], self.title.wordless[here], self.title.fused[here])
        return np.concatenate([own, self.title.expected[here]], axis=1)

    def question(self, kind: int, random: np.random.Generator) -> tuple[Words, int] | None:
        """Return a question and its answer, a shot of the window; None where there is none."""
        among = {OWN_LINE: self.is_spoken & self.hidden, LINE_NEAR: self.is_spoken,
                 AROUND: self.is_blind}.get(kind, np.ones_like(self.hidden))  # fmt: skip
        if not among.any() or (kind == ABOUT and not self.title.about):
            return None
        shot = int(random.choice(np.flatnonzero(among)))
        if kind == AROUND:
            return self._at(self.title.around, shot), shot
        if kind == ABOUT:
            seen = random.random() < 2 * SEEN_TOO
            return {**self.title.about, **(self._seen(shot) if seen else {})}, shot
        line = self._at(self.title.lines, shot)
        if kind == ITSELF:
            return (self._seen(shot) if self.is_blind[shot] else line), shot
        answer = shot if kind == OWN_LINE else self._listener(shot, random)
        if answer is None:
            return None
        return {**line, **(self._seen(answer) if random.random() < SEEN_TOO else {})}, answer

    def _at(self, rows: Words, shot: int) -> Words:
        return {modality: of_shots[self.start + shot] for modality, of_shots in rows.items()}

    def _seen(self, shot: int) -> Words:
        return {VIDEO: self.title.parts[VIDEO][self.start + shot]}

    def _listener(self, shot: int, random: np.random.Generator) -> int | None:
        """Return a shot near by that shows no words."""
        beside = np.arange(max(0, shot - self.near), min(len(self.hidden), shot + self.near + 1))
        beside = beside[self.is_blind[beside] & (beside != shot)]
        return int(random.choice(beside)) if len(beside) else None


def draw_lesson(
    titles: Sequence[ToldTitle], config: TowerConfig, *, random: np.random.Generator
) -> Lesson:
    """Return a window of one of the titles, at random, with questions about it."""
    title = titles[int(random.integers(len(titles)))]
    start = int(random.integers(0, max(1, title.num_shots - config.max_shots + 1)))
    length = min(title.num_shots - start, config.max_shots)
    window = _Window(title, start, random.random(length) < HIDDEN_SHARE, config.near)
    kinds = random.choice(len(SHARES), size=config.questions, p=SHARES).tolist()
    asked = [found for kind in kinds if (found := window.question(kind, random)) is not None]
    words = {
        modality: np.array(
            [question.get(modality, np.zeros(dim)) for question, _ in asked], np.float32
        ).reshape(-1, dim)
        for modality, dim in config.dims.items()
    }
    answers = np.array([answer for _, answer in asked], np.intp)
    return Lesson(window.shots(), loosened(words, config, random=random), answers)


def loosened(words: Words, config: TowerConfig, *, random: np.random.Generator) -> Vectors:
    """Return words (modality -> (num, dim)) as others would say them: (num, fused_dim)."""
    parts = []
    for modality, dim in config.dims.items():
        rows = words[modality]
        if modality in config.asked:
            noise = random.standard_normal(rows.shape) / np.sqrt(dim)
            rows = unit(rows + config.looseness * noise)
        parts.append(rows)
    return fuse(parts)


def _mean_around(rows: Vectors, reach: int) -> Vectors:
    """Return the mean of each row's neighbours, itself left out, unit length."""
    sums = np.cumsum(np.vstack([np.zeros((1, rows.shape[1])), rows.astype(np.float64)]), axis=0)
    places = np.arange(len(rows))
    low, high = np.maximum(0, places - reach), np.minimum(len(rows), places + reach + 1)
    return unit(sums[high] - sums[low] - rows)
