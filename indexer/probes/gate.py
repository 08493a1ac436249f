"""The gate of the five tasks: a version whose probes fall by more than the noise stays out.

It asks the labels that the library keeps. Probes are learned on what each version would answer
with, its shots in context (fused, where it has no context model), on the same folds of titles; what
counts is the difference on titles that neither probe learned from. Noise is of two kinds. Which
titles happened to be labelled: so the difference is counted over draws of titles, both versions on
the same. And a training's own chance, by which a model learned anew from another seed does a little
better here and a little worse there: so a little is allowed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from indexer.library import Library
from indexer.probes.clips import Clips, clips_of, told_apart, within
from indexer.probes.evaluation import row_of_clips
from indexer.probes.intervals import Interval, difference, draws_of, interval
from indexer.probes.kept_labels import kept_labels
from indexer.probes.label import Label
from indexer.probes.linear import Asked, held_out_scores
from indexer.probes.metrics import Floats
from indexer.probes.rows import Row
from indexer.probes.task import FOLDS, TASKS, Task
from indexer.progress import Progress
from indexer.versions.gate import Finding, Verdict
from qdrant.errors import UsageError

FALL_ALLOWED = 0.02
"""Of a measure (AP, tau, a share of titles): less is a training's own chance."""

TITLES_OF_LABEL = 8
"""A label that holds in fewer is not asked: it tells those titles from others, and they are so few
that a training's chance decides."""
SURE = 0.99
"""Six measures are looked at, and none of them may cry wolf."""
BEST_ROWS: tuple[Row, ...] = ("context", "fused")
"""What a version answers with, the first that it has."""


@dataclass(frozen=True)
class Compared:
    """One task under two versions."""

    task: Task
    ours: Interval  # the version looked at
    theirs: Interval  # the version in use
    change: Interval  # ours less theirs, on the same draws of titles

    @property
    def falls(self) -> bool:
        """Whether it falls by more than the noise."""
        return self.change.high < 0 and self.change.value < -FALL_ALLOWED

    @property
    def told(self) -> str:
        """Say what was found in a sentence."""
        measured = (
            f"{self.task.name}: {self.task.measure} {self.ours.value:.3f}, in use "
            f"{self.theirs.value:.3f}"
        )
        change = (
            f"{self.change.value:+.3f} "
            f"({SURE:.0%}: {self.change.low:+.3f} to {self.change.high:+.3f})"
        )
        if self.falls:
            return f"{measured}: it falls by more than the noise, {change}."
        return f"{measured}, {change}."


def probes_hold(version: Library, in_use: Library, *, progress: Progress) -> Iterator[Finding]:
    """Fail for each task whose probe falls by more than the noise, by the labels that are kept."""
    tasks = [task for task in TASKS.values() if task.learned_as == task.name]
    for number, task in enumerate(tasks):
        labels = kept_labels(in_use, task.name)
        if not labels:
            continue
        progress(f"Probing {task.name}", number, len(tasks))
        try:
            found = compare(task, within(labels, version, in_use), version, in_use)
        except UsageError as error:  # too few of the labelled titles are left
            yield Finding("probes", "warn", str(error))
            continue
        for compared in found:
            verdict: Verdict = "fail" if compared.falls else "ok"
            yield Finding("probes", verdict, compared.told)
    progress("Probing", len(tasks), len(tasks))


def compare(
    task: Task, labels: list[Label], version: Library, in_use: Library
) -> list[Compared]:  # fmt: skip
    """Return how a task does under two versions, and whatever else is judged by its probe.

    Raises `UsageError` where the labels are too few.
    """
    clips = _sure_labels(task, clips_of(task, labels))
    draws = draws_of(len(clips.title_ids))
    ours, theirs = (_answers(task, clips, library) for library in (version, in_use))
    about = (clips.labels, clips.title, draws)
    return [
        Compared(
            judged,
            interval(judged.measure, ours, *about),
            interval(judged.measure, theirs, *about),
            difference(judged.measure, ours, theirs, *about, confidence=SURE),
        )
        for judged in TASKS.values()
        if judged.learned_as == task.name
    ]


def _sure_labels(task: Task, clips: Clips) -> Clips:
    """Return the clips with the labels that hold in titles enough. Raises `UsageError`."""
    if task.form == "ranks":
        return clips
    some = told_apart(clips, num_titles=TITLES_OF_LABEL)
    if not some:
        raise UsageError(
            f"{task.name}: no label holds in {TITLES_OF_LABEL} titles or more, so nothing can be "
            "told of a version by them."
        )
    return clips.only(some)


def _answers(task: Task, clips: Clips, library: Library) -> Floats:
    """Return what probes say of clips they did not learn from, by the vectors a version has."""
    for row in BEST_ROWS:
        vectors = row_of_clips(clips, library, row)
        if vectors is not None:
            return held_out_scores(Asked(task, vectors, clips.labels, clips.title), FOLDS)
    raise UsageError(f"{library.version} has no vectors of the clips labelled for {task.name}.")
