"""A shortlist for Premiere and Resolve: Final Cut Pro 7 XML, version 5.

A cut has a clip item on the picture's track and one for each channel of its sound, all linked, so
that they move together. In and out count frames from the file's first at the file's own rate,
start and end frames of the sequence from its first. Sound alone, which has no frames, is counted in
those of the sequence.

https://developer.apple.com/library/archive/documentation/AppleApplications/Reference/FinalCutPro_XML/
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from app.export.assembling import ascii_name
from app.export.carried import laid_out, saved
from app.export.cutlist import Cut, CutList
from app.export.fcpxml import USUAL_SIZE
from app.export.formats import Options
from app.export.marking import is_marked, marker_name
from app.export.xmeml import (
    SAMPLE_BITS,
    file_element,
    length_of,
    rate_of,
    say,
    timecode,
)
from indexer.progress import Progress

VERSION = "5"
SEQUENCE_SAMPLE_RATE_HZ = 48_000

LABELS = {
    "red": "Rose", "orange": "Mango", "yellow": "Yellow", "green": "Forest", "cyan": "Caribbean",
    "blue": "Cerulean", "purple": "Violet", "pink": "Magenta",
}  # fmt: skip
"""Our colours by the names that Premiere's labels have."""
MARKER_COLOURS = {
    "red": (209, 52, 47), "orange": (232, 133, 37), "yellow": (235, 201, 50),
    "green": (77, 161, 76), "cyan": (54, 184, 192), "blue": (58, 108, 217),
    "purple": (137, 84, 196), "pink": (224, 106, 168),
}  # fmt: skip
"""Red, green and blue, 0..255."""


def write(cuts: CutList, folder: Path, *, options: Options, progress: Progress) -> list[Path]:
    """Write a cut list as one `.xml` file and return it."""
    path = saved(folder / f"{ascii_name(cuts.name)}.xml", document(cuts))
    progress("Final Cut Pro 7 XML", len(cuts.cuts), len(cuts.cuts))
    return [path]


def document(cuts: CutList) -> bytes:
    """Return a cut list as Final Cut Pro 7 XML: one sequence."""
    root = ET.Element("xmeml", version=VERSION)
    sequence = ET.SubElement(root, "sequence", id="sequence-1")
    say(sequence, "name", cuts.name)
    say(sequence, "duration", cuts.num_frames)
    rate_of(sequence, cuts.rate)
    timecode(sequence, cuts.record_start, cuts.rate, drop_frame=cuts.drop_frame)
    media = ET.SubElement(sequence, "media")
    items = _items(cuts)
    files: dict[str, str] = {}
    _picture(ET.SubElement(media, "video"), cuts, items, files)
    _sound(ET.SubElement(media, "audio"), cuts, items, files)
    for cut in cuts.cuts:
        _marker(sequence, cut, cuts)
    return laid_out(root)


@dataclass(frozen=True)
class Place:
    """A clip item of a cut: where it stands, for the links between them."""

    item_id: str
    kind: str  # video or audio
    track: int  # 1 and up, among the tracks of its kind; for audio the file's channel as well
    index: int  # 1 and up, among the items of its track


def _items(cuts: CutList) -> list[list[Place]]:
    """Return the places of every cut's clip items, its picture first."""
    filled: Counter[tuple[str, int]] = Counter()
    places = []
    for number, cut in enumerate(cuts.cuts, start=1):
        source = cut.source
        spots = [("video", 1)] * source.has_picture
        spots += [("audio", channel) for channel in range(1, source.channels + 1)]
        of_cut = []
        for kind, track in spots:
            filled[kind, track] += 1
            item_id = f"clipitem-{number}-{kind[0]}{track}"
            of_cut.append(Place(item_id, kind, track, filled[kind, track]))
        places.append(of_cut)
    return places


def _picture(
    video: ET.Element, cuts: CutList, items: list[list[Place]], files: dict[str, str]
) -> None:
    sizes = Counter(
        (cut.source.width, cut.source.height) for cut in cuts.cuts if cut.source.has_picture
    )
    width, height = sizes.most_common(1)[0][0] if sizes else USUAL_SIZE
    looks = ET.SubElement(ET.SubElement(video, "format"), "samplecharacteristics")
    rate_of(looks, cuts.rate)
    say(looks, "width", width)
    say(looks, "height", height)
    say(looks, "pixelaspectratio", "square")
    track = ET.SubElement(video, "track")
    for cut, places in zip(cuts.cuts, items, strict=True):
        for place in places:
            if place.kind == "video":
                _clip_item(track, cut, cuts, place, places, files)


