"""Which detector finds the shots."""

from __future__ import annotations

from indexer.choices import DetectorName
from indexer.shots.boundaries import BoundaryDetector

PROMPT_BLOCK_FRAMES = 24


def detector_of(name: DetectorName, *, prompt: bool = False) -> BoundaryDetector:
    """Return a detector by its name, fresh: one a film; a `prompt` one for what still grows."""
    if name == "adaptive":
        from indexer.shots.adaptive import AdaptiveBoundaries

        return AdaptiveBoundaries()
    if name == "transnet":
        from indexer.shots.transnet import TransNetBoundaries

        return TransNetBoundaries()
    from indexer.shots.cascade import BLOCK_FRAMES, CascadeBoundaries

    return CascadeBoundaries(block_frames=PROMPT_BLOCK_FRAMES if prompt else BLOCK_FRAMES)
