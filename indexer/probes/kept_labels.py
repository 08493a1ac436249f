"""The labels that a library keeps, a file a task: probes are learned and versions judged by them.

They lie at the library's root whatever the version, for what people said of a film holds in all:

    library/models/probes/<task>.labels.csv    as any labels file, titles by id and times in frames
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from indexer.disk import explained, write_atomically
from indexer.library import Library
from indexer.probes.kept import PROBES_FOLDER
from indexer.probes.label import Label
from indexer.probes.task import TaskName
from qdrant.errors import CannotRunNow

COLUMNS = ("title", "start", "end", "label", "value", "by")


def to_csv(labels: Iterable[Label]) -> bytes:
    """Return labels as a table, titles by id and times in frames: UTF-8."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for each in labels:
        frames = (f"{each.start_frame}f", f"{each.end_frame}f")
        writer.writerow([each.title_id, *frames, each.label, f"{each.value:.9g}", each.by])
    return text.getvalue().encode()


def keep_labels(library: Library, task: TaskName, labels: Iterable[Label]) -> str:
    """Keep a task's labels in place of the former ones; return the hash of the file.

    Raises `CannotRunNow` where the library cannot be written.
    """
    content, path = to_csv(labels), _path(library, task)
    with explained(library.root):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content)
    return sha256(content).hexdigest()


def kept_labels(library: Library, task: TaskName) -> list[Label]:
    """Return the labels kept for a task; none where there are none.

    Raises `CannotRunNow` where the file is damaged.
    """
    path = _path(library, task)
    try:
        rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))
        return [
            Label(
                title_id=row["title"],
                start_frame=int(row["start"].removesuffix("f")),
                end_frame=int(row["end"].removesuffix("f")),
                label=row["label"],
                value=float(row["value"]),
                by=row["by"],
            )
            for row in rows
        ]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError, AttributeError, csv.Error) as error:
        raise CannotRunNow(
            f"The labels in {path} cannot be read ({error}); keep them anew with "
            f"`trimbin evaluate {task} labels.csv --keep`."
        ) from error


def kept_labels_hashes(library: Library) -> list[str]:
    """Return the hashes of all labels that the library keeps."""
    files = sorted((library.root / "models" / PROBES_FOLDER).glob("*.labels.csv"))
    return [sha256(file.read_bytes()).hexdigest() for file in files]


def _path(library: Library, task: TaskName) -> Path:
    return library.root / "models" / PROBES_FOLDER / f"{task}.labels.csv"
