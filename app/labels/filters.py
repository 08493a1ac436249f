"""A label that people taught becomes a filter: every shot is told whether it holds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.adding import Adding, Work
from app.labels.asking import classifier_of
from app.labels.book import Labels
from indexer.labelling.kept import forget_classifier, keep_classifier, names_kept
from indexer.labelling.pool import pool_of
from indexer.library import Library
from indexer.studio import Studio
from indexer.tagging.tag import Tagged, tag_titles
from qdrant.errors import UsageError


@dataclass(frozen=True)
class Used:
    """A label as a filter."""

    name: str
    shots: int  # that carry it
    of_shots: int
    failed: tuple[str, ...]  # a sentence for each title or other label that could not be done


def use_label(studio: Studio, labels: Labels, name: str) -> Used:
    """Keep a label's classifier and tag every shot of which it is sure enough.

    The other labels in use learn anew where the context model is another one by now. Raises
    `UsageError` for a label that is not there or has too few answers, and `CannotRunNow` where the
    library cannot be written.
    """
    named = labels.look(name)
    pool = pool_of(studio.library, progress=studio.progress)
    learned = classifier_of(pool, labels, name)
    kept = keep_classifier(studio.library, named.name if named else name, pool.basis, learned)
    return _tagged(studio, kept.name, learn_anew(studio, labels))


def learn_anew(studio: Studio, labels: Labels) -> list[str]:
    """Have the labels in use learn this version's vectors, where they know others.

    Returns a sentence for each that cannot: its filter ends.
    """
    stale = [name for name, is_ours in names_kept(studio.library).items() if not is_ours]
    if not stale:
        return []
    pool = pool_of(studio.library, progress=studio.progress)
    sentences = []
    for name in stale:
        try:
            keep_classifier(studio.library, name, pool.basis, classifier_of(pool, labels, name))
        except UsageError as error:
            forget_classifier(studio.library, name)
            sentences.append(f"The label {name!r} is a filter no longer. {error}")
    return sentences


def stop_using(studio: Studio, labels: Labels, name: str) -> Used:
    """Forget a label's classifier, and take its tags away. Raises `UsageError` where it is none."""
    kept = name_in_use(studio.library, name)
    if kept is None:
        raise UsageError(f"No label {name!r} is used as a filter.")
    forget_classifier(studio.library, kept)
    return _tagged(studio, kept, learn_anew(studio, labels))


def name_in_use(library: Library, name: str) -> str | None:
    """Return how a label is spelled that is used as a filter; None where it is none."""
    names = names_kept(library)
    if name in names:
        return name
    return next((kept for kept in names if kept.casefold() == name.casefold()), None)


def delete_label(library: Library, labels: Labels, name: str) -> None:
    """Delete a label. Raises `UsageError` for one that is not there or is used as a filter."""
    if (kept := name_in_use(library, name)) is not None:
        raise UsageError(
            f"{kept!r} is used as a filter. End that first: `trimbin label use {kept!r} --off`."
        )
    labels.delete(name)


def _tagged(studio: Studio, name: str, told: list[str]) -> Used:
    done: list[Tagged] = list(tag_titles(studio, studio.library.in_use(), groups=["own"]))
    return Used(
        name,
        sum(one.tags.get("own", {}).get(name, 0) for one in done),
        sum(one.shots for one in done),
        (*told, *(one.reason for one in done if one.reason)),
    )


using = Adding()
"""What the page of this process makes a filter of."""


def begin_using(library_root: Path, name: str, *, off: bool = False) -> Work:
    """Use a label as a filter, in a child process. Raises `CannotRunNow` while another one is."""
    words = ["label", "use", "--library", library_root, "--json", "--tell-progress"]
    return using.begin(name, [*words, *(["--off"] if off else []), "--", name])
