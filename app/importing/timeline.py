"""OpenTimelineIO's own files, read by OpenTimelineIO."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

from app.importing.selects import At, Select, Selects, rate_of
from qdrant.errors import InputError


def read(text: str) -> Selects:
    """Return the clips of a timeline, stacks and nested ones opened; gaps hold nothing.

    Raises `InputError` for what is no timeline.
    """
    import opentimelineio as otio

    try:
        json.loads(text)  # refuses endless nesting, on which the reader itself would crash
        timeline: Any = otio.adapters.read_from_string(text, "otio_json")
        if not hasattr(timeline, "find_clips"):
            raise InputError("The OTIO file holds no timeline: export one.")
        clips = timeline.find_clips()
    except (ValueError, RecursionError, otio.exceptions.OTIOError) as error:
        raise InputError(
            "The OTIO file cannot be read; it may be cut short: export it again."
        ) from error
    selects, problems = [], []
    for number, clip in enumerate(clips, start=1):
        kind = getattr(getattr(clip.parent(), "kind", ""), "lower", str)()
        if kind == "audio":
            continue
        try:
            selects.append(_select(number, clip))
        except (ArithmeticError, ValueError, AttributeError, TypeError, otio.exceptions.OTIOError):
            problems.append(f"Clip {number} ({str(clip.name)[:80]}) has no source range.")
    return Selects(tuple(selects), tuple(problems))


def _select(number: int, clip: Any) -> Select:
    import opentimelineio as otio

    span = clip.trimmed_range()
    media = clip.media_reference
    start, length = _seconds(span.start_time), _seconds(span.duration)
    for effect in clip.effects:
        if isinstance(effect, otio.schema.LinearTimeWarp):  # a freeze (0) shows one frame
            length = abs(length * Fraction(str(effect.time_scalar))) or 1 / _rate(span.start_time)
    available = getattr(media, "available_range", None)
    first = _seconds(available.start_time) if available is not None else Fraction(0)
    return Select(
        f"clip {number} ({clip.name[:80]})",
        # With no range of the media, a clip's times are taken for its timecode, as adapters do.
        At(seconds=start - first, on_clock=available is None),
        At(seconds=start - first + length, on_clock=available is None),
        reel=_reel(clip.metadata) or _reel(media.metadata),
        clip_name=clip.name,
        path=getattr(media, "target_url", None) or "",
        title=media.name or "",
        rate=_rate(span.start_time),
    )


def _rate(time: Any) -> Fraction:
    return rate_of(str(time.rate)) or Fraction(str(time.rate))


def _seconds(time: Any) -> Fraction:
    return Fraction(str(time.value)) / _rate(time)


def _reel(metadata: Any) -> str:
    cmx = metadata.get("cmx_3600", {})
    return str(cmx.get("reel", "")) if hasattr(cmx, "get") else ""
