"""The shots of one library under one model version, whichever backend holds them.

    with open_store(folder, schema, library_id=..., command="trimbin search") as shots:
        hits = shots.query(query)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from qdrant.language import Query, ShotHit
from qdrant.record import ShotRecord


class ShotStore(Protocol):
    """What indexer and app may ask of a store."""

    owned: bool
    """Whether this process may write. A reader goes through the owner's loopback address."""

    def publish(self, title_id: str, generation: str, records: Sequence[ShotRecord]) -> None:
        """Make this generation the title's only visible one: whole, or not at all."""

    def remove(self, title_id: str) -> None:
        """Take a title out of sight, then out of the store."""

    def generations(self) -> dict[str, str]:
        """Return the visible generation of every title: title_id -> generation."""

    def query(self, query: Query) -> list[ShotHit]:
        """Return every shot that any asked space proposed, each scored in all asked spaces."""

    def count(self) -> int:
        """Return how many shots are visible."""

    def close(self) -> None:
        """Flush, close and give up ownership."""
