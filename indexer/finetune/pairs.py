"""Shots and their captions: from a table, or from a film and its audio description."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from indexer.media.timecode import frames_of
from indexer.words.sidecars import beside
from indexer.words.subtitles import read_subtitles
from qdrant.errors import InputError, UsageError

COLUMNS = ("clip", "start", "end", "caption")
SECONDS = re.compile(r"\d+(\.\d+)?")
CLOCK = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{2}(?:[.,]\d+)?)")
"""H:MM:SS, M:SS, with decimals after a point or a comma: no frames."""
WITH_FRAMES = re.compile(r"\d{1,2}:\d{2}:\d{2}[:;]\d{2,3}")


@dataclass(frozen=True)
class Moment:
    """A place in a clip: in seconds, or as a timecode whose rate only the clip knows."""

    text: str

    def seconds(self, *, rate: Fraction, start_timecode: str | None) -> float:
        """Return seconds from the clip's first picture; a timecode counts as the clip's own does.

        Raises `UsageError` for a timecode that there is none of at this rate.
        """
        if SECONDS.fullmatch(self.text):
            return float(self.text)
        if match := CLOCK.fullmatch(self.text):
            hours, minutes, seconds = match.groups()
            return int(hours or 0) * 3600 + int(minutes) * 60 + float(seconds.replace(",", "."))
        zero = frames_of(start_timecode, rate=rate) if start_timecode else 0
        return float((frames_of(self.text, rate=rate) - zero) / rate)


@dataclass(frozen=True)
class Pair:
    """A stretch of a clip, and a sentence on what is seen in it. The end is not in it."""

    clip: Path
    start: Moment
    end: Moment
    caption: str


def read_pairs(sources: Sequence[Path], *, descriptions: Path | None = None) -> list[Pair]:
    """Return the pairs of tables (.csv) and of films with an audio description beside them.

    `descriptions` names the description of the one film given, where it does not lie beside it.
    Raises `InputError` for what cannot be read, `UsageError` for what is no pair.
    """
    films = [path for path in sources if path.suffix.lower() != ".csv"]
    if descriptions is not None and len(films) != 1:
        raise UsageError(
            f"`--descriptions` belongs to one film and {len(films)} were given; name one, or lay "
            "each description beside its film as FILM.descriptions.en.vtt."
        )
    pairs: list[Pair] = []
    for path in sources:
        if path.suffix.lower() == ".csv":
            pairs += _pairs_of_table(path)
        else:
            pairs += _pairs_of_film(path, descriptions or _description_of(path))
    return list(dict.fromkeys(pairs))


def _pairs_of_table(path: Path) -> Iterator[Pair]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            table = csv.DictReader(stream)
            names = {str(name).strip().lower(): name for name in table.fieldnames or ()}
            missing = [column for column in COLUMNS if column not in names]
            if missing:
                raise UsageError(
                    f"{path} has no column {missing[0]!r}; its first line must name "
                    f"{', '.join(COLUMNS)}."
                )
            for row in table:
                cells = {column: (row[names[column]] or "").strip() for column in COLUMNS}
                yield _pair_of_row(cells, path, line=table.line_num)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read as a table ({error}); save it as CSV.") from error


def _pair_of_row(cells: Mapping[str, str], path: Path, *, line: int) -> Pair:
    where = f"Line {line} of {path}"
    for column in COLUMNS:
        if not cells[column]:
            raise UsageError(f"{where} has no {column}; fill it in or take the line out.")
    for column in ("start", "end"):
        text = cells[column]
        if not any(form.fullmatch(text) for form in (SECONDS, CLOCK, WITH_FRAMES)):
            raise UsageError(
                f"{where} has the {column} {text!r}; give seconds (12.5), H:MM:SS or HH:MM:SS:FF."
            )
    start, end = Moment(cells["start"]), Moment(cells["end"])
    return Pair((path.parent / cells["clip"]).resolve(), start, end, cells["caption"])


def _pairs_of_film(film: Path, description: Path) -> Iterator[Pair]:
    for cue in read_subtitles(description):
        if cue.text and math.isfinite(cue.end_s):
            start, end = (Moment(f"{at_s:.6f}") for at_s in (cue.start_s, cue.end_s))
            yield Pair(film.resolve(), start, end, cue.text)


def _description_of(film: Path) -> Path:
    there = [path for path, name in beside(film).items() if name.description]
    if not there:
        raise UsageError(
            f"{film} is no table of pairs (.csv), and no audio description lies beside it as "
            f"{film.stem}.descriptions.en.vtt; name one with `--descriptions`."
        )
    return there[0]
