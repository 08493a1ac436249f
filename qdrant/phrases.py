"""How nearly a remembered line is said in some words: in order, but for a slip. Pure.

The store finds shots with the same words in any order; this tells which of them say the line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein

from qdrant.errors import UsageError
from qdrant.stems import Stem, stems
from qdrant.wording import words_said

Costs = NDArray[np.float32]
"""What it costs to have a phrase said up to each place of a text; inf where it is not."""

BETWEEN = 0.3
"""Cost of a word between two neighbours, in words of the phrase."""
MISSING = 1.0
"""Cost of a word that is left out, or replaced by another."""
EDIT = 0.12
"""Cost of one letter left out, put in, put for another, or of two changed about."""
OTHER_ENDING = 0.03
"""Cost of a word with another ending."""
ONE_EDIT_FROM, TWO_EDITS_FROM = 4, 8
"""Letters of a word in which one edit is a typo, or two; what is shorter is another word."""
SKIPPING = 2
"""The row of prices for going on after a word that is not there."""
MAY_LACK_FROM = 4
"""Words of a phrase that is still the same without one of them."""
MOST_SLOP = 20
"""Further apart, words are not said together."""
MOST_WORDS, MOST_LETTERS = 250, 64
"""What is read of a phrase, and of a word: more than anybody remembers."""


@dataclass(frozen=True)
class Phrase:
    """A line as somebody remembers it. Raises `UsageError` for a slop that makes no sense."""

    text: str
    slop: int = 2  # how many other words may stand between two neighbours

    def __post_init__(self) -> None:
        if not 0 <= self.slop <= MOST_SLOP:
            raise UsageError(
                f"Between two words of a line there may be 0 to {MOST_SLOP} others, not "
                f"{self.slop}; choose a number between."
            )


def closeness(phrase: Phrase, said: str, *, language: str | None = None) -> float:
    """Return how nearly the phrase is said, 0..1: 1 word for word, 0 where it is not said.

    Case, accents and punctuation do not count, endings hardly (by the language of `said`; None is
    taken for English). Words between neighbours, typos, and in a phrase of four words or more one
    that is missing or another, each cost some of it. Scripts without spaces are read character by
    character. Time grows with the words of either.
    """
    asked, words = _read(phrase.text)[:MOST_WORDS], _read(said)
    if not asked or not words:
        return 0.0
    costs = _costs(asked, words, language)
    lacking = np.isinf(costs).all(axis=1).sum()
    if lacking > _may_lack(asked):
        return 0.0
    cheapest = _cheapest(costs, phrase.slop, may_lack=_may_lack(asked) > 0)
    return max(0.0, 1.0 - float(cheapest) / len(asked))


def may_be_typos(asked: str, num_letters: int) -> int:
    """Return how many edits may be typos between a word and one of so many letters.

    The longer counts: in a word of four letters one may have been left out. Another number is no
    typo.
    """
    if any(letter.isdigit() for letter in asked):
        return 0
    longer = max(len(asked), num_letters)
    return (longer >= ONE_EDIT_FROM) + (longer >= TWO_EDITS_FROM)


def _read(text: str) -> list[str]:
    return [word[:MOST_LETTERS] for word in words_said(text)]


def _may_lack(asked: Sequence[str]) -> int:
    return int(len(asked) >= MAY_LACK_FROM)


def _costs(asked: Sequence[str], words: Sequence[str], language: str | None) -> Costs:
    """Return what it costs to take each word for each that was asked: (asked, words) float32."""
    places = {word: place for place, word in enumerate(dict.fromkeys(words))}
    wanted = list(dict.fromkeys(asked))
    distinct = _costs_of(wanted, list(places), language)
    rows = [wanted.index(word) for word in asked]
    return distinct[rows][:, [places[word] for word in words]]


def _costs_of(wanted: Sequence[str], said: Sequence[str], language: str | None) -> Costs:
    by_length = {
        num_letters: np.array([may_be_typos(word, num_letters) for word in wanted], np.uint8)
        for num_letters in {len(word) for word in said}
    }
    allowed = np.stack([by_length[len(word)] for word in said], axis=1)
    most = int(allowed.max())
    edits = process.cdist(
        wanted, said, scorer=DamerauLevenshtein.distance, score_cutoff=most, dtype=np.uint8
    )
    costs = np.where(edits <= allowed, edits * np.float32(EDIT), np.float32(np.inf))
    costs[_same_stem(wanted, said, language) & (edits > 0)] = OTHER_ENDING
    return costs.astype(np.float32)


def _same_stem(
    wanted: Sequence[str], said: Sequence[str], language: str | None
) -> NDArray[np.bool_]:
    theirs: dict[Stem, list[int]] = {}
    for place, told in enumerate(stems(said, language)):
        theirs.setdefault(told, []).append(place)
    same = np.zeros((len(wanted), len(said)), np.bool_)
    for row, asked in enumerate(stems(wanted, language)):
        if asked:
            same[row, theirs.get(asked, [])] = True
    return same


def _cheapest(costs: Costs, slop: int, *, may_lack: bool) -> float:
    """Return the least that the whole phrase costs, in the order of its words; inf: it isn't said.

    `whole[j]` is the least cost of the phrase so far, its last word being the one at `j`;
    `lacking[j]` is the same, one word of it being left out.
    """
    prices = np.full((3, slop + 2), np.inf, np.float32)  # of the words between two neighbours
    prices[:, : slop + 1] = BETWEEN * np.arange(slop + 1)
    prices[SKIPPING, 1:] = prices[SKIPPING, :-1]  # the first is in the place of the missing word
    before = lacking = np.full(costs.shape[1], np.inf, np.float32)
    whole = costs[0]
    for row, cost in enumerate(costs[1:], start=1):
        now, still_lacking, skipped = _after(np.stack([whole, lacking, before]), prices)
        if may_lack:
            skipped = np.minimum(skipped, np.inf if row > 1 else 0) + np.float32(MISSING)
            lacking = np.minimum(still_lacking, skipped) + cost
        before, whole = whole, now + cost
    least = min(whole.min(), lacking.min())
    return float(min(least, before.min() + MISSING) if may_lack else least)


def _after(ends: Costs, prices: Costs) -> Costs:
    """Return the least cost of going on at each place after what ended before it: (ways, words)."""
    num_words = ends.shape[1]
    least = np.full(ends.shape, np.inf, np.float32)
    for between in range(min(prices.shape[1], num_words - 1)):
        reached, price = ends[:, : num_words - 1 - between], prices[:, between, None]
        np.minimum(least[:, between + 1 :], reached + price, out=least[:, between + 1 :])
    return least
