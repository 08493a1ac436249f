"""A label that people taught becomes a filter: every shot is told whether it holds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.adding import Adding, Work
from app.labels.asking import classifier_of
from app.labels.book import Labels
from indexer.labelling.kept import forget_classifier, keep_classifier
from indexer.labelling.pool import pool_of
from indexer.studio import Studio
from indexer.tagging.tag import Tagged, tag_titles
from qdrant.errors import UsageError


@dataclass(frozen=True)
class Used:
    """A label as a filter."""

    name: str
    shots: int  # that carry it
    of_shots: int
    failed: tuple[str, ...]  # a sentence for each title that could not be tagged


def use_label(studio: Studio, labels: Labels, name: str) -> Used:
    """Keep a label's classifier and tag every shot of which it is sure enough.

    Raises `UsageError` for a label that is not there or has too few answers, and `CannotRunNow`
    where the library cannot be written.
    """
    pool = pool_of(studio.library, progress=studio.progress)
    named = labels.look(name)
    learned = classifier_of(pool, labels, name)
    kept = keep_classifier(studio.library, named.name if named else name, pool.basis, learned)
    return _tagged(studio, kept.name)


def stop_using(studio: Studio, name: str) -> Used:
    """Forget a label's classifier, and take its tags away. Raises `UsageError` where it is none."""
    if not forget_classifier(studio.library, name):
        raise UsageError(f"No label {name!r} is used as a filter.")
    return _tagged(studio, name)


def _tagged(studio: Studio, name: str) -> Used:
    done: list[Tagged] = list(tag_titles(studio, studio.library.in_use(), groups=["own"]))
    return Used(
        name,
        sum(one.tags.get("own", {}).get(name, 0) for one in done),
        sum(one.shots for one in done),
        tuple(one.reason for one in done if one.reason),
    )


using = Adding()
"""What the page of this process makes a filter of."""


def begin_using(library_root: Path, name: str, *, off: bool = False) -> Work:
    """Use a label as a filter, in a child process. Raises `CannotRunNow` while another one is."""
    words = ["label", "use", "--library", library_root, "--json", "--tell-progress"]
    return using.begin(name, [*words, *(["--off"] if off else []), "--", name])
