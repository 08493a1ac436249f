"""What is said during a kept moment."""

from __future__ import annotations

from app.shortlist import Item
from indexer.library import Library


def dialogue_of(library: Library, item: Item) -> str:
    """Return what is said during a moment; a line that spans a cut is told once."""
    try:
        shots = library.shots(item.title_id)
    except OSError:
        return ""
    during = shots[
        (shots["start_frame"] < item.end_frame) & (shots["end_frame"] > item.start_frame)
    ]
    lines = [line for spoken in during["dialogue"] for line in str(spoken or "").splitlines()]
    return " ".join(dict.fromkeys(line for line in lines if line))
