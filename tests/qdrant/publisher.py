"""Publishes a second generation in a child process that is killed on the way. A program.

For each line of JSON on stdin, `{"folder": ..., "steps": n}` or `{"folder": ..., "after_s": t}`,
it prints whether the child was killed, before its write number n or after t seconds.

One process forks all the children: it has paid for the imports, and never opens a shard itself,
whose threads would not survive a fork.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np

from qdrant.edge import EdgeBackend
from qdrant.record import ShotRecord
from qdrant.schema import Schema
from qdrant.shots import Shots

DIMS = {"video": 8, "audio": 6, "text": 5}
NUM_SHOTS = {"g1": 70, "g2": 90}
FOREVER = 10**9


class Doomed(EdgeBackend):
    """A shard whose process dies right before a write."""

    writes_left = FOREVER

    def _update(self, operation):
        self._die()
        super()._update(operation)

    def flush(self):
        self._die()
        super().flush()

    def _die(self):
        if self.writes_left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self.writes_left -= 1


def publish_twice(folder: Path, *, steps: int = FOREVER, after_s: float | None = None) -> None:
    backend = Doomed(folder / "v1")
    backend.ensure(Schema(version="v1", dims=DIMS))
    shots = Shots(backend, Schema(version="v1", dims=DIMS), library_id="film-club")
    shots.publish("alpha", "g1", records("g1"))
    second = records("g2")
    backend.writes_left = steps
    if after_s is not None:
        threading.Timer(after_s, os.kill, (os.getpid(), signal.SIGKILL)).start()
    shots.publish("alpha", "g2", second)
    if after_s is not None:
        time.sleep(60)


def records(generation: str) -> list[ShotRecord]:
    rng = np.random.default_rng(0)
    made = []
    for shot in range(NUM_SHOTS[generation]):
        vector = rng.normal(size=DIMS["video"])
        unit = (vector / np.linalg.norm(vector)).astype(np.float32)
        made.append(ShotRecord("alpha", generation, shot, {"video": unit}, "copper rain", {}))
    return made


def was_killed(folder: Path, **doom: float) -> bool:
    """Publish in a child process; return whether it died of it."""
    child = os.fork()
    if child == 0:
        try:
            publish_twice(folder, **doom)
        except BaseException as error:
            print(repr(error), file=sys.stderr)
            os._exit(3)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        sys.exit(f"the publisher in {folder} failed")
    return os.WIFSIGNALED(status)


if __name__ == "__main__":
    for line in sys.stdin:
        doom = json.loads(line)
        print(json.dumps(was_killed(Path(doom.pop("folder")), **doom)), flush=True)
