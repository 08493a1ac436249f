"""A cut list as an edit decision list (CMX 3600): what its strict and its long form share.

In points are inclusive, out points exclusive, and there is no frame rate anywhere: whoever reads it
must know. `FCM` says how the record timecode counts; a source's own says it by its separator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from app.export.cutlist import Cut, CutList, Source
from qdrant.errors import UsageError

MAX_EVENTS = 999
"""An event's number has three digits."""
MAX_TITLE_CHARACTERS = 70
MAX_COMMENT_CHARACTERS = 120
TRACKS = {0: "V", 1: "B", 2: "AA/V"}
"""Picture and so many channels of sound as CMX 3600 names them (`B`: both picture and the first); a
third and a fourth channel follow on a line of their own."""


def plain(words: str, *, most: int = MAX_COMMENT_CHARACTERS) -> str:
    """Return words as a single line of printable ASCII, `?` for what is none."""
    line = " ".join(words.split()).encode("ascii", "replace").decode()
    return "".join(c if c.isprintable() else "?" for c in line)[:most].rstrip()


def decision_list(cuts: CutList, reel_of: Callable[[Source], str], *, width: int) -> str:
    """Return the edit decision list; `width` is that of the reels' column.

    Raises `UsageError` for more events than have numbers, and for sound alone, which has no
    timecode.
    """
    if len(cuts.cuts) > MAX_EVENTS:
        raise UsageError(
            f"An EDL has at most {MAX_EVENTS} events, and {cuts.name!r} has {len(cuts.cuts)}. "
            "Make several shortlists of it, or use another format: `xml`, `fcpxml`, `otio`."
        )
    for source in cuts.sources:
        if not source.has_picture:
            raise UsageError(
                f"{source.title!r} is sound alone and has no timecode, so an EDL cannot name a "
                "place in it. Use `otio`, `fcpxml` or `xml`."
            )
    lines = [f"TITLE: {plain(cuts.name, most=MAX_TITLE_CHARACTERS) or 'UNTITLED'}"]
    lines.append(f"FCM: {'DROP FRAME' if cuts.drop_frame else 'NON-DROP FRAME'}")
    lines.append("")
    for number, cut in enumerate(cuts.cuts, start=1):
        lines += _event(number, cut, cuts, reel_of(cut.source), width)
    return "\r\n".join(lines) + "\r\n"


def _event(number: int, cut: Cut, cuts: CutList, reel: str, width: int) -> Iterator[str]:
    source = cut.source
    times = (cut.source_in, cut.source_out, cuts.record_in(cut), cuts.record_out(cut))
    track = TRACKS.get(source.channels, "AA/V")
    yield f"{number:03}  {reel:<{width}} {track:<5} C        {' '.join(times)}"
    further = [str(channel) for channel in (3, 4) if channel <= source.channels]
    if further:
        yield f"AUD   {'    '.join(further)}"
    if cut.is_conformed:  # the source runs at its own pace under a timeline of another
        yield f"M2   {reel:<{width}} {float(source.rate):05.1f}                {cut.source_in}"
    yield f"* FROM CLIP NAME: {plain(source.title) or 'UNTITLED'}"
    yield f"* SOURCE FILE: {plain(source.file_name)}"
    if note := plain(cut.item.note):
        yield f"* COMMENT: {note}"
    if cut.is_expired:
        yield "* COMMENT: OUT OF ITS RIGHTS WINDOW"
