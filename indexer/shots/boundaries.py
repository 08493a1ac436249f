"""What a shot boundary is, and what finds them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from indexer.shots.strip import Strip

TransitionKind = Literal["cut", "dissolve", "fade", "wipe"]

LOOK_BACK_FRAMES = 240
"""A detector settles everything further behind the newest frame than this."""


@dataclass(frozen=True)
class Boundary:
    """Where a new shot begins, and the transition that leads to it: `[start_frame, end_frame)`."""

    frame: int  # the first of the new shot; a gradual transition's midpoint
    kind: TransitionKind
    start_frame: int  # a cut's span is empty: [frame, frame)
    end_frame: int
    confidence: float  # 0..1


class BoundaryDetector(Protocol):
    """Sees every frame once, in order, as strips, and names the boundaries between shots.

    What it names does not depend on how the frames are divided into strips.
    """

    wants_images: bool
    """Whether strips are to carry whole images."""
    bears_gaps: bool
    """Whether frames between two that are much alike may be filled in instead of decoded."""
    missing: str | None
    """What of it cannot run here, and what that means; None where nothing is missing."""

    @property
    def settled_frame(self) -> int:
        """No boundary will be reported any more before this frame."""
        ...

    def see(self, strip: Strip) -> list[Boundary]:
        """Take the next frames; return the boundaries it has become sure of, in order."""
        ...

    def finish(self) -> list[Boundary]:
        """Return the rest: no more frames will come."""
        ...


def hard_cut(frame: int, *, confidence: float) -> Boundary:
    """Return a cut."""
    return Boundary(frame, "cut", frame, frame, confidence)
