"""Letters for paper: which typeface shows a text, and what stands where none can.

DejaVu, Noto or Liberation are used where the machine has one: they may be embedded. Else Bitstream
Vera, which reportlab brings and which knows the languages of western Europe. Chinese, Japanese and
Korean are shown by the reader's own typefaces, as PDF allows. Scripts that run from right to left,
or whose letters join or stack, need a shaping that is not done here: they are shown as boxes, like
everything else that no typeface has. The HTML sheet shows them all.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby
from pathlib import Path

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFError, TTFont

FOLDERS = (
    "/usr/share/fonts/truetype/dejavu", "/usr/share/fonts/dejavu", "/usr/share/fonts/TTF",
    "/usr/share/fonts/dejavu-sans-fonts", "/usr/share/fonts/truetype/noto",
    "/usr/share/fonts/noto", "/usr/share/fonts/truetype/liberation",
    "/usr/share/fonts/liberation-sans", "/Library/Fonts", "C:/Windows/Fonts",
)  # fmt: skip
FILES = ("DejaVuSans.ttf", "NotoSans-Regular.ttf", "LiberationSans-Regular.ttf", "Vera.ttf")
EAST_ASIAN = (
    ("HYGothic-Medium", ((0x1100, 0x11FF), (0x3130, 0x318F), (0xAC00, 0xD7AF))),
    ("HeiseiKakuGo-W5", ((0x3000, 0x30FF), (0x4E00, 0x9FFF), (0xFF01, 0xFF9F))),
)  # fmt: skip
"""Typefaces of the reader's, and the characters each is asked for."""
UNSHAPED = (
    (0x0590, 0x08FF),
    (0x0900, 0x109F),
    (0x1780, 0x17FF),
    (0xFB1D, 0xFDFF),
    (0xFE70, 0xFEFC),
)
"""Hebrew and Arabic; the scripts of India and South-East Asia."""


@dataclass(frozen=True)
class Typeface:
    """A main typeface, and those of East Asia."""

    name: str
    known: frozenset[int] = field(repr=False)  # code points

    @property
    def box(self) -> str:
        """What stands for a character that cannot be shown."""
        return "□" if ord("□") in self.known else "?"

    def runs(self, text: str) -> Iterator[tuple[str, str]]:
        """Yield a text in pieces, each with the name of its typeface."""
        shown = [self._shown(c) for c in unicodedata.normalize("NFC", text) if _is_visible(c)]
        for name, letters in groupby(shown, key=lambda pair: pair[0]):
            yield name, "".join(letter for _, letter in letters)

    def width(self, text: str, size: float) -> float:
        """Return how wide a text is, in points."""
        widths = (pdfmetrics.stringWidth(run, name, size) for name, run in self.runs(text))
        return float(sum(widths))

    def lines(self, text: str, size: float, *, width: float, most: int) -> list[str]:
        """Return a text broken into at most so many lines; what does not fit is told by `…`."""
        lines: list[str] = []
        rest = " ".join(text.split())
        while rest and len(lines) < most:
            line = self._fitting(rest, size, width)
            rest = rest[len(line) :].lstrip()
            lines.append(line.rstrip())
        if rest and lines:
            lines[-1] = self._fitting(lines[-1], size, width - self.width("…", size)) + "…"
        return lines

    def _fitting(self, text: str, size: float, width: float) -> str:
        """Return as much of a text as fits, whole words where that is possible."""
        low, high = 1, len(text)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (
                (middle, high) if self.width(text[:middle], size) <= width else (low, middle - 1)
            )
        if low < len(text) and text[low] != " " and " " in text[:low]:
            return text[: text.rindex(" ", 0, low)]
        return text[:low]

    def _shown(self, letter: str) -> tuple[str, str]:
        code = ord(letter)
        if _among(code, UNSHAPED):
            return self.name, self.box
        if code in self.known:
            return self.name, letter
        for name, ranges in EAST_ASIAN:
            if _among(code, ranges):
                return name, letter
        return self.name, self.box


@lru_cache(maxsize=1)
def typeface() -> Typeface:
    """Return the best typeface of this machine, registered with reportlab."""
    for name, _ in EAST_ASIAN:
        pdfmetrics.registerFont(UnicodeCIDFont(name))
    for path in _candidates():
        try:
            font = TTFont(f"Trimbin-{Path(path).stem}", path)
        except (TTFError, OSError):
            continue
        pdfmetrics.registerFont(font)
        return Typeface(font.fontName, frozenset(font.face.charToGlyph))
    raise AssertionError("reportlab always finds its own Vera")


def _candidates() -> Iterator[str]:
    for name in FILES:
        yield from (str(path) for folder in FOLDERS if (path := Path(folder, name)).is_file())
    yield FILES[-1]  # reportlab looks in its own folder


def _among(code: int, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(first <= code <= last for first, last in ranges)


def _is_visible(letter: str) -> bool:
    return letter == " " or unicodedata.category(letter)[0] not in "CZ"
