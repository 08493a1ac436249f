"""What is said as sparse vectors: BM25 without its idf, which the store multiplies in.

The same tokens whichever backend stores them: lower case, accents folded, and by the language of
the words its stop words left out and its endings cut. Text without spaces (Japanese, say) is split
into words too, but a word's neighbours decide where: so that a part of a line finds it, pairs of
characters are stored beside them. Numbers, which the engine drops, stay.

Stop words are kept apart, under indices of their own: whole, and in pairs of neighbours ("to be",
"be or"). A question with any other word in it leaves them out, as if they were not there. One that
has no other asks for them: "Who are you?" is a line too. The pairs are what tells it from every
shot with the same words far apart; the words alone find "Why?". idf makes little of what is said
everywhere, so they need no weight of their own. (A phrase index would be a second way to such
lines, but each backend has its own, and none bears a typo.)
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from qdrant.stems import TYPICAL_TOKENS as TYPICAL_TOKENS
from qdrant.stems import is_stop_word, language_name, tokenizer
from qdrant.wording import folded, pairs_of_characters, words_in

if TYPE_CHECKING:
    from qdrant_client import models
    from qdrant_edge import Bm25

STOP_WORDS_FROM = 2**31
"""Indices of stop words and their pairs begin here; the engine's own (hashes) end before."""

Weights = dict[int, float]
"""index -> value"""
Side = Literal["said", "asked"]
"""What is said weighs more the oftener it is; every word that is asked weighs the same."""


def document(dialogue: str, language: str | None = None) -> models.SparseVector | None:
    """Return the stored vector of a shot's words, or None where there are none.

    `language` is that of the words, in any usual form; None is taken for English.
    """
    text, name = folded(dialogue), language_name(language)
    return _sparse(_content(text, name, "said") | _stop_words(text, name, "said"))


def question(
    line: str, languages: Iterable[str | None] = ("en",), *, exact: bool = False
) -> models.SparseVector | None:
    """Return the vector that asks for a line in each of these languages; None where it has no word.

    Stop words are asked for where a language has nothing else to ask for, and with `exact` always.
    """
    text = folded(line)
    asked: Weights = {}
    for name in dict.fromkeys(language_name(language) for language in languages):
        content = _content(text, name, "asked")
        asked |= content
        if exact or not content:
            asked |= _stop_words(text, name, "asked")
    return _sparse(asked)


def _content(text: str, name: str | None, side: Side) -> Weights:
    """Return the weights of what folded text says: its stems, numbers, pairs of characters."""
    stems = _weights(tokenizer(name, leave_out=True, cut=True), text, side)
    numbers = [word for word in words_in(text) if word.isnumeric()]
    return stems | _tokens([*numbers, *pairs_of_characters(text)], side)


def _stop_words(text: str, name: str | None, side: Side) -> Weights:
    """Return the weights of the stop words in folded text, each and in pairs of neighbours."""
    every = _weights(tokenizer(name, leave_out=False, cut=False), text, side)
    others = _weights(tokenizer(name, leave_out=True, cut=False), text, side)
    weights = {index: value for index, value in every.items() if index not in others}
    if weights:
        common = [(word, is_stop_word(word, name)) for word in words_in(text)]
        pairs = [f"{one}_{two}" for (one, is_), (two, too) in pairwise(common) if is_ and too]
        weights |= _tokens(pairs, side)
    return {index + STOP_WORDS_FROM: value for index, value in weights.items()}


def _tokens(tokens: list[str], side: Side) -> Weights:
    """Return the weights of tokens without spaces, none of them taken apart or changed."""
    as_they_are = tokenizer(None, leave_out=False, cut=False, at_spaces=True)
    return _weights(as_they_are, " ".join(tokens), side) if tokens else {}


def _weights(bm25: Bm25, text: str, side: Side) -> Weights:
    vector = bm25.embed_document(text) if side == "said" else bm25.embed_query(text)
    return dict(zip(vector.indices, vector.values, strict=True))


def _sparse(weights: Weights) -> models.SparseVector | None:
    from qdrant_client import models

    if not weights:
        return None
    indices = sorted(weights)
    return models.SparseVector(indices=indices, values=[weights[index] for index in indices])
