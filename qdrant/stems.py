"""What each language's words come down to: its stop words left out, its endings cut.

The engine in the wheel has the tokenizer, the stop words and the Snowball stemmers. A language that
it knows nothing of keeps its words as they are. Words of no stated language are read as English.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qdrant_edge import Bm25, DisabledStemmer, SnowballParams

Stem = tuple[int, ...]
"""Numbers that mean nothing by themselves: none for a number, several for a word taken apart."""

UNSTATED = "english"
LANGUAGES = {
    "ar": "arabic", "az": "azerbaijani", "bn": "bengali", "ca": "catalan", "da": "danish",
    "de": "german", "el": "greek", "en": "english", "es": "spanish", "eu": "basque",
    "fi": "finnish", "fr": "french", "he": "hebrew", "hu": "hungarian", "hy": "armenian",
    "id": "indonesian", "it": "italian", "ja": "japanese", "kk": "kazakh", "nb": "norwegian",
    "ne": "nepali", "nl": "dutch", "nn": "norwegian", "no": "norwegian", "pt": "portuguese",
    "ro": "romanian", "ru": "russian", "sl": "slovene", "sv": "swedish", "ta": "tamil",
    "tg": "tajik", "tr": "turkish", "zh": "chinese",
}  # fmt: skip
"""ISO 639-1 -> the engine's name of a language that it has stop words or a stemmer for."""
THREE_LETTERS = {
    "ara": "ar", "aze": "az", "ben": "bn", "cat": "ca", "dan": "da", "deu": "de", "ger": "de",
    "ell": "el", "gre": "el", "eng": "en", "spa": "es", "eus": "eu", "baq": "eu", "fin": "fi",
    "fra": "fr", "fre": "fr", "heb": "he", "hun": "hu", "hye": "hy", "arm": "hy", "ind": "id",
    "ita": "it", "jpn": "ja", "kaz": "kk", "nob": "nb", "nep": "ne", "nld": "nl", "dut": "nl",
    "nno": "nn", "nor": "no", "por": "pt", "ron": "ro", "rum": "ro", "rus": "ru", "slv": "sl",
    "swe": "sv", "tam": "ta", "tgk": "tg", "tur": "tr", "zho": "zh", "chi": "zh",
}  # fmt: skip
"""ISO 639-2 -> 639-1: titles.csv may name a language in either way, or in English."""
STEMMERS_ALONE = frozenset(["armenian", "tamil"])
"""Languages that the engine has a stemmer for and no stop words."""

TYPICAL_TOKENS = 8.0
"""Tokens of dialogue in a shot that has any (stop words not counted).

A shot of four seconds holds about ten spoken words, some of them stop words. It only decides
which shots count as long, so it need not be exact; all shots must share it.
"""


@lru_cache(maxsize=256)
def language_name(language: str | None) -> str | None:
    """Return the engine's name of a language ("de", "deu", "de-AT", "German"), None: it has none.

    No language at all is taken for English.
    """
    told = re.split(r"[-_]", (language or "").strip().casefold())[0]
    if not told or told in ("und", "mul"):
        return UNSTATED
    if told in LANGUAGES.values():
        return told
    return LANGUAGES.get(THREE_LETTERS.get(told, told))


def stems(words: Iterable[str], language: str | None = None) -> list[Stem]:
    """Return what each of these folded words comes down to in a language, whatever its ending."""
    name = language_name(language)
    return [_stem(word, name) for word in words]


def is_stop_word(word: str, language: str | None = None) -> bool:
    """Whether a folded word is too common in a language to say what is meant."""
    return _is_stop_word(word, language_name(language))


@lru_cache(maxsize=2**16)
def _stem(word: str, name: str | None) -> Stem:
    every_stem = tokenizer(name, leave_out=False, cut=True)
    return tuple(sorted(every_stem.embed_query(word).indices))


@lru_cache(maxsize=2**16)
def _is_stop_word(word: str, name: str | None) -> bool:
    content = tokenizer(name, leave_out=True, cut=True).embed_query(word).indices
    return not content and not word.isnumeric()  # numbers are no words to the engine


@lru_cache(maxsize=256)
def tokenizer(name: str | None, *, leave_out: bool, cut: bool, at_spaces: bool = False) -> Bm25:
    """Return what makes sparse vectors of folded text in a language by the engine's name.

    `leave_out` its stop words, `cut` its endings; `at_spaces` keeps together whatever is between
    two spaces.
    """
    from qdrant_edge import Bm25, Bm25Config, StopwordsSet, TokenizerType

    has_stop_words = name is not None and name not in STEMMERS_ALONE
    return Bm25(
        Bm25Config(
            avg_len=TYPICAL_TOKENS,
            tokenizer=TokenizerType.Whitespace if at_spaces else TokenizerType.Multilingual,
            language=name if has_stop_words else None,
            ascii_folding=True,
            stopwords=None if leave_out and has_stop_words else StopwordsSet(),
            stemmer=_stemmer(name, cut),
        )
    )


def _stemmer(name: str | None, cut: bool) -> DisabledStemmer | SnowballParams | None:
    """Return the engine's setting; None where it knows itself by the language."""
    from qdrant_edge import DisabledStemmer, SnowballLanguage, SnowballParams

    if not cut or name is None:
        return DisabledStemmer()
    if name in STEMMERS_ALONE:
        return SnowballParams(getattr(SnowballLanguage, name.capitalize()))
    return None
