"""What many tests stand on: user folders out of the way, and one reel indexed for real."""

from __future__ import annotations

import os

if "PYTEST_XDIST_WORKER" in os.environ:  # a worker a core: more threads would be in their way
    os.environ.setdefault("OMP_NUM_THREADS", "1")

from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import need_offline_profile, run_trimbin
from reel import make_reel


@pytest.fixture(scope="session", autouse=True)
def _user_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep every test out of the user's own folders; derived weights are shared by the run."""
    base = tmp_path_factory.getbasetemp()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRIMBIN_LIBRARY", str(base / "library-nobody-named"))
        patch.setenv("TRIMBIN_CACHE", str(base / "cache"))
        patch.delenv("TRIMBIN_DEBUG", raising=False)
        for name in ("QDRANT_URL", "TRIMBIN_SERVER", "TRIMBIN_TOKEN"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="session")
def reel_library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A library with the photograph reel, indexed by the command line with the offline profile.

    It is everyone's: whoever would write to it takes a copy (`library_root`).
    """
    need_offline_profile()
    folder = tmp_path_factory.mktemp("reel")
    make_reel(folder / "films", name="Photographs.mp4")
    run_trimbin("index", folder / "films", "--library", folder / "library", "--profile", "offline")
    yield folder / "library"
    kept = sorted(p.name for p in (folder / "library").glob("shortlists*"))
    assert not kept, "a test wrote shortlists into the library that all tests share"
