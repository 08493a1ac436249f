"""Opens a library, says what it became, and keeps it until its stdin closes. A program.

python owner.py FOLDER COMMAND
"""

from __future__ import annotations

import sys
from pathlib import Path

from qdrant.schema import Schema
from qdrant.store import open_store

DIMS = {"video": 8, "audio": 6, "text": 5}


def main(folder: Path, command: str) -> None:
    schema = Schema(version="v1", dims=DIMS)
    with open_store(folder, schema, library_id="film-club", command=command) as shots:
        print("owner" if shots.owned else "reader", shots.count(), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
