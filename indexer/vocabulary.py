"""The words of a library's finished titles, kept in step with its folder.

    words = LibraryVocabulary(library)  # kept by whoever asks often
    respelled(line, words.now())

A title is read once for each of its generations, and what it said is taken away when it goes. What
was counted is kept in the library's cache, so that a process that asks once need not read every
title.
"""

from __future__ import annotations

import io
import json
import logging
import threading
import time
import zipfile
from collections import Counter
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.disk import write_atomically
from indexer.library import SHOTS_FILE, Library
from qdrant.spelling import Vocabulary
from qdrant.wording import words_in

logger = logging.getLogger(__name__)

COLUMNS = ("dialogue", "description", "screen_text", "sounds")
"""Columns of shots.parquet that can be found by their words."""
LOOK_AGAIN_S = 1.0
"""How long what was last seen of the folder is taken for what is there."""
KEEP_AGAIN_S = 60.0
"""How long new counts wait before they are kept: a title that grows is new every few seconds."""
REVISION = 1
"""Of how words are told apart and kept; raised when that changes."""

Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Words:
    """What one generation of a title says."""

    generation: str
    ids: Numbers  # (words,) places in the library's list of words
    counts: Numbers  # (words,) how often each


class LibraryVocabulary:
    """The words of a library in its version in use; threads may ask at once."""

    def __init__(self, library: Library, *, look_again_s: float = LOOK_AGAIN_S) -> None:
        self._library = library
        self._cache = library.cache_folder / f"words-{library.version}.npz"
        self._look_again_s = look_again_s
        self._looked_at_s = self._kept_at_s = -float("inf")
        self._looking = threading.Lock()
        self._titles: dict[str, Words] = {}
        self._ids: dict[str, int] = {}  # word -> its place in the totals
        self._totals: Numbers = np.zeros(0, np.int64)
        self._vocabulary: Vocabulary | None = None

    def now(self) -> Vocabulary:
        """Return the words of the titles that are there now, or were a second ago.

        The first call reads those that nobody has read. While one thread reads titles, others
        get what was there before.
        """
        if self._looking.acquire(blocking=self._vocabulary is None):
            try:
                if time.monotonic() - self._looked_at_s >= self._look_again_s:
                    self._look()
                    self._looked_at_s = time.monotonic()
            finally:
                self._looking.release()
        assert self._vocabulary is not None
        return self._vocabulary

    def _look(self) -> None:
        if self._vocabulary is None:
            self._recall()
        finished = {m.title_id: m.generation for m in self._library.in_use()}
        gone = [id_ for id_, words in self._titles.items() if finished.get(id_) != words.generation]
        for title_id in gone:
            words = self._titles.pop(title_id)
            self._totals[words.ids] -= words.counts
        come = finished.keys() - self._titles.keys()
        for title_id in come:
            self._titles[title_id] = self._count(title_id, finished[title_id])
        if gone or come or self._vocabulary is None:
            totals = dict(zip(self._ids, self._totals.tolist(), strict=True))
            self._vocabulary = Vocabulary.counted(totals)
        if come and time.monotonic() - self._kept_at_s >= KEEP_AGAIN_S:
            self._keep()
            self._kept_at_s = time.monotonic()

    def _count(self, title_id: str, generation: str) -> Words:
        """Count a title's words in; a title that cannot be read has none, and is told once."""
        text = ""
        try:
            text = _text_of(self._library.folder(title_id) / SHOTS_FILE)
        except (OSError, ValueError) as error:
            logger.warning("The words of title %s cannot be read (%s).", title_id, error)
        counted = Counter(words_in(text))
        ids = [self._ids.setdefault(word, len(self._ids)) for word in counted]
        counts = np.array(list(counted.values()), np.int64)
        words = Words(generation, np.array(ids, np.int64), counts)
        self._add(words)
        return words

    def _add(self, words: Words) -> None:
        self._totals = np.pad(self._totals, (0, len(self._ids) - len(self._totals)))
        self._totals[words.ids] += words.counts

    def _keep(self) -> None:
        """Write down what has been counted; a library that cannot be written does without."""
        titles = [[id_, words.generation, len(words.ids)] for id_, words in self._titles.items()]
        told = {"revision": REVISION, "titles": titles, "words": [*self._ids]}
        parts = list(self._titles.values())
        nothing = np.zeros(0, np.int64)
        content = io.BytesIO()
        np.savez(
            content,
            told=np.frombuffer(json.dumps(told).encode(), np.uint8),
            ids=np.concatenate([nothing, *(words.ids for words in parts)]).astype(np.uint32),
            counts=np.concatenate([nothing, *(words.counts for words in parts)]).astype(np.uint32),
        )
        try:
            self._cache.parent.mkdir(exist_ok=True)
            write_atomically(self._cache, content.getvalue())
        except OSError as error:
            logger.debug("The words that were counted are not kept: %s", error)

    def _recall(self) -> None:
        """Take up what was written down before, if it can be read and is of this making."""
        try:
            with self._cache.open("rb") as stream, np.load(stream, allow_pickle=False) as kept:
                told = json.loads(kept["told"].tobytes())
                ids, counts = kept["ids"].astype(np.int64), kept["counts"].astype(np.int64)
            ends = np.cumsum([num_words for _, _, num_words in told["titles"]], dtype=np.int64)
            known = len(ids) == len(counts) == (ends[-1] if len(ends) else 0)
            if (
                told["revision"] != REVISION
                or not known
                or ids.max(initial=-1) >= len(told["words"])
            ):
                return
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
            return
        self._ids = {word: place for place, word in enumerate(told["words"])}
        parts = zip(np.split(ids, ends[:-1]), np.split(counts, ends[:-1]), strict=True)
        for (title_id, generation, _), part in zip(told["titles"], parts, strict=False):
            self._titles[title_id] = Words(generation, *part)
            self._add(self._titles[title_id])


def vocabulary_of(library: Library) -> Vocabulary:
    """Return the words of a library's finished titles; to ask often, keep a `LibraryVocabulary`."""
    return LibraryVocabulary(library).now()


def _text_of(path: Path) -> str:
    """Return the words of a title's shots. Raises `OSError` or `ValueError`: it cannot be read."""
    from pyarrow import parquet

    with parquet.ParquetFile(path) as table:
        there = [name for name in COLUMNS if name in table.schema_arrow.names]
        columns = table.read(columns=there).to_pydict()
    cells = (cell for column in columns.values() for cell in column)
    texts = (cell if isinstance(cell, list) else [cell] for cell in cells)
    return "\n".join(filter(None, chain.from_iterable(texts)))
