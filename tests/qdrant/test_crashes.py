"""kill -9 at every step of a publication: afterwards it is the old generation or the new one."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from asking import query_of

from qdrant.edge import EdgeBackend
from qdrant.shots import Shots

PUBLISHER = Path(__file__).parent / "publisher.py"
NUM_SHOTS = {"g1": 70, "g2": 90}
"""Of each generation, as `publisher.py` publishes them."""
MAX_STEPS = 40
NUM_SURPRISES = 4


@pytest.fixture
def kill_publisher(libraries):
    """Publishes twice in a child, killed on the way: returns its library and whether it died."""
    with subprocess.Popen(
        [sys.executable, PUBLISHER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as publisher:

        def kill(**doom):
            folder = libraries()
            publisher.stdin.write(json.dumps({"folder": str(folder), **doom}) + "\n")
            publisher.stdin.flush()
            return folder, json.loads(publisher.stdout.readline())

        yield kill
        publisher.stdin.close()


def whole_generation(folder, schema, direction):
    """Open a library after a crash, see that it is whole, and return what is visible."""
    backend = EdgeBackend(folder / "v1")
    backend.ensure(schema)
    with Shots(backend, schema, library_id="film-club") as shots:
        shots.repair()
        generation = shots.generations()["alpha"]
        assert shots.count() == NUM_SHOTS[generation]
        assert backend.count(None) == NUM_SHOTS[generation] + 1, "nothing is left but the registry"
        hits = shots.query(query_of({"video": direction("video")}, "rain", candidates=500))
        assert sorted(hit.shot for hit in hits) == list(range(NUM_SHOTS[generation]))
        assert {hit.payload["generation"] for hit in hits} == {generation}
        assert all(hit.answers[0].keys() == {"video", "line"} for hit in hits)
        np.testing.assert_allclose(np.linalg.norm(shots.vectors("alpha", 0)["video"]), 1, 1e-5)
    return generation


def test_a_publication_killed_at_any_write_leaves_one_whole_generation(
    kill_publisher, schema, direction
):
    left = []
    for steps in range(MAX_STEPS):
        folder, killed = kill_publisher(steps=steps)
        left.append(whole_generation(folder, schema, direction))
        if not killed:
            break

    # Killed before: hiding, two chunks, the switch | the flush, the deletion, unhiding; not killed.
    assert left == ["g1"] * 4 + ["g2"] * 4


def test_a_publication_killed_at_any_moment_leaves_one_whole_generation(
    kill_publisher, schema, direction
):
    for _ in range(NUM_SURPRISES):
        after_s = random.uniform(0, 0.03)
        folder, killed = kill_publisher(after_s=after_s)
        assert killed
        whole_generation(folder, schema, direction)
