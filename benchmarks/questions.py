"""Questions to a simulated catalogue: words as encoders see them, and the shot that each means.

What somebody asks goes into the text slot as a sentence encoder's view and into the video slot as
an image-text encoder's; words that say nothing of a slot's matter are noise there, as they are to
real encoders. Three kinds mean a shot without a line, so that the answer lies in its context; the
fourth is answered by the shot itself and must not suffer. SIMULATION (see `world`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.world import PERSON, TONE, Catalogue, Title

Floats = NDArray[np.float32]

SAID, SCENE, FILM, ITSELF = "said nearby", "which scene", "what kind of film", "itself"
KINDS = (SAID, SCENE, FILM, ITSELF)
NEARBY = 3
"""Shots to either side within which a line is near."""
LOOSENESS = 1.0
"""Length of the noise beside a view of length 1: words say it otherwise, and leave things out."""
NAMES_PERSON = 0.5
"""Of the questions for something said, how many name somebody who is seen."""


@dataclass(frozen=True)
class Question:
    """One question and its answer."""

    kind: str
    title: int
    shot: int
    words: dict[str, Floats]  # "video", "text" -> (dim,) unit length


def ask(catalogue: Catalogue, titles: Iterable[Title], *, each: int, seed: int) -> list[Question]:
    """Return up to `each` questions of every kind for every title; the same seed, the same ones."""
    return [
        question
        for title in titles
        for question in _of_title(
            catalogue, title, each=each, random=np.random.default_rng([seed, title.number])
        )
    ]


def _of_title(
    catalogue: Catalogue, title: Title, *, each: int, random: np.random.Generator
) -> Iterator[Question]:
    """Yield a title's questions."""
    is_spoken = title.parts["text"].any(axis=1)
    textless = np.flatnonzero(~is_spoken)
    for kind in KINDS:
        asked = np.arange(title.num_shots) if kind == ITSELF else textless
        for shot in random.permutation(asked)[:each].tolist():
            words = _words(catalogue, title, shot, kind, random)
            if words is not None:
                yield Question(kind, title.number, shot, words)


def _words(
    catalogue: Catalogue, title: Title, shot: int, kind: str, random: np.random.Generator
) -> dict[str, Floats] | None:
    """Return what the words of a question are to each slot; None where there is nothing to ask."""
    dim = catalogue.world.dim
    nothing = np.zeros(dim)
    person, place = title.seen[shot, :PERSON], title.seen[shot, PERSON:]
    seen = catalogue.view("video", person=person[None], place=place[None])[0]
    face = catalogue.view("video", person=person[None])[0]
    line = title.parts["text"][shot]
    match kind:
        case "said nearby":
            heard = _line_nearby(title, shot)
            if heard is None:
                return None
            said = title.parts["text"][heard]
            video, text = (face if random.random() < NAMES_PERSON else nothing), said
        case "which scene":
            mood = title.mood[shot, : TONE + 1]
            video = catalogue.view("video", place=title.place[shot][None], tone=mood[None])[0]
            text = catalogue.view("text", subject=title.subject[shot][None])[0]
        case "what kind of film":
            video, text = seen, title.about
        case _:
            video, text = (nothing, line) if line.any() else (seen, nothing)
    return {"video": _loose(video, random), "text": _loose(text, random)}


def _line_nearby(title: Title, shot: int) -> int | None:
    """Return the nearest shot of the scene in which something is said, within reach."""
    low, high = max(0, shot - NEARBY), min(title.num_shots, shot + NEARBY + 1)
    around = np.arange(low, high)
    around = around[title.parts["text"][low:high].any(axis=1)]
    around = around[title.scene[around] == title.scene[shot]]
    return int(around[np.argmin(np.abs(around - shot))]) if len(around) else None


def _loose(view: Floats, random: np.random.Generator) -> Floats:
    """Return the view, said otherwise; noise where there is none. Unit length."""
    noisy = view + LOOSENESS * random.standard_normal(len(view)) / np.sqrt(len(view))
    return np.float32(noisy / np.linalg.norm(noisy))
