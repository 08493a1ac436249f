"""The tags of a title's shots, as they lie in its folder: `tags@<hash>.json`, a mapping a shot."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from indexer.manifest import Manifest
from indexer.tagging.vocabulary import GROUPS, PAYLOAD, Group
from indexer.workbench import Workbench, digest

if TYPE_CHECKING:
    import pandas as pd

Carried = Mapping[str, float]
"""What a shot carries of a group: name -> confidence 0..1, the surest first."""


@dataclass(frozen=True)
class GroupTags:
    """What a title's shots carry of one group, and what that was made of."""

    inputs: str  # hash: the same again costs nothing
    source: str  # who says so: "words", "probe"
    shots: tuple[Carried, ...]


@dataclass(frozen=True)
class Tags:
    """What a title's shots carry."""

    of: str  # which shots these are: see `shots_id`
    groups: Mapping[Group, GroupTags] = field(default_factory=dict)

    def of_shot(self, shot: int) -> dict[Group, Carried]:
        """Return what a shot carries, group by group; a shot that came later carries nothing."""
        return {
            group: tags.shots[shot] for group, tags in self.groups.items() if shot < len(tags.shots)
        }

    def payload_of(self, shot: int) -> dict[str, list[str]]:
        """Return a shot's tags as the store has them: a list a field that it carries any of."""
        payload: dict[str, list[str]] = {}
        for group, carried in self.of_shot(shot).items():
            if carried:
                told = payload.setdefault(PAYLOAD[group], [])
                told += [name for name in carried if name not in told]
        return payload

    def strongest(self, group: Group, num_shots: int) -> list[str | None]:
        """Return what each shot carries most surely of a group; None where it carries nothing."""
        shots = self.groups[group].shots if group in self.groups else ()
        firsts = [next(iter(carried), None) for carried in shots[:num_shots]]
        return firsts + [None] * (num_shots - len(firsts))

    def counts(self) -> dict[Group, dict[str, int]]:
        """Return how many shots carry each tag, the commonest first."""
        counted: dict[Group, dict[str, int]] = {}
        for group, tags in self.groups.items():
            names = [name for carried in tags.shots for name in carried]
            known = sorted(set(names), key=lambda name: (-names.count(name), name))
            counted[group] = {name: names.count(name) for name in known}
        return counted


def shots_id(shots: pd.DataFrame) -> str:
    """Return what tells a title's shots from those of another cut of it: where each one lies."""
    return digest(shots["start_frame"].tolist(), shots["end_frame"].tolist())


def read_tags(folder: Path, manifest: Manifest) -> Tags | None:
    """Return a title's tags; None where it was never tagged, or they cannot be read."""
    if manifest.tags is None:
        return None
    try:
        told = json.loads((folder / manifest.tags).read_text(encoding="utf-8"))
        groups = {
            group: _group(told["groups"][group]) for group in GROUPS if group in told["groups"]
        }
        return Tags(told["of"], groups)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _group(told: Mapping[str, Any]) -> GroupTags:
    return GroupTags(told["inputs"], told["source"], tuple(dict(shot) for shot in told["shots"]))


def with_tags(manifest: Manifest, tags: Tags, bench: Workbench) -> Manifest:
    """Write tags into a title's folder; return the manifest that makes them the title's.

    Without any group there is nothing to write, and the title is as if it had never been tagged.
    Raises `CannotRunNow` where the folder cannot be written.
    """
    if not tags.groups:
        return replace(manifest, tags=None, tag_names={})
    told = {
        "of": tags.of,
        "groups": {
            group: {"inputs": of.inputs, "source": of.source, "shots": [dict(s) for s in of.shots]}
            for group, of in tags.groups.items()
        },
    }
    file = f"tags@{digest(told)}.json"
    bench.write(file, json.dumps(told, ensure_ascii=False).encode())
    names: dict[str, list[str]] = {group: sorted(counts) for group, counts in tags.counts().items()}
    return replace(manifest, tags=file, tag_names=names)


def carried_over(
    manifest: Manifest, known: Manifest | None, shots: pd.DataFrame, folder: Path
) -> Manifest:
    """Return a title that is made anew with the tags it had, if its shots are the same ones.

    Otherwise it comes without: they were of other shots.
    """
    if known is None or known.tags is None:
        return manifest
    tags = read_tags(folder, known)
    if tags is None or tags.of != shots_id(shots):
        return manifest
    return replace(manifest, tags=known.tags, tag_names=known.tag_names)


def tidy_tags(folder: Path, manifest: Manifest) -> None:
    """Remove the files of earlier tags."""
    for path in folder.glob("tags@*.json"):
        if path.name != manifest.tags:
            path.unlink(missing_ok=True)


def known_names(titles: Sequence[Manifest], *groups: Group) -> list[str]:
    """Return every tag of these groups that some shot of these titles carries, by name."""
    names = {name for m in titles for group in groups for name in m.tag_names.get(group, ())}
    return sorted(names, key=str.casefold)
