"""From a file to a shortlist: read, match, keep, and tell what could not be kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.importing.matching import Match, Matcher
from app.importing.reading import read_selects
from app.importing.selects import Select
from app.shortlist import COLOURS, Item, Shortlists, list_name
from indexer.library import Library
from qdrant.errors import InputError

MAX_NOTE_CHARACTERS = 2000
OTHER_WORDS = {
    "rose": "pink", "fuchsia": "pink", "lavender": "purple", "violet": "purple", "mango": "orange",
    "sand": "orange", "lemon": "yellow", "mint": "green", "forest": "green", "iris": "blue",
    "caribbean": "cyan", "cerulean": "blue", "magenta": "pink", "navy": "blue", "teal": "cyan",
}  # fmt: skip
"""What Premiere, Resolve and Avid call colours that have no label of their own here."""


@dataclass(frozen=True)
class Imported:
    """What came of an import."""

    list: str
    items: tuple[Item, ...]  # each span once, in the file's order, those kept before included
    added: int  # how many were not in the list before
    problems: tuple[str, ...]  # a sentence for each select that was not kept
    notes: tuple[str, ...]  # a sentence for each that was kept otherwise than the file says


def import_selects(
    library: Library, path: Path, *, name: str, title: str | None = None
) -> Imported:
    """Keep a file's selects in a shortlist; the same file again adds nothing.

    `title` is the one title that all are of, by name or id: markers need it.

    Raises `InputError` for a file that cannot be read, `UsageError` for an unknown title or a list
    without a name.
    """
    name = list_name(name)
    matcher = Matcher(library, title=title)
    found = read_selects(path)
    shortlists = Shortlists.of(library)
    before = {item.item_id for item in shortlists.items(name)}
    items: dict[int, Item] = {}
    problems, notes = list(found.problems), []
    for select in found.selects:
        try:
            match = matcher.match(select)
        except InputError as error:
            problems.append(f"{_told(select)} {error}")
            continue
        item = _keep(shortlists, name, select, match)
        items[item.item_id] = item
        if match.clamped:
            notes.append(
                f"{_told(select)} reaches {match.clamped} frames past the edges of "
                f"{match.title.title!r} and was cut there."
            )
    if not found.selects and not problems:
        problems.append(f"{path.name} holds no selects with picture.")
    added = len(items.keys() - before)
    return Imported(name, tuple(items.values()), added, tuple(problems), tuple(notes))


def _keep(shortlists: Shortlists, name: str, select: Select, match: Match) -> Item:
    item = shortlists.add(
        name,
        title_id=match.title.title_id,
        start_frame=match.start_frame,
        end_frame=match.end_frame,
        rate=match.title.rate,
        title=match.title.title,
        note=select.note[:MAX_NOTE_CHARACTERS],
    )
    if select.stars and not item.stars:  # what was kept before stays as somebody marked it
        shortlists.star(item.item_id, select.stars)
    if (label := label_of(select.colour)) and not item.colour:
        shortlists.colour(item.item_id, label)
    return item


def label_of(word: str) -> str:
    """Return the colour label that a file's own word for a colour comes nearest to, or none."""
    plain = word.casefold().removeprefix("resolvecolor").strip()
    return plain if plain in COLOURS else OTHER_WORDS.get(plain, "")


def _told(select: Select) -> str:
    return select.where[:1].upper() + select.where[1:]
