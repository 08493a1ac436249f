"""Who says which tags a shot carries: words, a probe, or whatever else learns it."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from indexer.library import Library
from indexer.manifest import Manifest
from indexer.tagging.vocabulary import Group

Scores = NDArray[np.float32]
"""(num_shots, num_entries): how sure each entry is of each shot, 0..1"""


class Source(Protocol):
    """Something that knows, of a group's entries, how sure each is of a shot.

    Where several know an entry, the one that is asked first has it: see
    `indexer.tagging.sources.sources_of`.
    """

    @property
    def name(self) -> str:
        """What it is, for people: "words", "probe"."""

    @property
    def version(self) -> str:
        """A hash of all that decides its scores, but the title's own shots."""

    @property
    def entries(self) -> tuple[str, ...]:
        """The names of the tags that it knows."""

    def scores(self, library: Library, manifest: Manifest) -> Scores:
        """Return how sure each entry is of each shot of a title, (num_shots, num_entries)."""


def entries_of(group: Group, sources: list[Source]) -> dict[str, Source]:
    """Return who tells of each tag of a group: the first source that knows it."""
    told: dict[str, Source] = {}
    for source in sources:
        for name in source.entries:
            told.setdefault(name, source)
    return told
