"""What a gate is: a test that a version must pass before it may be switched to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

from indexer.library import Library
from indexer.progress import Progress

Verdict = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    gate: str
    verdict: Verdict
    told: str  # a sentence


class Gate(Protocol):
    """One test of a version, beside the version in use."""

    def __call__(
        self, version: Library, in_use: Library, *, progress: Progress
    ) -> Iterator[Finding]:
        """Yield what was found; nothing that is not worth telling."""
        ...