def _sound(
    audio: ET.Element, cuts: CutList, items: list[list[Place]], files: dict[str, str]
) -> None:
    num_tracks = max(source.channels for source in cuts.sources)
    say(audio, "numOutputChannels", max(2, num_tracks))
    sounds = ET.SubElement(ET.SubElement(audio, "format"), "samplecharacteristics")
    say(sounds, "depth", SAMPLE_BITS)
    say(sounds, "samplerate", SEQUENCE_SAMPLE_RATE_HZ)
    for number in range(1, num_tracks + 1):
        track = ET.SubElement(audio, "track")
        for cut, places in zip(cuts.cuts, items, strict=True):
            for place in places:
                if (place.kind, place.track) == ("audio", number):
                    _clip_item(track, cut, cuts, place, places, files)
        say(track, "outputchannelindex", number)


def _clip_item(
    track: ET.Element,
    cut: Cut,
    cuts: CutList,
    place: Place,
    places: list[Place],
    files: dict[str, str],
) -> None:
    source = cut.source
    rate, in_frame, out_frame = _span(cut, cuts)
    element = ET.SubElement(track, "clipitem", id=place.item_id)
    say(element, "masterclipid", f"masterclip-{source.title_id}")
    say(element, "name", cut.name)
    say(element, "enabled", "TRUE")
    say(element, "duration", length_of(source, rate))
    rate_of(element, rate)
    say(element, "start", cut.record_start - cuts.record_start)
    say(element, "end", cut.record_end - cuts.record_start)
    say(element, "in", in_frame)
    say(element, "out", out_frame)
    file_element(element, source, rate, files)
    if place.kind == "audio":
        taken = ET.SubElement(element, "sourcetrack")
        say(taken, "mediatype", "audio")
        say(taken, "trackindex", place.track)
    if len(places) > 1:
        for other in places:
            _link(element, other)
    _words(element, cut)


def _span(cut: Cut, cuts: CutList) -> tuple[Fraction, int, int]:
    """Return the rate in which a cut's file is counted, and its half-open span in the file."""
    if cut.source.has_picture:
        return cut.source.rate, cut.start_frame, cut.end_frame
    start = round(cut.start_frame * cuts.rate / cut.source.rate)
    return cuts.rate, start, start + cut.record_end - cut.record_start


def _link(element: ET.Element, other: Place) -> None:
    link = ET.SubElement(element, "link")
    say(link, "linkclipref", other.item_id)
    say(link, "mediatype", other.kind)
    say(link, "trackindex", other.track)
    say(link, "clipindex", other.index)
    if other.kind == "audio":
        say(link, "groupindex", 1)


def _words(element: ET.Element, cut: Cut) -> None:
    item = cut.item
    logged = ET.SubElement(element, "logginginfo")
    say(logged, "description", cut.dialogue)
    say(logged, "lognote", item.note)
    if item.colour in LABELS:
        say(ET.SubElement(element, "labels"), "label2", LABELS[item.colour])
    comments = ET.SubElement(element, "comments")
    say(comments, "mastercomment1", cut.source.title)
    say(comments, "mastercomment2", "★" * item.stars)
    say(comments, "mastercomment3", item.query)


def _marker(sequence: ET.Element, cut: Cut, cuts: CutList) -> None:
    """Write a marker over the kept moment, handles left out, where anything was said of it."""
    item = cut.item
    if not is_marked(cut):
        return
    scale = cuts.rate / cut.source.rate
    marked_in = cut.record_start - cuts.record_start + round(cut.head * scale)
    marked_out = cut.record_end - cuts.record_start - round(cut.tail * scale)
    marker = ET.SubElement(sequence, "marker")
    say(marker, "name", marker_name(cut))
    say(marker, "comment", item.note)
    say(marker, "in", marked_in)
    say(marker, "out", max(marked_out, marked_in + 1))
    if item.colour in MARKER_COLOURS:
        colour = ET.SubElement(marker, "color")
        for name, value in zip(
            ("alpha", "red", "green", "blue"), (0, *MARKER_COLOURS[item.colour]), strict=True
        ):
            say(colour, name, value)
