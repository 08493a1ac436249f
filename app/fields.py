"""What a request says of fields becomes conditions: on what was measured, on what titles tell."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from app.places import find_titles
from app.request import Field
from indexer.library import Library
from indexer.manifest import Manifest
from indexer.tagging.tags import known_names
from indexer.tagging.vocabulary import PAYLOAD, Group, read_vocabulary
from qdrant.errors import UsageError
from qdrant.language import AnyOf, Between, Condition, Equals

ALIASES = {
    "genre": "genres",
    "tag": "tags",
    "territory": "territories",
    "actor": "cast",
    "length": "length_s",
    "start": "start_s",
}
MEASURED = (
    "position", "length_s", "start_s", "loudness", "speech", "music", "brightness", "motion",
    "sharpness", "saturation", "shot",
)  # fmt: skip
"""Numbers that every shot has, as far as its title could be measured."""
WHOLE_NUMBER = re.compile(r"-?[0-9]{1,18}")
"""What the store can compare with: 64 bits hold any of them."""
TRANSITIONS = ("cut", "dissolve", "fade", "wipe", "none")
TAGS: Mapping[str, tuple[Group, ...]] = {
    "label": ("label", "own"),
    "tone": ("tone",),
    "clipgenre": ("genre",),
}
"""Tags of shots, by the field that asks for them; `genre` is the title's, as titles.csv says."""
TITLE, RIGHTS = "title", "rights"
MAX_NAMED = 10
"""How many values a message lists."""


def condition_of(field: Field, library: Library) -> Condition:
    """Return what a shot must satisfy.

    Titles and values are found whatever their case. Raises `UsageError` for a field that nothing
    here has, a value that no title has, a range of what is no number.
    """
    name = ALIASES.get(field.name, field.name)
    if name == TITLE:
        return _titles(field, library)
    if name == RIGHTS:
        return _with_rights(field, library)
    if name in MEASURED:
        return _measured(name, field)
    if name == "transition":
        return AnyOf(name, _known(field, TRANSITIONS))
    if asks_for_tags(field, library):
        return _tagged(field, library)
    told = _told_by_titles(name, library)
    if not told:
        raise UsageError(_unknown(field.name, library))
    if all(isinstance(value, int) for value in told):
        return _numbers(name, field)
    return AnyOf(name, _known(field, sorted(map(str, told), key=str.casefold)))


def asks_for_tags(field: Field, library: Library) -> bool:
    """Whether a field is one of tags: a column of that name counts where nothing is tagged so."""
    if field.name not in TAGS:
        return False
    titles = library.titles()
    return bool(known_names(titles, *TAGS[field.name])) or not any(
        field.name in manifest.metadata for manifest in titles
    )


def untagged(field: Field, library: Library) -> list[Manifest]:
    """Return the titles whose shots have not been asked for the tags that a field names."""
    titles = library.in_use()
    asked = _asked_groups(field, titles)
    if not asked:  # tags that nobody knows
        return [m for m in titles if not any(group in m.tag_names for group in TAGS[field.name])]
    return [m for m in titles if not all(group in m.tag_names for group in asked)]


def _asked_groups(field: Field, titles: Sequence[Manifest]) -> set[Group]:
    """Return the groups that know the tags a field names; one that words know is asked in words."""
    named = {value.casefold() for value in field.values}
    asked: set[Group] = set()
    for group in TAGS[field.name]:
        known = read_vocabulary().names(group) or known_names(titles, group)
        here = named & {name.casefold() for name in known}
        asked |= {group} if here else set()
        named -= here
    return asked


def _tagged(field: Field, library: Library) -> Condition:
    """Return the condition that a shot carries one of these tags.

    What the vocabulary has may be asked for though no shot carries it: to keep away from it is
    right also where it is nowhere.
    """
    groups = TAGS[field.name]
    titles = library.in_use()
    if len(untagged(field, library)) == len(titles):
        raise UsageError(
            f"No shot here has been tagged, so `{field.name}:` finds nothing. Tag them all with "
            "`trimbin tag`."
        )
    known = known_names(titles, *groups)
    asked_in_words = [name for group in groups for name in read_vocabulary().names(group)]
    return AnyOf(PAYLOAD[groups[0]], _known(field, dict.fromkeys([*known, *asked_in_words])))


def _titles(field: Field, library: Library) -> Condition:
    found = [m.title_id for value in _values(field) for m in find_titles(value, library)]
    ids = tuple(dict.fromkeys(found))
    return Equals("title_id", ids[0]) if len(ids) == 1 else AnyOf("title_id", ids)


def _with_rights(field: Field, library: Library) -> Condition:
    """Return the condition that the title may be shown on a day, by its `rights_from` and `_to`."""
    (told,) = _values(field) if len(field.values) == 1 else ("",)
    try:
        day = date.today() if told == "now" else date.fromisoformat(told)
    except ValueError as error:
        raise UsageError(
            f"`rights:{','.join(field.values)}` is no day; write `rights:2026-12-31`, or "
            "`rights:now`."
        ) from error
    ids = [m.title_id for m in library.titles() if is_within_rights(m, day.isoformat())]
    return AnyOf("title_id", tuple(ids))


def is_within_rights(manifest: Manifest, day: str) -> bool:
    """Return whether a title may be shown on a day (`2026-12-31`); no window: it always may."""
    first, last = (str(manifest.metadata.get(name, "")) for name in ("rights_from", "rights_to"))
    return (not first or first <= day) and (not last or day <= last)


def _measured(name: str, field: Field) -> Condition:
    if field.values:
        raise UsageError(f"`{field.name}` is a number; write a range, `{field.name}:0.2..0.8`.")
    return Between(name, field.low, field.high)


def _numbers(name: str, field: Field) -> Condition:
    if not field.values:
        return Between(name, field.low, field.high)
    if len(field.values) == 1 and WHOLE_NUMBER.fullmatch(field.values[0]):
        return Equals(name, int(field.values[0]))
    raise UsageError(f"`{field.name}` is a number; write `{field.name}:1999` or a range of them.")


def _known(field: Field, known: Iterable[str]) -> tuple[str, ...]:
    """Return the known values that are meant, in the spelling that is stored."""
    spelled: Mapping[str, str] = {value.casefold(): value for value in known}
    for value in _values(field):
        if value.casefold() not in spelled:
            there = ", ".join(list(spelled.values())[:MAX_NAMED])
            raise UsageError(f"Nothing here has the {field.name} {value!r}. There are: {there}.")
    return tuple(spelled[value.casefold()] for value in field.values)


def _values(field: Field) -> tuple[str, ...]:
    if not field.values:
        raise UsageError(f"`{field.name}` is no number; write `{field.name}:value`.")
    return field.values


def _told_by_titles(name: str, library: Library) -> set[Any]:
    """Return every value that titles have in a field."""
    told: set[Any] = set()
    for manifest in library.titles():
        of_title = {**manifest.metadata, "kind": manifest.kind, "language": manifest.language}
        value = of_title.get(name)
        told.update(value if isinstance(value, list) else [value])
    return told - {None}


def _unknown(name: str, library: Library) -> str:
    columns = {column for manifest in library.titles() for column in manifest.metadata}
    names = {*TAGS, TITLE, RIGHTS, "kind", "language", "transition", *MEASURED, *columns}
    shorter = {stored: typed for typed, stored in ALIASES.items()}
    known = sorted(shorter.get(stored, stored) for stored in names)
    return (
        f"Nothing here has a field `{name}`; there are {', '.join(known)}. Put it in quotes if it "
        "is a line."
    )
