"""Who tells of a group's tags in a library: a probe where one was kept, else words.

Whatever else learns tags comes in here, before words: who is asked first has the entry.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from indexer.labelling.kept import KeptClassifier, kept_classifiers
from indexer.library import Library
from indexer.manifest import Manifest
from indexer.probes.kept import KeptProbe, kept_probe
from indexer.probes.rows import shot_vectors
from indexer.studio import Studio
from indexer.tagging.background import Background, background_of
from indexer.tagging.confidence import SUREST, Floats, confidence_of, share_between
from indexer.tagging.source import Scores, Source
from indexer.tagging.vocabulary import Group, Measure, Vocabulary
from indexer.tagging.words import AskedWords, ask_in_words, version_of_words
from indexer.workbench import digest

TASKS: Mapping[Group, Literal["tone", "genre"]] = {"tone": "tone", "genre": "genre"}
"""The task whose probe tells of a group's tags."""


class Words:
    """The whole vocabulary asked in words, once for all groups; loaded when it is first wanted."""

    def __init__(self, studio: Studio, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self._studio = studio

    @cached_property
    def asked(self) -> AskedWords:
        """The entries, encoded."""
        return ask_in_words(self.vocabulary.entries, self._studio.library, self._studio.encoders)

    @cached_property
    def background(self) -> Background:
        """What is usual in the library. Raises `UsageError` where nothing here reads words."""
        studio = self._studio
        version = version_of_words(self.vocabulary.entries, studio.library, studio.encoders)
        return background_of(version, lambda: self.asked, studio.library, studio.progress)


@dataclass(frozen=True)
class WordsSource:
    """One group of the vocabulary, as sure as words make it."""

    group: Group
    words: Words
    name: str = "words"

    @property
    def version(self) -> str:
        """A hash of the words, of what encodes them and of what is usual."""
        return self.words.background.version

    @property
    def entries(self) -> tuple[str, ...]:
        """The group's names."""
        return self.words.vocabulary.names(self.group)

    def scores(self, library: Library, manifest: Manifest) -> Scores:
        """Return how sure each entry is of each shot, (num_shots, num_entries), 0..1."""
        answers = self.words.asked.answers(library, manifest)
        sure = confidence_of(
            answers.evidence,
            answers.levels,
            self.words.background.usual,
            floor=library.profile.confidence_floor,
        )
        shots = library.shots(manifest.title_id).iloc[: manifest.num_shots]
        for n, entry in enumerate(self.words.vocabulary.entries):
            if entry.measure is not None:
                column = entry.measure.column
                there = shots[column] if column in shots else [np.nan] * len(shots)
                sure[:, n] = _measured(entry.measure, np.array(there, np.float64), sure[:, n])
        ours = [n for n, e in enumerate(self.words.vocabulary.entries) if e.group == self.group]
        return sure[:, ours].astype(np.float32)


def _measured(measure: Measure, values: Floats, sure: Floats) -> Floats:
    """Return how sure an entry is of shots once what was measured is heard too."""
    holds = share_between(values, measure.start, measure.full)
    if measure.instead:
        return SUREST * np.nan_to_num(holds)
    return sure * np.where(np.isnan(holds), 1.0, holds)


@dataclass(frozen=True)
class ProbeSource:
    """A probe that was learned from labels and kept: its word replaces words."""

    probe: KeptProbe
    name: str = "probe"

    @cached_property
    def version(self) -> str:
        """A hash of its numbers."""
        numbers = (self.probe.weights, self.probe.bias, np.asarray(self.probe.calibration))
        return digest(self.probe.task, self.probe.classes, [n.tolist() for n in numbers])

    @property
    def entries(self) -> tuple[str, ...]:
        """The labels that it was taught."""
        return self.probe.classes

    def scores(self, library: Library, manifest: Manifest) -> Scores:
        """Return its calibrated scores of each shot, (num_shots, num_entries), 0..1.

        A shot of which its row has nothing is given nothing.
        """
        vectors = shot_vectors(library, manifest, self.probe.row)
        told = self.probe.scores(vectors) * vectors.any(axis=1, keepdims=True)
        return np.asarray(told, np.float32)


@dataclass(frozen=True)
class ClicksSource:
    """The labels that people taught by clicks, each with its classifier."""

    classifiers: tuple[KeptClassifier, ...]
    name: str = "clicks"

    @property
    def version(self) -> str:
        """A hash of all classifiers."""
        return digest([one.digest for one in self.classifiers])

    @property
    def entries(self) -> tuple[str, ...]:
        """The labels."""
        return tuple(one.name for one in self.classifiers)

    def scores(self, library: Library, manifest: Manifest) -> Scores:
        """Return how sure each classifier is of each shot, (num_shots, num_entries), 0..1.

        A shot of which its row has nothing is given nothing.
        """
        rows = {one.row for one in self.classifiers}
        vectors = {row: shot_vectors(library, manifest, row) for row in rows}
        return np.stack(
            [
                one.scores(vectors[one.row]) * vectors[one.row].any(axis=1)
                for one in self.classifiers
            ],
            axis=1,
        )


def sources_of(group: Group, library: Library, words: Words) -> list[Source]:
    """Return who tells of a group's tags, the one that is asked first before the others."""
    if group == "own":
        kept = tuple(kept_classifiers(library))
        return [ClicksSource(kept)] if kept else []
    task = TASKS.get(group)
    probe = kept_probe(library, task) if task else None
    return [ProbeSource(probe)] if probe else [WordsSource(group, words)]
