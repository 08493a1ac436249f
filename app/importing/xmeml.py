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
    """Yield the clips within picture tracks; each element is looked at once, however nested."""
    waiting = [(root, False)]
    while waiting:
        element, in_picture = waiting.pop()
        in_picture = element.tag == "video" or (in_picture and element.tag != "audio")
        # A nested sequence is no source: its own clips follow. A generator has no file.
        is_clip = element.tag == "clipitem" and element.find("sequence") is None
        if in_picture and is_clip and element.find("file") is not None:
            yield element
        waiting += [(child, in_picture) for child in reversed(element)]


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
