"""Tagging: every title's shots are told what they carry, in its folder; whoever owns the store
publishes it. Nothing is decoded, and a title that stays as it is costs nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from indexer.library import Library
from indexer.manifest import Manifest
from indexer.studio import Studio
from indexer.tagging.source import Source, entries_of
from indexer.tagging.sources import Words, sources_of
from indexer.tagging.tags import (
    Carried,
    GroupTags,
    Tags,
    read_tags,
    shots_id,
    tidy_tags,
    with_tags,
)
from indexer.tagging.vocabulary import GROUPS, Group, Vocabulary, read_vocabulary
from indexer.workbench import Workbench, digest, workbench
from qdrant.errors import CannotRunNow, InputError, TrimbinError

logger = logging.getLogger(__name__)

LEAST_CONFIDENCE = 0.6
"""What a tag must be sure of, where nobody says otherwise."""
DECIMALS = 3

Status = Literal["tagged", "unchanged", "cleared", "failed"]


@dataclass(frozen=True)
class Tagged:
    """What became of one title."""

    title_id: str
    title: str
    status: Status
    shots: int
    tags: Mapping[Group, Mapping[str, int]] = field(default_factory=dict)  # name -> shots
    sources: Mapping[Group, str] = field(default_factory=dict)  # who told of each group
    reason: str = ""  # a sentence: why it failed


def tag_titles(
    studio: Studio,
    titles: Sequence[Manifest],
    *,
    groups: Sequence[Group] = GROUPS,
    least: float = LEAST_CONFIDENCE,
    vocabulary: Vocabulary | None = None,
) -> Iterator[Tagged]:
    """Tag these titles' shots with what is at least so sure; other groups stay as they are.

    `vocabulary` stands in for the one that comes with Trimbin.

    A title that somebody else is working on, that is being recorded or removed, fails by itself.
    Raises `UsageError` where nothing here can tell of any of these groups, `CannotRunNow` where the
    library cannot be written.
    """
    words = Words(studio, vocabulary or read_vocabulary())
    asked = {group: sources_of(group, studio.library, words) for group in groups}
    for sources in asked.values():
        for source in sources:
            _ = source.version  # what cannot tell at all says so before any title is touched
    for number, manifest in enumerate(titles):
        studio.progress("Tagging", number, len(titles))
        yield _one(studio, manifest, lambda now, bench: _tagged(studio, now, bench, asked, least))
    studio.progress("Tagging", len(titles), len(titles))


def clear_tags(
    studio: Studio, titles: Sequence[Manifest], *, groups: Sequence[Group] = GROUPS
) -> Iterator[Tagged]:
    """Take the tags of these groups away from titles. Raises as `tag_titles` does."""
    for manifest in titles:
        yield _one(studio, manifest, lambda now, bench: _cleared(studio, now, bench, groups))


def _one(studio: Studio, manifest: Manifest, do: Callable[[Manifest, Workbench], Tagged]) -> Tagged:
    """Do something with a title's tags while nobody else works on it; a failure is its own."""
    try:
        with _at_work_on(studio.library, manifest) as (now, bench):
            done = do(now, bench)
    except CannotRunNow:
        raise
    except (TrimbinError, OSError, ValueError, KeyError) as error:
        logger.info("%s is not tagged", manifest.title, exc_info=error)
        return Tagged(
            manifest.title_id, manifest.title, "failed", 0, reason=_reason(manifest, error)
        )
    studio.published()
    return done


@contextmanager
def _at_work_on(library: Library, asked: Manifest) -> Iterator[tuple[Manifest, Workbench]]:
    """Hold a title's folder; yield the title as it is now that nobody else writes it.

    Raises `InputError` where it has gone, is still being recorded, or is being worked on.
    """
    if not library.has_folder(asked.title_id):  # its folder is not to be made again
        raise InputError(f"{asked.title} has gone from the library.")
    with workbench(library, asked.title_id) as bench:
        now = library.find(asked.title_id)
        if now is None:
            raise InputError(f"{asked.title} has gone from the library.")
        if now.live:
            raise InputError(f"{now.title} is still being recorded; tag it when it is finished.")
        yield now, bench


