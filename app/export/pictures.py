"""One picture of a cut: the frame in the middle of the kept moment, as it is seen."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from app.export.cutlist import Cut
from app.export.footage import Footage, footage_of, seconds_into
from indexer.library import SHOTS_FILE
from indexer.media.again import decoded_again
from qdrant.errors import InputError

if TYPE_CHECKING:
    import av
    from PIL.Image import Image

BACK_S = (1.0, 8.0, 64.0, math.inf)
"""How long before a picture decoding begins: files without an index may lead to beyond it."""
BEFORE_ALL_S = 10.0
HD_LINES = 720
"""Pictures of so many lines that do not say how their colours are meant are meant as BT.709."""
UNSAID = 2
"""libav's AVCOL_SPC_UNSPECIFIED."""


def middle_frame(cut: Cut) -> int:
    """Return the frame of the source in the middle of the kept moment, handles not counted."""
    return (cut.item.start_frame + cut.item.end_frame) // 2


def picture_of(cut: Cut) -> Image:
    """Return the middle of a cut at full size: upright, of square pixels, 8-bit RGB.

    Fields stay woven and HDR is not mapped to what a page can show. Raises `InputError` where the
    file is off line or damaged there.
    """
    footage = footage_of(cut)
    time_s = footage.start_s + seconds_into(cut, middle_frame(cut))
    for back_s in BACK_S:
        frame = _shown_at(footage, time_s, back_s)
        if frame is not None:
            return _as_seen(frame, footage)
    raise InputError(
        f"{cut.name} has no picture: {footage.media.path} cannot be decoded at {time_s:.1f} s."
    )


def thumbnail_of(cut: Cut) -> Image | None:
    """Return the library's own small picture of the shot there; of sound alone its waveform."""
    import pandas as pd
    from PIL import Image

    folder = cut.source.folder
    if folder is None:
        return None
    try:
        shots = pd.read_parquet(folder / SHOTS_FILE, columns=["shot", "start_frame", "end_frame"])
        frame = middle_frame(cut)
        there = shots[(shots["start_frame"] <= frame) & (frame < shots["end_frame"])]
        with Image.open(folder / "thumbs" / f"{int(there['shot'].iloc[0]):05d}.jpg") as image:
            return image.convert("RGB")
    except (OSError, ValueError, IndexError):
        return None


def _shown_at(footage: Footage, time_s: float, back_s: float) -> av.VideoFrame | None:
    """Return the last picture that is shown at or before a time; None where none is found."""
    import av

    # A seek to the first picture itself may lead past it, one to before it does not.
    from_s = max(footage.media.start_s - BEFORE_ALL_S, time_s - back_s)
    # Some tolerance where the pace is uneven: between cuts a frame's time is only reckoned.
    latest_s = time_s + max(footage.slack_s, 0.001)
    found = None
    try:
        for frame, shown_s in decoded_again(footage.media, from_s=from_s, to_s=time_s):
            if shown_s <= latest_s:
                found = frame
    except (OSError, av.error.FFmpegError):
        return None
    return found


def _as_seen(frame: av.VideoFrame, footage: Footage) -> Image:
    from av.video.reformatter import Colorspace
    from PIL import Image

    picture = footage.media.picture
    assert picture is not None
    unsaid = Colorspace.ITU709 if frame.height >= HD_LINES else Colorspace.ITU601
    meant = unsaid if int(frame.colorspace) == UNSAID else int(frame.colorspace)
    rgb = frame.to_ndarray(format="rgb24", src_colorspace=meant, interpolation="LANCZOS")
    image = Image.fromarray(rgb)
    width = round(image.width * picture.pixel_aspect)
    if width != image.width:
        image = image.resize((max(1, width), image.height), Image.Resampling.LANCZOS)
    turned = round(frame.rotation / 90) * 90
    return image.rotate(turned, expand=True) if turned else image
