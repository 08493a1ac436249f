"""Builds a search index and dies of kill -9 on the way. A program.

python doomed_indexer.py FOLDER STEP

It prints the id of the process that builds the index, once there is one.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from qdrant import indexing, optimise, replacement
from qdrant.edge import SHARD, EdgeBackend
from qdrant.schema import Schema
from qdrant.store import open_store

DIMS = {"video": 8, "audio": 6, "text": 5}


def die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def doom(step: str) -> None:
    """Have this process die right after the step."""
    begin, catch_up, load = optimise.begin, indexing.catch_up, EdgeBackend._load

    def begin_and_tell(*args: Any, **kwargs: Any) -> Any:
        child = begin(*args, **kwargs)
        print(child.pid, flush=True)
        if step == "building":
            die()
        return child

    def catch_up_and_die(*args: Any, **kwargs: Any) -> None:
        catch_up(*args, **kwargs)
        die()

    def load_and_die(backend: EdgeBackend, schema: Schema) -> None:
        load(backend, schema)
        if backend._folder.name == schema.version:  # and not the copy
            die()

    optimise.begin = begin_and_tell
    match step:
        case "copied":
            optimise.begin = die
        case "built":
            indexing.search_index.write_held = die
        case "caught up":
            indexing.catch_up = catch_up_and_die
        case "ready":
            indexing.take_up = die
        case "between renames":
            replacement.clear = lambda outgoing: die((outgoing.parent / SHARD).rename(outgoing))
        case "in place":
            EdgeBackend._load = load_and_die


def main(folder: Path, step: str) -> None:
    schema = Schema(version="v1", dims=DIMS)
    with open_store(folder, schema, library_id="film-club", command="trimbin ui") as store:
        doom(step)
        store.build_index()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
