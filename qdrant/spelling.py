"""What somebody may have meant by a word that a library doesn't know: words that it does. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein

from qdrant.phrases import EDIT, MOST_LETTERS, may_be_typos
from qdrant.wording import RUN, folded, pieces, words_in

Letters = NDArray[np.uint32]
"""Which letters a word has, (words,) a bit for each (or for several of a large script)."""

MOST_ALTERNATIVES = 5


class Vocabulary:
    """The words of some texts, folded, with how often each is there. Never changes."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._counts: Mapping[str, int] = Counter(word for text in texts for word in words_in(text))

    @classmethod
    def counted(cls, counts: Mapping[str, int]) -> Self:
        """Return the vocabulary of these folded words; one that counts 0 is not there."""
        vocabulary = cls()
        vocabulary._counts = {word: count for word, count in counts.items() if count > 0}
        return vocabulary

    def __len__(self) -> int:
        return len(self._counts)

    def __contains__(self, word: str) -> bool:
        return folded(word) in self._counts

    def count(self, word: str) -> int:
        """Return how often a word is there."""
        return self._counts.get(folded(word), 0)

    def alternatives(self, word: str) -> tuple[tuple[str, float], ...]:
        """Return the words that may be meant, at most five, each with how near it is (0..1).

        The word itself first, where it is there; then the nearest, of equals the most frequent. A
        word of four to seven letters (as asked, or as it is there) may have one typo in it, a
        longer one two.
        """
        asked = folded(word)
        itself = [(asked, 1.0)] if asked in self._counts else []
        ranked = sorted((edits, -self._counts[near], near) for near, edits in self._near(asked))
        others = [(near, 1.0 - EDIT * edits) for edits, _, near in ranked if edits]
        return tuple([*itself, *others][:MOST_ALTERNATIVES])

    def _near(self, asked: str) -> Iterator[tuple[str, int]]:
        """Yield every word that a typo or two may have made this one of, and how many edits."""
        if not 0 < len(asked) <= MOST_LETTERS:
            return
        [letters] = _letters([asked])
        for length, (words, theirs) in self._by_length.items():
            most = may_be_typos(asked, length)
            if not most or abs(length - len(asked)) > most:
                continue
            # An edit puts one letter in the place of another at most.
            alike = np.flatnonzero(np.bitwise_count(theirs ^ letters) <= 2 * most)
            near = [words[place] for place in alike.tolist()]
            scorer = DamerauLevenshtein.distance
            found = process.extract(asked, near, scorer=scorer, score_cutoff=most, limit=None)
            yield from ((str(word), int(edits)) for word, edits, _ in found)

    @cached_property
    def _by_length(self) -> dict[int, tuple[list[str], Letters]]:
        by_length: dict[int, list[str]] = {}
        for word in self._counts:
            by_length.setdefault(len(word), []).append(word)
        return {length: (words, _letters(words)) for length, words in by_length.items()}


def respelled(line: str, vocabulary: Vocabulary) -> str:
    """Return the line as it should be asked: after each unknown word the words it may stand for.

    It stays itself beside them: another form of it may be known. What has no alternative is
    left alone, and so are scripts without spaces.
    """
    return "".join(
        " ".join([piece, *_instead(piece, vocabulary)]) if is_word else piece
        for piece, is_word in pieces(line)
    )


def _instead(word: str, vocabulary: Vocabulary) -> list[str]:
    if word in vocabulary or RUN.search(word):
        return []
    return [near for near, _ in vocabulary.alternatives(word)]


def _letters(words: list[str]) -> Letters:
    """Return which letters each of these words, all equally long, has."""
    points = np.array(words).view(np.uint32).reshape(len(words), -1)
    letters: Letters = np.bitwise_or.reduce(np.uint32(1) << (points % 32), axis=1)
    return letters
