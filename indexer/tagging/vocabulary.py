"""What a shot can be tagged with: labels, tones and genres, and the words that ask for each."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

FILE = Path(__file__).with_name("vocabulary.toml")

Group = Literal["label", "own", "tone", "genre"]
"""Own are the labels that people taught by clicks."""
GROUPS: tuple[Group, ...] = get_args(Group)
PAYLOAD: Mapping[Group, str] = {
    "label": "labels", "own": "labels", "tone": "tones", "genre": "clip_genres",
}  # fmt: skip
"""The payload field in which a shot's tags of each group lie; own labels are labels."""


@dataclass(frozen=True)
class Measure:
    """A column of shots.parquet that tells of an entry as well as words do, or better."""

    column: str
    start: float  # here the entry begins to hold,
    full: float  # and here it holds; below `start` where little of it is meant
    instead: bool = False  # of words; else both must hold


@dataclass(frozen=True)
class Entry:
    """One thing that a shot may be tagged with."""

    group: Group
    name: str
    about: str  # what is meant, for people
    phrases: tuple[str, ...]  # how words ask for it
    unlike: tuple[str, ...] = ()  # what it is easily taken for
    sounds: tuple[str, ...] = ()  # what is heard, for profiles that hear words
    is_seen: bool = False  # by pictures alone: what is said does not count
    measure: Measure | None = None
    avoid: bool = False  # brand safety: to be kept away from an advertisement


@dataclass(frozen=True)
class Vocabulary:
    """All entries, in the order of the file."""

    entries: tuple[Entry, ...]
    version: str  # a hash of the file: other words, other tags

    def of(self, group: Group) -> tuple[Entry, ...]:
        """Return the entries of a group."""
        return tuple(entry for entry in self.entries if entry.group == group)

    def names(self, group: Group) -> tuple[str, ...]:
        """Return the names of a group's entries."""
        return tuple(entry.name for entry in self.of(group))

    def to_avoid(self, group: Group) -> frozenset[str]:
        """Return the names of a group that an advertisement is kept away from."""
        return frozenset(entry.name for entry in self.of(group) if entry.avoid)


@cache
def read_vocabulary(path: Path = FILE) -> Vocabulary:
    """Return the vocabulary that comes with Trimbin, or one of the same form."""
    text = path.read_bytes()
    told = tomllib.loads(text.decode())
    entries = tuple(
        _entry(group, name, row) for group in GROUPS for name, row in told.get(group, {}).items()
    )
    return Vocabulary(entries, hashlib.sha256(text).hexdigest()[:12])


def _entry(group: Group, name: str, row: Mapping[str, Any]) -> Entry:
    measured = row.get("measured")
    return Entry(
        group=group,
        name=name,
        about=row["about"],
        phrases=tuple(row["phrases"]),
        unlike=tuple(row.get("unlike", ())),
        sounds=tuple(row.get("sounds", ())),
        is_seen=row.get("of") == "pictures",
        measure=_measure(measured) if measured else None,
        avoid=row.get("avoid", False),
    )


def _measure(row: Mapping[str, Any]) -> Measure:
    return Measure(row["column"], row["from"], row["to"], row.get("instead", False))
