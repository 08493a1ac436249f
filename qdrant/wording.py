"""Which characters make a word, and which words count as the same. Pure.

Case, accents and widths do not count: people leave them out when they type. Marks that make another
letter do (й is no и, が no か).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

SIGNS = "\u0300-\u036f\u0591-\u05bd\u064b-\u0655\u0900-\u0963\u0966-\u0dff\u200c\u200d"
"""Accents, points and vowel signs stand within words, though Python takes them for no letters."""
WORD = re.compile(rf"(?:[^\W_]|[{SIGNS}])+")
MARKS_LEFT_OUT = re.compile(
    "[\u0300-\u036f"  # accents, of Latin, Greek and Cyrillic letters
    "\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670]"  # vowel points: Hebrew, Arabic
)
KEPT = re.compile("\u0418\u0306|\u0438\u0306")  # Й, й
LETTERS = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "ł": "l", "þ": "th"}
    | {"\u0131": "i"}  # without its dot
)
"""Latin letters that are typed in another way, and that Unicode does not take apart."""

UNSPACED = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f\u1780-\u17ff"  # Burmese, Khmer
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"  # kana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # ideographs
)
"""Scripts that put no spaces between words."""
RUN = re.compile(rf"[{UNSPACED}]+")
SAID = re.compile(rf"[{UNSPACED}]|(?:(?![{UNSPACED}])(?:[^\W_]|[{SIGNS}]))+")
ENDING = re.compile(r"(?<=\w)['\u2019\u02bc](?=\w{1,2}(?!\w))")
"""The apostrophe of don't, you're and it's, which people leave out; that of l'homme parts words."""


def folded(text: str) -> str:
    """Return the text as it is compared: small letters without accents, of one width."""
    small = unicodedata.normalize("NFKC", text).casefold()
    if small.isascii():
        return small
    apart = unicodedata.normalize("NFD", small)
    if "\u0306" in apart:
        apart = KEPT.sub(lambda letter: unicodedata.normalize("NFC", letter[0]), apart)
    bare = MARKS_LEFT_OUT.sub("", apart)
    return unicodedata.normalize("NFC", bare).translate(LETTERS)


def words_in(text: str) -> list[str]:
    """Return the words as the lines are indexed by: don't is two of them. Folded, in order."""
    return WORD.findall(folded(text))


def words_said(text: str) -> list[str]:
    """Return the words as one hears them: don't is one. Folded, in order.

    Of a script without spaces every character stands for itself.
    """
    return SAID.findall(ENDING.sub("", folded(text)))


def pairs_of_characters(text: str) -> list[str]:
    """Return neighbours in folded text of scripts without spaces; a lone character is itself."""
    return [
        "".join(pair)
        for run in RUN.findall(text)
        for pair in (pairwise(run) if len(run) > 1 else [run])
    ]


def pieces(text: str) -> Iterator[tuple[str, bool]]:
    """Yield the text in pieces, each with whether it is a word; joined, they are the text."""
    end = 0
    for found in WORD.finditer(text):
        yield text[end : found.start()], False
        yield found[0], True
        end = found.end()
    yield text[end:], False


def words_told(shot: Mapping[str, Any]) -> str:
    """Return all that a shot can be found by: lines, description, text on screen, sounds."""
    texts = [str(shot.get(name) or "") for name in ("dialogue", "description", "screen_text")]
    return "\n".join(filter(None, [*texts, *shot.get("sounds", ())]))
