"""Which generation of every title is visible: one reserved point, changed by one atomic write.

A title changes in three writes: its new generation is hidden, then made current while the old one
is hidden, then, once the old points are gone, nothing is hidden any more. Whoever reads sees the
old generation until the second write and the new one from it on.
"""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from qdrant_client import models

from qdrant.backend import Backend
from qdrant.errors import StoreUnavailable
from qdrant.record import registry_id

Generation = tuple[str, str]
"""(title_id, generation)"""

MAX_WRITE_ATTEMPTS = 20
"""How often a change is tried when other processes write the registry at the same time."""


@dataclass(frozen=True)
class Registry:
    """What is visible and what is on its way in or out, as of one revision."""

    current: Mapping[str, str] = field(default_factory=dict)  # title_id -> generation
    hidden: Mapping[Generation, float] = field(default_factory=dict)  # -> since, Unix seconds
    revision: str = ""  # differs after every write; empty before the first

    def begin(self, title_id: str, generation: str) -> Registry:
        """Return the registry with a generation that is to be written out of sight."""
        if self.current.get(title_id) == generation:
            return self
        return self._hide(title_id, generation)

    def switch(self, title_id: str, generation: str) -> Registry:
        """Return the registry with this generation visible and the one before it hidden."""
        before = self.withdraw(title_id) if self.current.get(title_id) != generation else self
        shown = before.unhide(title_id, generation)
        return replace(shown, current={**shown.current, title_id: generation})

    def withdraw(self, title_id: str) -> Registry:
        """Return the registry without the title; its points are hidden until they are gone."""
        if title_id not in self.current:
            return self
        rest = {title: gen for title, gen in self.current.items() if title != title_id}
        return replace(self._hide(title_id, self.current[title_id]), current=rest)

    def unhide(self, title_id: str, generation: str) -> Registry:
        """Return the registry that knows nothing of a generation whose points are gone."""
        hidden = {pair: t for pair, t in self.hidden.items() if pair != (title_id, generation)}
        return replace(self, hidden=hidden)

    def _hide(self, title_id: str, generation: str) -> Registry:
        return replace(self, hidden={**self.hidden, (title_id, generation): time.time()})

    def lost_since(self, before: Registry) -> bool:
        """Whether a title that was visible before shows another generation now, or none."""
        if self.revision == before.revision:
            return False
        return any(self.current.get(title) != gen for title, gen in before.current.items())


class RegistryPoint:
    """The registry as it is stored, read and changed."""

    def __init__(self, backend: Backend, *, library_id: str) -> None:
        self.point_id = registry_id(library_id)
        self._backend = backend
        self._last: Registry | None = None
        self._turn = threading.RLock()

    def read(self) -> Registry:
        """Return the registry as it is now.

        Where nobody else can write, what was read or written last; otherwise the store is asked
        for the revision, and for the rest only if that is another.
        """
        last = self._last
        if last is not None and (not self._backend.shared or self._revision() == last.revision):
            return last
        with self._turn:
            return self._fetch()

    def change(self, change: Callable[[Registry], Registry]) -> Registry:
        """Apply a change and return the registry that holds it.

        The write succeeds only on the revision the change was made from; when another process
        was faster, the change is made again, so it must be one that can be made twice.
        """
        with self._turn:
            for attempt in range(MAX_WRITE_ATTEMPTS):
                before = self._fetch()
                after = replace(change(before), revision=uuid.uuid4().hex)
                if self._replace(before, after):
                    return after
                time.sleep(random.uniform(0, 0.01 * 2 ** min(attempt, 6)))
        raise StoreUnavailable(
            "Too many processes are publishing to this library at once for one more to be "
            "written down; try again when fewer are."
        )

    def _replace(self, before: Registry, after: Registry) -> bool:
        """Write `after` in one step, unless another process has replaced `before` already."""
        unchanged = models.FieldCondition(
            key="revision", match=models.MatchValue(value=before.revision)
        )
        point = models.PointStruct(id=self.point_id, vector={}, payload=_payload(after))
        self._backend.upsert([point], only_if=models.Filter(must=[unchanged]))
        written = self._revision() == after.revision
        if written:
            self._last = after
        return written

    def _revision(self) -> str:
        points = self._backend.retrieve([self.point_id], payload=["revision"])
        return str((points[0].payload or {})["revision"]) if points else ""

    def _fetch(self) -> Registry:
        points = self._backend.retrieve([self.point_id], payload=True)
        registry = _parsed(points[0].payload or {}) if points else Registry()
        self._last = registry
        return registry


def _payload(registry: Registry) -> dict[str, Any]:
    return {
        "registry": dict(registry.current),
        "hidden": [[*pair, since] for pair, since in registry.hidden.items()],
        "revision": registry.revision,
    }


def _parsed(payload: Mapping[str, Any]) -> Registry:
    return Registry(
        current=payload["registry"],
        hidden={(title, generation): since for title, generation, since in payload["hidden"]},
        revision=payload["revision"],
    )
