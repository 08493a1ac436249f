"""The encodings of subtitle files, which seldom say theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from charset_normalizer import CharsetMatch

WESTERN = "cp1252"
"""Short Western text fits other code pages as well; this is by far the likeliest."""
OLD_MAC = "mac_"
"""Code pages of Macs of the last century: hardly any subtitles, but they fit anything."""
PAGES = {
    **dict.fromkeys(("bg", "mk", "ru", "sr", "uk"), ("cp1251", "koi8_r")),
    **dict.fromkeys(("cs", "hr", "hu", "pl", "ro", "sk", "sl"), ("cp1250",)),
    **dict.fromkeys(("et", "lt", "lv"), ("cp1257",)),
    **dict.fromkeys(("ar", "fa"), ("cp1256",)),
    "el": ("cp1253",),
    "he": ("cp1255",),
    "tr": ("cp1254",),
    "vi": ("cp1258",),
}
"""Where languages have code pages of their own, those that subtitles are found in."""


def decoded(content: bytes, *, language: str | None = None) -> str:
    """Return the text of a subtitle file: by its byte order mark, as UTF-8, or as it looks.

    `language`, where it is known ("pl", "pt-br"), decides between encodings that fit alike.
    """
    for mark, encoding in (
        (b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"),
    ):  # fmt: skip
        if content.startswith(mark):
            return content.decode(encoding, errors="replace")
    if wide := _wide(content):
        return content.decode(wide, errors="replace")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return _as_it_looks(content, (language or "").split("-")[0])


def _wide(content: bytes) -> str | None:
    """Return UTF-16 without its mark, told by the zeros beside digits and arrows."""
    head = content[:400]
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) * 4 < len(head):
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _as_it_looks(content: bytes, language: str) -> str:
    from charset_normalizer import from_bytes

    guesses = list(from_bytes(content))
    if not guesses:
        return content.decode("latin-1")
    preferred = (*PAGES.get(language, ()), WESTERN)

    def rank(guess: CharsetMatch) -> tuple[int, bool]:
        known = guess.encoding in preferred
        place = preferred.index(guess.encoding) if known else len(preferred)
        return place, guess.encoding.startswith(OLD_MAC)

    return str(min(guesses, key=rank))  # of equals the first: it looks best
