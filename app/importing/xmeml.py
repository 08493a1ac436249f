"""Final Cut Pro 7 XML, which Premiere and Resolve write."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from app.importing.selects import At, Select, Selects, rate_of


def read(root: Element) -> Selects:
    """Return the clips on picture tracks, nested sequences included, in document order."""
    files = {file.get("id", ""): file for file in root.iter("file") if len(file)}
    selects, problems = [], []
    for number, clip in enumerate(_picture_clips(root), start=1):
        select = _select(number, clip, files)
        if isinstance(select, str):
            problems.append(select)
        else:
            selects.append(select)
    return Selects(tuple(selects), tuple(problems))


def _picture_clips(root: Element) -> Iterator[Element]:
    seen: set[Element] = set()
    for video in root.iter("video"):
        for clip in video.iter("clipitem"):
            # A nested sequence is no source: its own clips follow. A generator has no file.
            if clip not in seen and clip.find("sequence") is None and clip.find("file") is not None:
                seen.add(clip)
                yield clip


def _select(number: int, clip: Element, files: dict[str, Element]) -> Select | str:
    name = _text(clip, "name")
    where = f"clip {number} ({name[:80]})"
    file = clip.find("file")
    assert file is not None
    file = files.get(file.get("id", ""), file)
    try:
        offset = int(_text(clip, "subclipinfo/startoffset") or 0)
        start, end = (offset + int(_text(clip, point)) for point in ("in", "out"))
    except ValueError:
        return f"{where[0].upper()}{where[1:]} has no in and out point."
    rate = _text(clip, "rate/timebase") or _text(file, "rate/timebase")
    ntsc = _text(clip, "rate/ntsc") or _text(file, "rate/ntsc")
    return Select(
        where,
        At(frames=start),
        At(frames=end),
        reel=_text(file, "timecode/reel/name"),
        clip_name=name,
        path=_text(file, "pathurl") or _text(file, "name"),
        rate=rate_of(rate, is_ntsc=ntsc.upper() == "TRUE"),
        note=_text(clip, "comments/mastercomment1") or _text(clip, "logginginfo/lognote"),
        colour=_text(clip, "labels/label2").lower(),
    )


def _text(element: Element, path: str) -> str:
    return (element.findtext(path) or "").strip()
