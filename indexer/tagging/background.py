"""What is usual in a library: the levels that entries reach among its shots, kept with its models.

Titles that come later are judged by it as it is, until a quarter of its shots would be new: so a
title that stays as it is keeps its tags, and costs nothing.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from indexer.disk import explained, write_atomically
from indexer.library import Library
from indexer.manifest import Manifest
from indexer.progress import Progress, silent
from indexer.tagging.confidence import Floats, Usual, usual_of
from indexer.tagging.words import AskedWords
from indexer.workbench import digest

MOST_CHANGED = 0.25
"""The share of its shots that may be of other titles, or of titles made anew, since."""
MOST_SHOTS = 20_000
"""More say no more about what is usual; of larger libraries every n-th shot counts."""


@dataclass(frozen=True)
class Background:
    """What is usual, and where it was found."""

    asked: str  # the version of what was asked
    shots: dict[str, tuple[str, int]]  # title_id -> (generation, its shots)
    usual: Usual

    @property
    def version(self) -> str:
        """A hash of what it says."""
        return digest(self.asked, self.usual.middle.tolist(), self.usual.width.tolist())

    def still_holds(self, titles: list[Manifest]) -> bool:
        """Whether no more than a quarter of it would be other shots now."""
        now = {m.title_id: (m.generation, m.num_shots) for m in titles}
        other = {*now.items()} ^ {*self.shots.items()}
        most = max(sum(n for _, n in now.values()), sum(n for _, n in self.shots.values()))
        return sum(n for _, (_, n) in other) <= MOST_CHANGED * most


def background_of(
    version: str, ask: Callable[[], AskedWords], library: Library, progress: Progress = silent
) -> Background:
    """Return what is usual among a library's shots, as it is kept or found now and kept.

    `version` is of what is asked; `ask` encodes it, where nothing is kept. Raises `CannotRunNow`
    where the library cannot be written.
    """
    titles = [manifest for manifest in library.in_use() if not manifest.live]
    kept = _read(_path(library))
    if kept is not None and kept.asked == version and kept.still_holds(titles):
        return kept
    asked = ask()
    every = math.ceil(sum(manifest.num_shots for manifest in titles) / MOST_SHOTS) or 1
    levels = [
        np.zeros((0, len(asked.entries))),
        *_levels(asked, library, titles, every=every, progress=progress),
    ]
    found = Background(
        asked=version,
        shots={m.title_id: (m.generation, m.num_shots) for m in titles},
        usual=usual_of(np.concatenate(levels)),
    )
    _keep(found, library)
    return found


def _levels(
    asked: AskedWords,
    library: Library,
    titles: list[Manifest],
    *,
    every: int,
    progress: Progress,
) -> Iterator[Floats]:
    """Yield the levels of every n-th shot of each title; one that is being removed has none."""
    for number, manifest in enumerate(titles):
        progress("What is usual", number, len(titles))
        try:
            yield asked.answers(library, manifest).levels[::every]
        except OSError:
            continue
    progress("What is usual", len(titles), len(titles))


def _path(library: Library) -> Path:
    return library.models_folder / "tagging" / "background.json"


def _read(path: Path) -> Background | None:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        shots = {title_id: (str(of[0]), int(of[1])) for title_id, of in told["shots"].items()}
        usual = Usual(np.array(told["middle"]), np.array(told["width"]))
        return Background(told["asked"], shots, usual)
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return None


def _keep(background: Background, library: Library) -> None:
    told = {
        "asked": background.asked,
        "shots": background.shots,
        "middle": background.usual.middle.tolist(),
        "width": background.usual.width.tolist(),
    }
    path = _path(library)
    with explained(library.root):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps(told).encode())
