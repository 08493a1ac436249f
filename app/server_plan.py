"""`trimbin doctor --server-plan`: the Qdrant server that so many shots want, and why so large."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from indexer.profiles import load_profile
from indexer.publish import dims_of
from qdrant.errors import UsageError
from qdrant.plan import (
    DISK_ROOM,
    REPLICATION,
    SHARDS,
    WORKING_SHARE,
    Needs,
    needs,
    requests,
    search_params,
)  # fmt: skip
from qdrant.schema import Schema

DEFAULT_PROFILE = "clip"
SHOTS = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)([kKmM]?)")
TIMES = {"": 1, "k": 1_000, "m": 1_000_000}
MOST_SHOTS = 10_000_000_000

BASIS = {
    "measured": (
        "Nothing on a server of this size. On the embedded store, with vectors of 768 numbers: "
        "docs/results.md."
    ),
    "arithmetic": "float32 and int8 vectors: shots times numbers times bytes.",
    "estimates": (
        "HNSW links (4 m a vector, within a library too), payload, its indexes and lines: bytes a "
        "shot that a catalogue of yours may halve or double. Load a part of it and look."
    ),
    "upper_bound": "Every shot is taken to have a vector in every space; many have no words.",
    "not_taken_up": (
        "Trimbin's own searches leave the search parameters to the server. Strict mode refuses "
        "answers of more than 333 moments, which ask for three times as many shots, and filters "
        "by what has no index: add one for `silent`, `saturation` and your columns of titles.csv."
    ),
}


@dataclass(frozen=True)
class Plan:
    """What a server for so many shots takes, and the requests that make its collection."""

    profile: str
    dims: Mapping[str, int]
    needs: Needs
    requests: list[dict[str, Any]]

    def to_json(self) -> dict[str, Any]:
        """Return the plan as JSON values, sizes in bytes."""
        sums = ("memory", "disk", "memory_of_all_replicas", "disk_of_all_replicas")
        return {
            "shots": self.needs.shots,
            "profile": self.profile,
            "dims": dict(self.dims),
            "needs": asdict(self.needs) | {name: getattr(self.needs, name) for name in sums},
            "requests": self.requests,
            "search_params": search_params(),
            "basis": BASIS,
        }


def plan_of(shots: str, *, profile: str | None = None) -> Plan:
    """Return the plan for `250k`, `10M` or a plain number of shots with a profile's vectors.

    Raises `UsageError` for what is no such number, and for a profile that is none.
    """
    number, chosen = _shots(shots), load_profile(profile or DEFAULT_PROFILE)
    dims = dims_of(chosen)
    sent = requests(number, Schema(chosen.version, dims))
    return Plan(chosen.version, dims, needs(number, dims), sent)


def _shots(told: str) -> int:
    match = SHOTS.fullmatch(told.strip())
    number = round(float(match[1]) * TIMES[match[2].lower()]) if match else 0
    if not 0 < number <= MOST_SHOTS:
        raise UsageError(f"{told!r} is no number of shots; write 250k, 10M or 80000000.")
    return number


def tell_plan(plan: Plan) -> str:
    """Return the plan as text: the sizes, the nodes, the requests."""
    size, numbers = plan.needs, sum(plan.dims.values())
    spaces = " + ".join(f"{space} {dim}" for space, dim in plan.dims.items())
    rows = (
        ("vectors, float32", size.float32, "cold on disk, read to rescore", "arithmetic"),
        ("vectors, int8", size.int8, "pinned in memory", "arithmetic"),
        ("HNSW links", size.links, "in memory", "estimate"),
        ("payload indexes", size.indexes, "in memory", "estimate"),
        ("lines (BM25)", size.lines, "in memory", "estimate"),
        ("payload", size.payload, "on disk", "estimate"),
        ("memory, one replica", size.memory, "", ""),
        ("disk, one replica", size.disk, "", ""),
        (f"memory, {REPLICATION} replicas", size.memory_of_all_replicas, "over all nodes", ""),
        (f"disk, {REPLICATION} replicas", size.disk_of_all_replicas,
         f"over all nodes, {DISK_ROOM:g} times for optimising", ""),
    )  # fmt: skip
    lines = [
        f"{size.shots:,} shots, profile {plan.profile}: {numbers:,} numbers a shot ({spaces}), "
        "each space in a graph of its own",
        "",
        *(
            f"{name:<22}{_told(count):>10}  {where:<40}{how}".rstrip()
            for name, count, where, how in rows
        ),
        "",
        f"{size.nodes} nodes of {size.node_gib} GiB, {SHARDS} shards, replication {REPLICATION}; "
        f"{WORKING_SHARE:.0%} of the memory is left to requests, rebuilding and the system.",
        "",
        *(f"{kind.replace('_', ' ')}: {sentence}" for kind, sentence in BASIS.items()),
        "",
        *(f"{sent['request']}\n{json.dumps(sent['body'])}" for sent in plan.requests),
        f"search with {json.dumps(search_params())}",
    ]
    return "\n".join(lines)


def _told(count: int) -> str:
    for unit, size in (("TB", 10**12), ("GB", 10**9), ("MB", 10**6)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count / 1000:.3g} kB"
