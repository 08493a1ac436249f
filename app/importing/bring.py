"""From selects to a shortlist: match, keep, and tell what could not be kept."""

from __future__ import annotations

from dataclasses import dataclass

from app.importing.matching import Match, Matcher
from app.importing.selects import Select, Selects
from app.shortlist import COLOURS, Item, Pick, Shortlists, list_name
from app.shortlists.item import MAX_STARS
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

    @property
    def told(self) -> str:
        """How much came, in a sentence."""
        again = len(self.items) - self.added
        moments = "1 moment" if self.added == 1 else f"{self.added} moments"
        before = f"; {again} {'was' if again == 1 else 'were'} there already" if again else ""
        return f"{self.list}: {moments} added{before}."


def import_selects(
    library: Library,
    found: Selects,
    *,
    origin: str,
    name: str,
    title: str | None = None,
    who: str = "",
) -> Imported:
    """Keep selects in the shortlist `name`, in one change; the same ones again add nothing.

    `origin` is what the file was called that they were found in; `title` is the one title that all
    are of, by name or id: markers need it.

    Raises `UsageError` for an unknown title or a list without a name.
    """
    name = list_name(name)
    matcher = Matcher(library, title=title)
    shortlists = Shortlists.of(library, who=who)
    before = {item.item_id for item in shortlists.items(name)}
    picks: list[Pick] = []
    problems, notes = list(found.problems), []
    for select in found.selects:
        try:
            match = matcher.match(select)
        except InputError as error:
            problems.append(f"{_told(select)} {error}")
            continue
        picks.append(_pick(select, match))
        if match.clamped:
            notes.append(
                f"{_told(select)} reaches {match.clamped} frames past the edges of "
                f"{match.title.title!r} and was cut there."
            )
    if not found.selects and not problems:
        problems.append(f"{origin} holds no selects with picture.")
    items = shortlists.add_all(name, picks, what=f"Imported {origin}") if picks else []
    added = sum(item.item_id not in before for item in items)
    return Imported(name, tuple(items), added, tuple(problems), tuple(notes))


def _pick(select: Select, match: Match) -> Pick:
    return Pick.of(
        match.title,
        match.start_frame,
        match.end_frame,
        note=select.note[:MAX_NOTE_CHARACTERS],
        stars=min(max(select.stars, 0), MAX_STARS),
        colour=label_of(select.colour),
    )


def label_of(word: str) -> str:
    """Return the colour label that a file's own word for a colour comes nearest to, or none."""
    plain = word.casefold().removeprefix("resolvecolor").strip()
    return plain if plain in COLOURS else OTHER_WORDS.get(plain, "")


def _told(select: Select) -> str:
    return select.where[:1].upper() + select.where[1:]