def _tagged(
    studio: Studio,
    manifest: Manifest,
    bench: Workbench,
    asked: Mapping[Group, list[Source]],
    least: float,
) -> Tagged:
    """Tag one title, group by group; a group that was made of the same inputs stays."""
    library = studio.library
    shots = library.shots(manifest.title_id).iloc[: manifest.num_shots]
    known = read_tags(bench.folder, manifest)
    of = shots_id(shots)
    groups = dict(known.groups) if known and known.of == of else {}
    changed = False
    for group, sources in asked.items():
        if not sources:  # nobody tells of it any more, or ever has
            changed |= groups.pop(group, None) is not None
            continue
        inputs = digest([s.version for s in sources], manifest.generation, of, least)
        if group not in groups or groups[group].inputs != inputs:
            groups[group] = _group(library, manifest, sources, inputs, least, group)
            changed = True
    tags = Tags(of, {group: groups[group] for group in GROUPS if group in groups})
    if changed:
        _finish(library, with_tags(manifest, tags, bench), bench)
    return _told(manifest, "tagged" if changed else "unchanged", tags, [*asked])


def _group(
    library: Library,
    manifest: Manifest,
    sources: list[Source],
    inputs: str,
    least: float,
    group: Group,
) -> GroupTags:
    """Return what shots carry of a group: of each entry, the word of whom it is asked first."""
    columns: dict[str, list[float]] = {}
    tellers = entries_of(group, sources)
    for source in sources:
        scores = source.scores(library, manifest)
        for n, name in enumerate(source.entries):
            if tellers[name] is source:
                columns[name] = scores[:, n].tolist()
    names = [source.name for source in sources]
    return GroupTags(inputs, " and ".join(names), _carried(columns, manifest.num_shots, least))


def _carried(
    columns: Mapping[str, list[float]], num_shots: int, least: float
) -> tuple[Carried, ...]:
    """Return what each shot carries, name -> confidence, the surest first."""
    carried: list[dict[str, float]] = [{} for _ in range(num_shots)]
    for name in sorted(columns):
        for shot, confidence in enumerate(columns[name]):
            if confidence >= least:
                carried[shot][name] = round(confidence, DECIMALS)
    return tuple(dict(sorted(of.items(), key=lambda told: -told[1])) for of in carried)


def _cleared(
    studio: Studio, manifest: Manifest, bench: Workbench, groups: Sequence[Group]
) -> Tagged:
    known = read_tags(bench.folder, manifest)
    if manifest.tags is None or (known and not set(groups) & set(known.groups)):
        return _told(manifest, "unchanged", Tags(""), groups)
    kept = {g: tags for g, tags in known.groups.items() if g not in groups} if known else {}
    tags = Tags(known.of if known else "", kept)
    _finish(studio.library, with_tags(manifest, tags, bench), bench)
    return _told(manifest, "cleared", tags, groups)


def _finish(library: Library, manifest: Manifest, bench: Workbench) -> None:
    library.finish(manifest)
    tidy_tags(bench.folder, manifest)


def _told(manifest: Manifest, status: Status, tags: Tags, groups: Sequence[Group]) -> Tagged:
    counts = tags.counts()
    return Tagged(
        title_id=manifest.title_id,
        title=manifest.title,
        status=status,
        shots=manifest.num_shots,
        tags={group: counts[group] for group in groups if group in counts},
        sources={g: tags.groups[g].source for g in groups if g in tags.groups},
    )


def _reason(manifest: Manifest, error: Exception) -> str:
    if isinstance(error, TrimbinError):
        return str(error)
    return (
        f"{manifest.title} cannot be tagged ({type(error).__name__}: {error}): its folder is "
        "damaged. Run `trimbin index` on it."
    )
