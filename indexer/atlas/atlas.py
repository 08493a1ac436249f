"""A library's map: drawn once, kept in its cache, and added to as titles come.

A title that is new or changed is placed among what is there; when more than a quarter of the map
would be placed so, or shots are compared by something else, the map is drawn anew.
"""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from indexer.atlas.groups import Groups, grouped, names_of
from indexer.atlas.project import Components, Places, components_of, laid_out, placed_among
from indexer.atlas.sample import Numbers, every_nth, sample_of, space_of
from indexer.disk import explained, write_atomically
from indexer.encoders.protocol import Vectors
from indexer.library import Library
from indexer.manifest import Manifest
from indexer.progress import Progress, silent

REVISION = 1
"""Of how maps are drawn and kept; raised when that changes."""
MOST_PLACED = 0.25
"""The share of a map that may have been placed among the rest."""


@dataclass(frozen=True)
class Atlas:
    """A library's shots on a plane."""

    generations: dict[str, str]  # title_id -> the generation that was drawn
    space: str  # what shots were compared by
    checkpoint: str | None  # the context model then
    every: int  # every n-th shot of a title stands on the map
    names: list[str]  # of the groups
    title_ids: list[str]
    title: Numbers  # (num_shots,) which of `title_ids`
    shot: Numbers  # (num_shots,)
    places: Places  # (num_shots, 2) within 0..1 or near
    group: Groups  # (num_shots,)
    points: Vectors  # (num_shots, components)
    components: Components
    num_placed: int = 0  # of them, placed among the rest since the map was drawn

    def is_of(self, library: Library) -> bool:
        """Whether the map shows the library as it is now."""
        return self.generations == {m.title_id: m.generation for m in _finished(library)}


def read_atlas(library: Library) -> Atlas | None:
    """Return the map that is kept, of any age; None where there is none that can be read."""
    try:
        with _path(library).open("rb") as stream, np.load(stream, allow_pickle=False) as kept:
            told: dict[str, Any] = json.loads(kept["told"].tobytes())
            if told.pop("revision") != REVISION:
                return None
            arrays = {name: kept[name] for name in ("title", "shot", "places", "group", "points")}
            components = Components(kept["mean"], kept["axes"])
            return Atlas(**told, **arrays, components=components)
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
        return None


def draw_atlas(library: Library, progress: Progress = silent) -> Atlas:
    """Return the library's map as it is now, drawn or added to where it has to be, and keep it.

    Raises `CannotRunNow` where the library's cache cannot be written.
    """
    titles = _finished(library)
    kept = read_atlas(library)
    if kept is not None and kept.is_of(library):
        return kept
    atlas = _added_to(kept, library, titles, progress) if kept else None
    atlas = atlas or _drawn(library, titles, progress)
    _keep(atlas, library)
    return atlas


def _finished(library: Library) -> list[Manifest]:
    """Return the titles to draw; what is still being recorded would change the map all the time."""
    return [manifest for manifest in library.in_use() if not manifest.live]


def _drawn(library: Library, titles: list[Manifest], progress: Progress) -> Atlas:
    space, every = space_of(library, titles), every_nth(titles)
    sample = sample_of(library, titles, space=space, every=every, progress=progress)
    called = {manifest.title_id: manifest.title for manifest in titles}
    components, points = _pointed(sample.vectors, progress)
    group = grouped(points)
    of_shots = [called[sample.title_ids[number]] for number in sample.title]
    return Atlas(
        generations={manifest.title_id: manifest.generation for manifest in titles},
        space=space,
        checkpoint=library.checkpoint_id(),
        every=every,
        names=names_of(group, sample.words, of_shots),
        title_ids=list(sample.title_ids),
        title=sample.title,
        shot=sample.shot,
        places=laid_out(points, progress) if len(points) else np.zeros((0, 2), np.float32),
        group=group,
        points=points,
        components=components,
    )


def _pointed(vectors: Vectors, progress: Progress) -> tuple[Components, Vectors]:
    progress("Comparing shots", 0, 0)
    if len(vectors) < 2:
        dim = vectors.shape[1]
        components = Components(np.zeros(dim, np.float32), np.zeros((2, dim), np.float32))
    else:
        components = components_of(vectors)
    return components, components.of(vectors)


def _added_to(
    kept: Atlas, library: Library, titles: list[Manifest], progress: Progress
) -> Atlas | None:
    """Return the kept map without what has gone and with what has come; None: draw it anew."""
    if (kept.space, kept.checkpoint) != (space_of(library, titles), library.checkpoint_id()):
        return None
    if every_nth(titles) > kept.every or not len(kept.shot):
        return None
    now = {manifest.title_id: manifest.generation for manifest in titles}
    stays = [kept.generations.get(id_) == now.get(id_, "") for id_ in kept.title_ids]
    there = np.array(stays, bool)[kept.title]
    shown = {id_ for id_, stay in zip(kept.title_ids, stays, strict=True) if stay}
    come = [manifest for manifest in titles if manifest.title_id not in shown]
    sample = sample_of(library, come, space=kept.space, every=kept.every, progress=progress)
    num_placed = kept.num_placed + len(sample.shot)
    if not there.any() or num_placed > MOST_PLACED * (there.sum() + len(sample.shot)):
        return None
    points = kept.components.of(sample.vectors)
    places, nearest = placed_among(points, kept.points[there], kept.places[there])
    ids = [*kept.title_ids, *sample.title_ids]
    return replace(
        kept,
        generations=now,
        title_ids=ids,
        title=np.concatenate([kept.title[there], sample.title + np.int32(len(kept.title_ids))]),
        shot=np.concatenate([kept.shot[there], sample.shot]),
        places=np.concatenate([kept.places[there], places]),
        group=np.concatenate([kept.group[there], kept.group[there][nearest]]),
        points=np.concatenate([kept.points[there], points]),
        num_placed=num_placed,
    )


def _keep(atlas: Atlas, library: Library) -> None:
    told = {
        name: getattr(atlas, name)
        for name in (
            "generations", "space", "checkpoint", "every", "names", "title_ids", "num_placed",
        )
    }  # fmt: skip
    content = io.BytesIO()
    np.savez(
        content,
        told=np.frombuffer(json.dumps({**told, "revision": REVISION}).encode(), np.uint8),
        title=atlas.title,
        shot=atlas.shot,
        places=atlas.places,
        group=atlas.group,
        points=atlas.points,
        mean=atlas.components.mean,
        axes=atlas.components.axes,
    )
    with explained(library.root):
        library.cache_folder.mkdir(exist_ok=True)
        write_atomically(_path(library), content.getvalue())


def _path(library: Library) -> Path:
    return library.cache_folder / f"map-{library.version}.npz"
