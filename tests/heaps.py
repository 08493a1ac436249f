"""A library whose shots lie in two heaps, so that a label can be learned from a few answers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from shelf import add_title, make_film, make_library

from indexer.context.config import context_dim
from indexer.encoders.protocol import Vectors, unit
from indexer.library import Library
from indexer.manifest import Manifest

FILE = "context@m.safetensors"


def is_dark(shot: int) -> bool:
    """Whether a shot is of the heap that is to be found: every third."""
    return shot % 3 == 0


def heaps(library: Library, num_shots: int, *, seed: int) -> Vectors:
    """Return (num_shots, context_dim) unit rows around one of two places."""
    random = np.random.default_rng(seed)
    rows = 0.3 * random.standard_normal((num_shots, context_dim(library.profile.dims)))
    rows /= np.sqrt(rows.shape[1])
    rows[:, 0] = [1.0 if is_dark(shot) else -1.0 for shot in range(num_shots)]
    return unit(rows)


def add_heaps(library: Library, path: Path, *, seconds: int, seed: int) -> Manifest:
    """Add a film of two-second shots with such vectors."""
    film = make_film(path, seconds=seconds, size=f"{64 + 2 * seed}x64")
    manifest = add_title(library, film)
    rows = heaps(library, manifest.num_shots, seed=seed)
    save_file({"shots": rows}, library.folder(manifest.title_id) / FILE)
    return library.finish(replace(manifest, spaces={"context": FILE}, checkpoint="m"))


def make_heaps(folder: Path) -> Library:
    """Make a library of two films of thirty and of fifteen shots."""
    library = make_library(folder / "library")
    add_heaps(library, folder / "Harbour.mp4", seconds=60, seed=1)
    add_heaps(library, folder / "Night.mp4", seconds=30, seed=2)
    return library
