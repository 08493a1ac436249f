"""FCPXML, which Final Cut Pro and Resolve write."""

from __future__ import annotations

import re
from fractions import Fraction
from xml.etree.ElementTree import Element

from app.importing.selects import At, Select, Selects

TIME = re.compile(r"^-?\d{1,18}(/\d{1,18}|\.\d{1,18})?s$", re.ASCII)
REEL = "com.apple.proapps.studio.reel"


def read(root: Element) -> Selects:
    """Return the clips with picture, compound ones opened, in document order."""
    assets = {asset.get("id", ""): asset for asset in root.iter("asset")}
    inside = {video for clip in root.iter("clip") for video in clip.iterfind("video")}
    selects, problems = [], []
    for element in root.iter():
        try:
            if element.tag == "clip":
                select = _clip(element, assets)
            elif element.tag in ("asset-clip", "video") and element not in inside:
                select = _used(element, element, assets, Fraction(0))
            else:
                continue
        except (ValueError, ZeroDivisionError):
            name = (element.get("name") or element.tag)[:80]
            problems.append(f"Clip {name} has a time that cannot be read.")
            continue
        if select is not None:
            selects.append(select)
    return Selects(tuple(selects), tuple(problems))


def _clip(clip: Element, assets: dict[str, Element]) -> Select | None:
    """Return a clip whose picture lies within it, on the clip's own time."""
    video = clip.find("video")
    if video is None:
        return None
    before = seconds(clip.get("start", "0s")) - seconds(video.get("offset", "0s"))
    return _used(clip, video, assets, before)


def _used(
    clip: Element, media: Element, assets: dict[str, Element], before: Fraction
) -> Select | None:
    asset = assets.get(media.get("ref", ""))
    is_sound = clip.get("srcEnable") == "audio" or (
        asset is not None and asset.get("hasVideo") == "0"
    )
    if asset is None or is_sound:
        return None
    first = seconds(asset.get("start", "0s"))
    start = seconds(media.get("start") or asset.get("start") or "0s") - first + before
    length = seconds(clip.get("duration") or asset.get("duration") or "0s")
    media_rep = asset.find("media-rep")
    source = asset.get("src") or (media_rep.get("src") if media_rep is not None else None)
    reels = (md.get("value", "") for md in asset.iter("md") if md.get("key") == REEL)
    name = clip.get("name") or asset.get("name") or ""
    return Select(
        f"clip {name[:80]}",
        At(seconds=start),
        At(seconds=start + length),
        reel=next(reels, ""),
        clip_name=name,
        title=asset.get("name") or "",
        path=source or "",
        note=(clip.findtext("note") or "").strip(),
    )


def seconds(time: str) -> Fraction:
    """Return the seconds of a time such as `1001/30000s`. Raises `ValueError` for other text."""
    if not TIME.match(time):  # an exponent could ask for a number that fills the memory
        raise ValueError(time[:60])
    return Fraction(time.removesuffix("s"))
