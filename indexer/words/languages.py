"""Languages as files name them, brought to the way profiles do."""

from __future__ import annotations

import re
from collections.abc import Sequence

LANGUAGE_TAG = re.compile(r"[a-z]{2,3}([-_]\w{2,8}){0,2}")
TWO_LETTERS = {
    "ara": "ar", "bul": "bg", "cat": "ca", "ces": "cs", "chi": "zh", "cze": "cs", "dan": "da",
    "deu": "de", "dut": "nl", "ell": "el", "eng": "en", "est": "et", "fas": "fa", "fin": "fi",
    "fra": "fr", "fre": "fr", "ger": "de", "gre": "el", "heb": "he", "hin": "hi", "hrv": "hr",
    "hun": "hu", "ice": "is", "ind": "id", "isl": "is", "ita": "it", "jpn": "ja", "kor": "ko",
    "lav": "lv", "lit": "lt", "may": "ms", "msa": "ms", "nld": "nl", "nob": "nb", "nor": "no",
    "per": "fa", "pol": "pl", "por": "pt", "ron": "ro", "rum": "ro", "rus": "ru", "slk": "sk",
    "slo": "sk", "slv": "sl", "spa": "es", "srp": "sr", "swe": "sv", "tam": "ta", "tha": "th",
    "tur": "tr", "ukr": "uk", "vie": "vi", "zho": "zh",
}  # fmt: skip
"""ISO 639-2 codes that files are often marked with, as profiles name languages."""
NO_LANGUAGE = frozenset({"und", "mis", "mul", "zxx", "qaa", "unk"})
"""Codes that say there is no telling (ISO 639-2)."""


def is_language(tag: str) -> bool:
    """Whether a word in small letters can be a language: en, eng, pt-br, zh-hant."""
    return LANGUAGE_TAG.fullmatch(tag) is not None


def language_of(tag: str | None) -> str | None:
    """Return a language as profiles name it ("en", "pt-br"); None where the tag tells none."""
    tag = (tag or "").strip().lower().replace("_", "-")
    if not is_language(tag):
        return None
    language, dash, region = tag.partition("-")
    return (
        None if language in NO_LANGUAGE else f"{TWO_LETTERS.get(language, language)}{dash}{region}"
    )


def preference(language: str | None, languages: Sequence[str]) -> int:
    """Return a language's rank, smallest best: as the profile lists them, unmarked, any other."""
    if language is None:
        return len(languages)
    known = language.split("-")[0]
    return languages.index(known) if known in languages else len(languages) + 1
