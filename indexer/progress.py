"""How long work reports itself: a callback, drawn by whoever started the work."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Told what is being done and how far it is; `total` 0 means not known."""

    def __call__(self, stage: str, done: float, total: float) -> None:
        """Take one report; may be called often, and from the thread that works."""
        ...


def silent(stage: str, done: float, total: float) -> None:
    """Report to nobody."""
