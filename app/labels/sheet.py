"""Temporary: replaced by the merged one."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from app.places import find_title, frame_of
from indexer.library import Library
from indexer.probes.label import Label


def read_labels(path: Path, library: Library) -> list[Label]:
    """Read."""
    found = []
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            manifest = find_title(row["title"], library)
            start, end = (frame_of(row[name], manifest, library) for name in ("start", "end"))
            found.append(Label(manifest.title_id, start, end, row["label"],
                               float(row.get("value") or 1), row.get("by") or ""))  # fmt: skip
    return found


def write_labels(path: Path, labels: Sequence[Label], library: Library) -> None:
    """Write."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["title", "start", "end", "label", "value", "by"])
        for one in labels:
            writer.writerow([one.title_id, f"{one.start_frame}f", f"{one.end_frame}f", one.label,
                             one.value, one.by])  # fmt: skip
