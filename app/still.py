"""One frame of a title as a picture of its full size, exact: for a poster, a comp, a note."""

from __future__ import annotations

import io
import threading
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from indexer.library import Library
from indexer.manifest import Manifest
from indexer.media.again import decoded_again
from indexer.media.probe import Media, probe
from qdrant.errors import InputError

if TYPE_CHECKING:
    import av

MAX_COUNTED = 3000
"""Where frames are of uneven length they are counted from the start of their shot, up to here."""
SETTLE_S = 600.0
"""How far a variable rate's frames may be from where they are looked for."""

_turns = threading.BoundedSemaphore(2)
"""How many frames are decoded at once, whoever asks for how many."""


def still(library: Library, title_id: str, frame: int) -> bytes:
    """Return a frame, counted from the title's first, as PNG: upright, of square pixels.

    Raises `InputError` for a frame that the title has not, a title of sound alone, and a file that
    has gone or cannot be decoded there.
    """
    import av

    manifest = library.manifest(title_id)
    if not manifest.width:
        raise InputError(f"{manifest.title!r} is sound alone and has no frames to show.")
    if not 0 <= frame < manifest.num_frames:
        raise InputError(
            f"{manifest.title!r} has no frame {frame}; its {manifest.num_frames} frames are "
            f"counted from 0 to {manifest.num_frames - 1}."
        )
    if not manifest.is_online:
        raise InputError(
            f"The file of {manifest.title!r} is not where it was last seen. Put it back, or index "
            "it where it is now."
        )
    try:
        with _turns:
            media = probe(Path(manifest.path), stream=manifest.choices.get("stream"))
            return _png(_decoded(library, manifest, media, frame), media)
    except (OSError, av.error.FFmpegError) as error:
        raise InputError(f"Frame {frame} of {manifest.title!r} cannot be decoded.") from error


def _decoded(library: Library, manifest: Manifest, media: Media, frame: int) -> av.VideoFrame:
    """Return the frame: by its time where all are equally long, else counted within its shot."""
    if manifest.is_variable_rate:
        shots = library.shots(manifest.title_id)
        shot = shots[shots["end_frame"] > frame].iloc[0]
        skipped, at_s = frame - int(shot["start_frame"]), float(shot["start_s"])
        to_s = at_s + SETTLE_S
    else:
        skipped = 0
        at_s = to_s = frame / float(manifest.frame_rate)
    if skipped > MAX_COUNTED:
        raise InputError(
            f"Frame {frame} of {manifest.title!r} is too far into its shot to be found: its rate "
            "varies. Choose one nearer to the cut."
        )
    pictures = decoded_again(media, from_s=media.start_s + at_s, to_s=media.start_s + to_s)
    found = next(islice(pictures, skipped, None), None)
    if found is None:
        raise InputError(f"Frame {frame} of {manifest.title!r} cannot be decoded.")
    return found[0]


def _png(frame: av.VideoFrame, media: Media) -> bytes:
    from PIL import Image

    shown: Any = frame
    image: Any = shown.to_image()
    aspect = media.picture.pixel_aspect if media.picture else Fraction(1)
    if aspect != 1:
        size = (round(image.width * aspect), image.height)
        image = image.resize(size, Image.Resampling.LANCZOS)
    if frame.rotation:
        image = image.rotate(frame.rotation, expand=True)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()
