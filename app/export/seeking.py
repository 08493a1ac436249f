"""Where in a file reading begins, and what a finished clip says of itself."""

from __future__ import annotations

import math
from pathlib import Path

from app.export.footage import Footage
from indexer.media.probe import opened
from qdrant.errors import InputError

MARGINS_S = (1.0, 4.0, 16.0, 64.0)
"""How long before a cut reading begins. Sound decoders need a moment to settle; files without an
index lead to any packet, and pictures come from the next keyframe on."""
MAX_PACKETS = 20_000


def seek_for(footage: Footage) -> float | None:
    """Return where to seek to on the container's clock, so that a keyframe comes before the cut.

    None where reading must begin with the file.
    """
    track = footage.media.picture or footage.media.sound
    assert track is not None
    for margin_s in MARGINS_S:
        at_s = footage.start_s - margin_s
        if at_s <= footage.media.start_s:
            return None
        if _finds_keyframe(footage, track.index, at_s):
            return at_s
    return None


def _finds_keyframe(footage: Footage, index: int, at_s: float) -> bool:
    """Whether a seek leads to a keyframe at or before the cut's first frame."""
    with opened(footage.media.path) as container:
        stream = container.streams[index]
        container.seek(math.floor(at_s * 1_000_000))
        for count, packet in enumerate(container.demux(stream)):
            if packet.pts is None or packet.time_base is None or count > MAX_PACKETS:
                return False
            if packet.is_keyframe:
                return float(packet.pts * packet.time_base) <= footage.start_s
    return False


def count_pictures(path: Path) -> int:
    """Return how many pictures a finished QuickTime file holds, as its index says."""
    with opened(path) as container:
        return container.streams.video[0].frames


def mark_of_file(path: Path) -> str | None:
    """Return the mark in a clip; None where there is no clip, or none that is whole."""
    if not path.is_file():
        return None
    try:
        with opened(path) as container:
            return container.metadata.get("comment")
    except InputError:
        return None
