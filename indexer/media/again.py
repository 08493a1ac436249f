"""A few pictures decoded once more, exactly."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from indexer.media.probe import Media, opened

if TYPE_CHECKING:
    import av


def decoded_again(
    media: Media, *, from_s: float, to_s: float
) -> Iterator[tuple[av.VideoFrame, float]]:
    """Yield the pictures of a span, both ends included, each with its time on the stream's clock.

    Raises `OSError` and PyAV's errors where the file can no longer be read.
    """
    import av

    assert media.picture is not None
    half_frame_s = float(1 / media.rate) / 2
    with opened(media.path) as container:
        stream = container.streams[media.picture.index]
        assert isinstance(stream, av.VideoStream) and stream.time_base is not None
        container.seek(math.floor(from_s / stream.time_base), stream=stream)
        for frame in container.decode(stream):
            time_s = math.nan if frame.pts is None else float(frame.pts * stream.time_base)
            if time_s > to_s + half_frame_s:
                return
            if time_s >= from_s - half_frame_s:
                yield frame, time_s
