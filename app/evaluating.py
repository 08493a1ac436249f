"""`trimbin evaluate`: how well the library's vectors do a task, by labels of its clips."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.options import json_option, library_option
from indexer.probes.task import FOLDS, MEASURES, TASK_NAMES, TASKS, Task

if TYPE_CHECKING:
    from indexer.library import Library
    from indexer.probes.evaluation import Evaluation, Measured
    from indexer.probes.intervals import Interval
    from indexer.probes.label import Label

TABLE = (
    "task", "measure", "version", "row", "value", "low", "high", "against", "gain", "gain_low",
    "gain_high", "clips", "titles",
)  # fmt: skip


@click.command()
@click.argument("task_name", metavar="TASK", type=click.Choice(TASK_NAMES))
@click.argument(
    "labels", required=False, type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
@click.option(
    "--row", "rows", multiple=True, metavar="ROW",
    help="Only these vectors: video, audio, text, fused, context.  [all]",
)  # fmt: skip
@click.option(
    "--version", "version_ids", multiple=True, metavar="ID",
    help="Beside the version in use, this one too.",
)  # fmt: skip
@click.option("--keep", is_flag=True, help="Keep the labels, and a probe that learned all of them.")
@click.option("--csv", "table", type=click.Path(path_type=Path, dir_okay=False),
              help="Write the table there.")  # fmt: skip
@click.option("--plot", type=click.Path(path_type=Path, dir_okay=False),
              help="Draw it there, as PNG.")  # fmt: skip
@library_option
@json_option
def evaluate(
    task_name: str,
    labels: Path | None,
    rows: tuple[str, ...],
    version_ids: tuple[str, ...],
    keep: bool,
    table: Path | None,
    plot: Path | None,
    root: Path,
    as_json: bool,
) -> None:
    """Measure how well vectors do a TASK: ads, popularity, tone, genre, retrieval or winner.

    LABELS is a table with title, start, end and label (docs/probes.md); without one, the labels
    kept. Linear probes learn from some titles and are tested on others.

    \b
    Example: trimbin evaluate tone labels.csv --keep --plot tone.png
    """
    from app.studio import bars
    from indexer.library import Library
    from indexer.probes.evaluation import evaluate as measure
    from indexer.versions import version_named

    library, task = Library.open(root), TASKS[task_name]  # type: ignore[index]
    _check(rows, task, keep=keep)
    known = _labels(labels, task, library)
    versions = [library]
    for version in (version_named(library, name) for name in version_ids):
        if version.version not in {known.version for known in versions}:
            versions.append(version)
    with bars() as drawn:
        found = measure(task, known, versions, rows=rows, progress=drawn.draw)  # type: ignore[arg-type]
    if table:
        _write(table, _as_csv(found))
    if plot:
        from indexer.probes.chart import draw_rows

        _write(plot, draw_rows(found))
    if as_json:
        click.echo(json.dumps(_as_json(found), ensure_ascii=False))
    else:
        for line in _lines(found):
            click.echo(line)
    for note in found.notes:
        click.echo(f"trimbin: {note}", err=True)
    if keep:
        _keep(found, known, versions)


def _check(rows: tuple[str, ...], task: Task, *, keep: bool) -> None:
    """Raise `UsageError` for what cannot be asked for."""
    from indexer.probes.rows import ROWS
    from qdrant.errors import UsageError

    if wrong := [row for row in rows if row not in ROWS]:
        raise UsageError(f"There is no row {wrong[0]!r}; there are {', '.join(ROWS)}.")
    if keep and task.learned_as != task.name:
        raise UsageError(
            f"{task.name} is told by the probe of {task.learned_as}, so keep that one: "
            f"`trimbin evaluate {task.learned_as} labels.csv --keep`."
        )


def _labels(path: Path | None, task: Task, library: Library) -> list[Label]:
    from app.labels.sheet import read_labels
    from indexer.probes.kept_labels import kept_labels
    from qdrant.errors import UsageError

    if path is not None:
        return read_labels(path, library)
    known = kept_labels(library, task.learned_as)
    if not known:
        raise UsageError(
            f"The library keeps no labels for {task.learned_as}; give a file of them: "
            f"`trimbin evaluate {task.name} labels.csv`."
        )
    return known


def _keep(found: Evaluation, labels: list[Label], versions: list[Library]) -> None:
    """Keep the labels, and in each version the probe of the row that does best there."""
    from indexer.probes.evaluation import probe_to_keep
    from indexer.probes.kept import keep_probe
    from indexer.probes.kept_labels import keep_labels

    labels_hash = keep_labels(versions[0], found.task.learned_as, labels)
    for library in versions:
        best = found.best(library.version)
        if best is not None:
            probe = probe_to_keep(found, library, best, labels_hash=labels_hash)
            path = keep_probe(library, probe)
            click.echo(f"The probe on {best.name} is kept: {path}", err=True)


def _lines(found: Evaluation) -> Iterator[str]:
    task, clips = found.task, found.clips
    folds = min(FOLDS, len(clips.title_ids))
    yield (
        f"{task.name}: {MEASURES[task.measure]}; {len(clips.spots)} clips of "
        f"{len(clips.title_ids)} titles, {folds} folds by title"
    )
    width = max(len("row"), *(len(row.name) for row in found.rows))
    yield f"{'row':<{width}}   value   95 %                over {'':<{width}}         95 %"
    for row in found.rows:
        line = f"{row.name:<{width}}  {row.own.value:6.3f}   {_span(row.own)}"
        if row.gain:
            line += f"   {row.against:<{width}}  {row.gain.value:+6.3f}   {_span(row.gain, '+')}"
        yield line


def _span(interval: Interval, sign: str = "") -> str:
    return f"{interval.low:{sign}6.3f} to {interval.high:{sign}6.3f}"


def _row(found: Evaluation, row: Measured) -> dict[str, Any]:
    gain = row.gain
    values = (
        found.task.name, found.task.measure, row.version, row.row, row.own.value, row.own.low,
        row.own.high, row.against, gain and gain.value, gain and gain.low, gain and gain.high,
        len(found.clips.spots), len(found.clips.title_ids),
    )  # fmt: skip
    return {
        name: (round(value, 6) if value == value else None) if isinstance(value, float) else value
        for name, value in zip(TABLE, values, strict=True)
    }


def _as_json(found: Evaluation) -> dict[str, Any]:
    return {
        "task": found.task.name,
        "measure": found.task.measure,
        "labels": list(found.clips.classes),
        "rows": [_row(found, row) for row in found.rows],
        "notes": list(found.notes),
    }


def _as_csv(found: Evaluation) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, TABLE)
    writer.writeheader()
    writer.writerows(_row(found, row) for row in found.rows)
    return text.getvalue().encode()


def _write(path: Path, content: bytes) -> None:
    from qdrant.errors import InputError

    try:
        path.write_bytes(content)
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror}).") from error
