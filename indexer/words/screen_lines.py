"""Lines of text on screen: one line's place, their order, and the same line in several frames."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

ALIKE = 0.8
"""Two readings share this much of their letters where they are of one line."""


@dataclass(frozen=True)
class ScreenLine:
    """One line of text in a picture."""

    text: str
    confidence: float  # 0..1, the mean over its characters
    box: tuple[float, float, float, float]  # left, top, right, bottom: shares of the picture, 0..1

    @property
    def letters(self) -> str:
        """Its letters and digits alone, in one case: what two readings are compared by."""
        return "".join(character for character in self.text.casefold() if character.isalnum())

    @property
    def height(self) -> float:
        """Its height, as a share of the picture's."""
        return self.box[3] - self.box[1]


def in_reading_order(lines: Iterable[ScreenLine]) -> list[ScreenLine]:
    """Return lines row by row, and from the left in a row.

    A line is in the row of the one above whose middle it overlaps.
    """
    rows: list[list[ScreenLine]] = []
    for line in sorted(lines, key=lambda line: line.box[1] + line.box[3]):
        middle = (line.box[1] + line.box[3]) / 2
        if rows and rows[-1][0].box[1] < middle < rows[-1][0].box[3]:
            rows[-1].append(line)
        else:
            rows.append([line])
    return [line for row in rows for line in sorted(row, key=lambda line: line.box[0])]


def each_once(pictures: Iterable[Sequence[ScreenLine]]) -> tuple[ScreenLine, ...]:
    """Return the lines of a shot's pictures, each once where it first stands, as best read.

    Readings of one line differ in a letter or two while it fades, moves or scrolls.
    """
    lines: list[ScreenLine] = []
    for line in (line for picture in pictures for line in picture):
        known = next((n for n, other in enumerate(lines) if same_text(line, other)), None)
        if known is None:
            lines.append(line)
        elif line.confidence > lines[known].confidence:
            lines[known] = line
    return tuple(lines)


def same_text(one: ScreenLine, other: ScreenLine) -> bool:
    """Whether two lines are readings of the same text."""
    a, b = one.letters, other.letters
    if any(character.isdigit() for character in a + b):
        return a == b  # "Chapter 1" is not "Chapter 2"
    # In one order, for the ratio depends on it.
    return SequenceMatcher(None, min(a, b), max(a, b), autojunk=False).ratio() >= ALIKE
