"""The child process that builds a shard's search index: the engine does not let go of Python
while it does. A program.

python -m qdrant.optimise SHARD SCHEMA PARENT
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from qdrant.schema import Schema

NICE = 10
"""Searching and publishing come first."""
PR_SET_PDEATHSIG = 1


def begin(shard: Path, schema: Schema, *, log: Path) -> subprocess.Popen[bytes]:
    """Begin to index a closed shard in a child process, which does not outlive the calling thread.

    On systems other than Linux a killed owner's child goes on to its end, in vain.
    """
    ours = str(Path(__file__).resolve().parents[1])
    path = os.pathsep.join(filter(None, [ours, os.environ.get("PYTHONPATH")]))
    told = json.dumps({"version": schema.version, "dims": dict(schema.dims)})
    with log.open("wb") as stream:
        return subprocess.Popen(
            [sys.executable, "-m", "qdrant.optimise", str(shard), told, str(os.getpid())],
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            env={**os.environ, "PYTHONPATH": path},
        )


def optimise(path: Path, schema: Schema) -> None:
    """Build the index of a shard that nobody has open, however few its points are."""
    import qdrant_edge as edge  # takes a while, in which the owner may die

    from qdrant import edge_types

    shard = edge.EdgeShard.load(str(path), edge_types.indexed_config(schema))
    shard.optimize()
    shard.close()  # which flushes


def _die_with(parent: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.name == "posix":
        os.nice(NICE)
        if os.getppid() != parent:
            sys.exit("the owner is gone")


if __name__ == "__main__":
    _die_with(int(sys.argv[3]))
    optimise(Path(sys.argv[1]), Schema(**json.loads(sys.argv[2])))
