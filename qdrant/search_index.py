"""A shard's search index: when one is due, what it holds, and building it where nobody searches."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path

from qdrant import optimise
from qdrant.compile import Scope
from qdrant.edge import MIN_FREE_BYTES, EdgeBackend
from qdrant.errors import StoreUnavailable
from qdrant.registry import Generation, RegistryPoint
from qdrant.schema import Schema

MANY_POINTS = 20_000
"""Points without an index that are still searched fast enough one by one."""
GROWN_BY = 0.2
"""A store that has an index gets a new one when this share of its points is not in it: over a
library's life that costs a few times what its last index costs."""
ROOM = 2.5
"""Sizes of the shard that must be free on the disk: a copy, and the indexed form of it."""
HELD = "indexed.json"
"""In the shard's folder: title -> [generation, points] of what its index holds."""
LOG = "optimise.log"
LOOK_S = 0.1

Held = Mapping[str, tuple[str, int]]
"""title -> its generation in the index, and how many points that has"""


def is_due(points: int, held: Held, current: Mapping[str, str]) -> bool:
    """Whether so many of the points are not in the index that searching is slow for want of it.

    `points` are all there are, `current` is the visible generation of every title.
    """
    if points <= MANY_POINTS:
        return False
    indexed = sum(num for title, (gen, num) in held.items() if current.get(title) == gen)
    return points - indexed > max(MANY_POINTS, GROWN_BY * points)


def build(shard: Path, schema: Schema, *, stop: threading.Event) -> bool:
    """Build the index of a closed shard in a child process; whether it came to its end.

    `stop` ends it early. Raises StoreUnavailable with the child's last words where it failed.
    """
    log = shard.parent / LOG
    with optimise.begin(shard, schema, log=log) as child:
        try:
            while child.poll() is None:
                if stop.is_set():
                    return False
                try:
                    child.wait(timeout=LOOK_S)
                except subprocess.TimeoutExpired:
                    continue
        finally:
            child.kill()
    if child.returncode:
        said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        reason = said[-1] if said else f"its process ended with {child.returncode}"
        raise StoreUnavailable(
            f"The search index of {shard} could not be built ({reason}); searching goes on "
            f"without it, only slower."
        )
    return True


def require_room(shard: Path) -> None:
    """Raise StoreUnavailable where the disk has no room for an index beside this shard."""
    needed = ROOM * size_on_disk(shard) + MIN_FREE_BYTES
    free = shutil.disk_usage(shard).free
    if free < needed:
        raise StoreUnavailable(
            f"The search index of {shard} is not built, because that needs {needed / 1e9:.1f} GB "
            f"of free disk and there are {free / 1e9:.1f}; searching stays slower until there is "
            f"room."
        )


def write_held(shard: Path, backend: EdgeBackend, *, library_id: str) -> None:
    """Write down what the index of a shard holds that has just been built."""
    registry = RegistryPoint(backend, library_id=library_id)
    scope = Scope(registry.point_id)

    def told(generation: Generation) -> tuple[str, int]:
        return generation[1], backend.count(scope.generation(*generation))

    held = {pair[0]: told(pair) for pair in registry.read().current.items()}
    (shard / HELD).write_text(json.dumps(held), encoding="utf-8")


def read_held(shard: Path) -> Held:
    """Return what a shard's index holds: nothing where there is none, or nobody knows."""
    try:
        held = json.loads((shard / HELD).read_text(encoding="utf-8"))
        return {title: (str(gen), int(points)) for title, (gen, points) in held.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def size_on_disk(folder: Path) -> int:
    """Return the bytes that a folder's files take; holes take none where the system tells."""
    found = [path.stat() for path in folder.rglob("*") if path.is_file()]
    return sum(s.st_blocks * 512 if hasattr(s, "st_blocks") else s.st_size for s in found)
