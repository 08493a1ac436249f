"""What people said of clips, as a probe learns it: a row a clip, a column a label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from indexer.library import Library
from indexer.probes.label import Label
from indexer.probes.metrics import Floats, Titles
from indexer.probes.rows import Row, shot_vectors, span_vectors
from indexer.probes.task import FEWEST_TITLES, Task
from qdrant.errors import InputError, UsageError

Spot = tuple[str, int, int]
"""A clip: title_id, first frame, the one after its last."""
MOST_HOLD = 0.5
"""Where several people answered, a label holds if more than this share of them say so."""


@dataclass(frozen=True, eq=False)
class Clips:
    """The clips of a labels file and what holds of each."""

    spots: tuple[Spot, ...]  # title by title, in order
    title_ids: tuple[str, ...]
    title: Titles  # (num_clips,) into `title_ids`
    classes: tuple[str, ...]  # the name of each column
    labels: Floats  # (num_clips, num_classes) 0 or 1, or how popular

    def only(self, classes: Sequence[int]) -> Clips:
        """Return the same clips with some of their columns."""
        named = tuple(self.classes[one] for one in classes)
        return replace(self, classes=named, labels=self.labels[:, list(classes)])

    def span_rows(self, library: Library, row: Row) -> Floats:
        """Return each clip's vector in a row, in context: (num_clips, dim), unit length.

        Raises `InputError` where the library, in this version, has not a clip's title.
        """
        parts = []
        for number, title_id in enumerate(self.title_ids):
            manifest = library.manifest(title_id)
            bounds = library.shots(title_id)[["start_frame", "end_frame"]].to_numpy(np.int64)
            spans = [self.spots[clip][1:] for clip in np.flatnonzero(self.title == number)]
            parts.append(span_vectors(shot_vectors(library, manifest, row), bounds, spans))
        return np.concatenate(parts)


def clips_of(task: Task, labels: Sequence[Label]) -> Clips:
    """Return the clips that labels speak of; what nobody says of a clip does not hold of it.

    Raises `UsageError` where there are too few titles, or nothing to tell clips apart by.
    """
    spots = sorted({(each.title_id, each.start_frame, each.end_frame) for each in labels})
    places = {spot: number for number, spot in enumerate(spots)}
    classes = _classes(task, labels)
    answers: dict[tuple[int, int], list[float]] = {}
    for each in labels:
        clip = places[each.title_id, each.start_frame, each.end_frame]
        if each.label or task.form != "labels":
            column = classes.index(each.label) if task.form == "labels" else 0
            value = each.value if each.label or task.form == "ranks" else 0.0
            answers.setdefault((clip, column), []).append(value)
    known = np.zeros((len(spots), len(classes)), np.float32)
    for (clip, column), values in answers.items():
        mean = float(np.mean(values))
        known[clip, column] = mean if task.form == "ranks" else mean > MOST_HOLD
    title_ids = tuple(sorted({spot[0] for spot in spots}))
    title = np.array([title_ids.index(spot[0]) for spot in spots], np.int32)
    clips = Clips(tuple(spots), title_ids, title, classes, known)
    _refuse_untold(task, clips)
    return clips


def within(labels: Sequence[Label], *libraries: Library) -> list[Label]:
    """Return the labels of titles that are in each of these versions of a library."""
    known = [{manifest.title_id for manifest in library.in_use()} for library in libraries]
    return [label for label in labels if all(label.title_id in titles for titles in known)]


def _classes(task: Task, labels: Sequence[Label]) -> tuple[str, ...]:
    named = sorted({each.label for each in labels if each.label})
    if task.form == "labels":
        return tuple(named)
    if len(named) > 1:
        raise UsageError(
            f"{task.name} asks {task.about}, one thing of each clip, and the labels speak of "
            f"{', '.join(named[:5])}; give one label, its answer under `value`."
        )
    return (named[0] if named else task.learned_as,)


def _refuse_untold(task: Task, clips: Clips) -> None:
    """Raise `UsageError` where no probe could be judged by these clips."""
    num = len(clips.title_ids)
    if num < FEWEST_TITLES:
        raise UsageError(
            f"The labels for {task.name} are of {num} title{'' if num == 1 else 's'}, and a probe "
            f"is tested on titles that it did not learn from: label clips of {FEWEST_TITLES} or "
            "more."
        )
    if task.form == "ranks":
        differing = sum(
            bool(np.ptp(clips.labels[clips.title == one, 0])) for one in range(num)
        )  # fmt: skip
        if differing < FEWEST_TITLES:
            raise UsageError(
                f"Clips differ in popularity in {differing} titles, and {FEWEST_TITLES} are "
                "needed: give each clip's number under `value`, for two clips of a title or more."
            )
    elif not len(told_apart(clips)):
        raise UsageError(
            f"No label for {task.name} holds for clips of two titles and not for others, so "
            "nothing can be learned and tested: label more clips, an empty label where none fits."
        )


def told_apart(clips: Clips, *, num_titles: int = 2) -> list[int]:
    """Return the labels that hold in so many titles or more, and not of every clip."""
    holds = clips.labels > 0
    return [
        one
        for one in range(len(clips.classes))
        if len(set(clips.title[holds[:, one]].tolist())) >= num_titles and not holds[:, one].all()
    ]


def refuse_lacking(clips: Clips, version: Library) -> None:
    """Raise `InputError` where a version lacks a title that labels speak of."""
    own = {manifest.title_id for manifest in version.in_use()}
    lacking = [title_id for title_id in clips.title_ids if title_id not in own]
    if lacking:
        raise InputError(
            f"{version.version} lacks {len(lacking)} of the {len(clips.title_ids)} labelled "
            f"titles; run `trimbin versions backfill {version.version}`."
        )
