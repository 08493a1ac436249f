"""The probe bench: a task's labels, the rows of vectors that could answer, and how well they do.

labels -> clips -> each row's vectors -> probes that never saw a clip's title -> a table
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from indexer.library import Library
from indexer.probes.clips import Clips, clips_of, refuse_lacking
from indexer.probes.intervals import Interval, difference, draws_of, interval
from indexer.probes.kept import KeptProbe
from indexer.probes.label import Label
from indexer.probes.linear import Asked, held_out_scores, learn
from indexer.probes.metrics import Floats
from indexer.probes.rows import ROWS, Row
from indexer.probes.task import FOLDS, Task
from indexer.progress import Progress, silent
from qdrant.errors import UsageError
from qdrant.schema import CONTEXT

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression


@dataclass(frozen=True, eq=False)
class Measured:
    """One row of vectors put to a task."""

    version: str
    row: Row
    is_in_use: bool
    own: Interval  # of the task's measure
    against: str  # the row that it is compared with; empty: it is the first
    gain: Interval | None  # over that row, on the same titles
    said: Floats  # (num_clips, num_classes) by probes that did not learn from the clip's title

    @property
    def name(self) -> str:
        """Return what the row is called in a table of several versions."""
        return self.row if self.is_in_use else f"{self.version} {self.row}"


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A task's rows measured on the same clips, folds and draws of titles."""

    task: Task
    clips: Clips
    rows: tuple[Measured, ...]
    notes: tuple[str, ...]

    def best(self, version: str) -> Measured | None:
        """Return the row of a version that does best; None: none of its rows was measured."""
        rows = [row for row in self.rows if row.version == version]
        return max(rows, key=lambda row: float(np.nan_to_num(row.own.value)), default=None)


def evaluate(
    task: Task,
    labels: Sequence[Label],
    versions: Sequence[Library],
    *,
    rows: Sequence[Row] = (),
    progress: Progress = silent,
) -> Evaluation:
    """Return how well probes on each row of each version do a task; the first version is in use.

    A row is compared with the one before it, a further version's with the same row of the version
    before. Raises `UsageError` where the labels are too few or a row asked for is not there,
    `InputError` where a version lacks a title.
    """
    clips = clips_of(task, labels)
    draws = draws_of(len(clips.title_ids))
    measured: list[Measured] = []
    notes: list[str] = []
    wanted = [(library, row) for library in versions for row in rows or ROWS]
    for library in versions:
        refuse_lacking(clips, library)
    for number, (library, row) in enumerate(wanted):
        progress(f"Probing {row}", number, len(wanted))
        vectors = row_of_clips(clips, library, row)
        if vectors is None:
            told = f"{library.version} has no {row} vectors of these clips"
            if row in rows:
                raise UsageError(f"{told}; leave out `--row {row}`.")
            notes.append(f"{told}.")
            continue
        said = held_out_scores(Asked(task, vectors, clips.labels, clips.title), FOLDS)
        before = _before(measured, library.version, row)
        about = (clips.labels, clips.title, draws)
        measured.append(
            Measured(
                version=library.version,
                row=row,
                is_in_use=library.version == versions[0].version,
                own=interval(task.measure, said, *about),
                against=before.name if before else "",
                gain=difference(task.measure, said, before.said, *about) if before else None,
                said=said,
            )
        )
    progress("Probing", len(wanted), len(wanted))
    if not measured:
        raise UsageError(f"{versions[0].version} has no vectors of the labelled clips.")
    return Evaluation(task, clips, tuple(measured), tuple(notes))


def row_of_clips(clips: Clips, library: Library, row: Row) -> Floats | None:
    """Return each clip's vector in a row, or None where the version has no such row."""
    if row not in (*library.profile.dims, "fused", CONTEXT):
        return None
    if row == CONTEXT and library.checkpoint_id() is None:
        return None
    vectors = clips.span_rows(library, row)
    return vectors if vectors.any() else None


def probe_to_keep(
    evaluation: Evaluation, library: Library, chosen: Measured, *, labels_hash: str
) -> KeptProbe:
    """Return a row's probe learned on all clips, calibrated by what probes said of held-out ones.

    For popularity the logit is how many deviations a clip lies above the middle.
    """
    task, clips = evaluation.task, evaluation.clips
    vectors = clips.span_rows(library, chosen.row)
    linear = learn(Asked(task, vectors, clips.labels, clips.title))
    return KeptProbe(
        task=task.learned_as,
        classes=clips.classes,
        row=chosen.row,
        weights=linear.weights,
        bias=linear.bias,
        calibration=calibration_of(task, chosen.said, clips.labels),
        version=library.version,
        checkpoint=library.checkpoint_id() if chosen.row == CONTEXT else None,
        labels_hash=labels_hash,
        num_clips=len(clips.spots),
        value=chosen.own.value,
    )


def calibration_of(task: Task, said: Floats, labels: Floats) -> Floats:
    """Return slope and offset (2, num_classes) that make logits of scores (Platt, 1999)."""
    if task.form == "ranks":
        deviation = said.std(axis=0) + 1e-6
        return np.stack([1 / deviation, -said.mean(axis=0) / deviation]).astype(np.float32)
    fitted = [_platt(said[:, one], labels[:, one] > 0) for one in range(said.shape[1])]
    return np.array(fitted, np.float32).T


def _platt(said: Floats, holds: NDArray[np.bool_]) -> tuple[float, float]:
    """Return one class's slope, never below 0, and offset."""
    from sklearn.linear_model import LogisticRegression

    rate = (holds.sum() + 1) / (len(holds) + 2)
    if holds.all() or not holds.any():
        return 0.0, float(np.log(rate / (1 - rate)))
    scale = float(said.std()) + 1e-6
    model: LogisticRegression = LogisticRegression().fit(said[:, None] / scale, holds)
    slope = float(model.coef_[0, 0]) / scale
    if slope <= 0:  # it has learned nothing that can be trusted: as likely as ever
        return 0.0, float(np.log(rate / (1 - rate)))
    return slope, float(model.intercept_[0])


def _before(measured: Sequence[Measured], version: str, row: Row) -> Measured | None:
    """Return the row that a row is compared with."""
    if measured and measured[-1].version == version and measured[0].version == version:
        return measured[-1]
    same = [known for known in measured if known.row == row and known.version != version]
    return same[-1] if same else None
