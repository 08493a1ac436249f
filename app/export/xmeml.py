"""What Final Cut Pro 7 XML says of a file and of time, wherever it does."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from fractions import Fraction

from app.export.carried import carried
from app.export.cutlist import Source
from app.export.file_urls import localhost_url
from indexer.media.timecode import timecode_of
from indexer.media.tracks import SoundTrack

SAMPLE_BITS = 16
"""What files are told to have: their own depth is not known, and readers ask the file itself."""


def length_of(source: Source, rate: Fraction) -> int:
    """Return how long a file is, in frames of a rate."""
    return round(source.num_frames * rate / source.rate)


def file_element(
    element: ET.Element, source: Source, rate: Fraction, files: dict[str, str]
) -> None:
    """Write a file whole where it is named first, and its id alone from then on."""
    if source.title_id in files:
        ET.SubElement(element, "file", id=files[source.title_id])
        return
    files[source.title_id] = file_id = f"file-{len(files) + 1}"
    file = ET.SubElement(element, "file", id=file_id)
    say(file, "name", source.file_name)
    say(file, "pathurl", localhost_url(source.path))
    rate_of(file, rate)
    say(file, "duration", length_of(source, rate))
    if source.has_picture:
        timecode(file, source.start_count, rate, drop_frame=source.drop_frame, reel=source.reel)
    media = ET.SubElement(file, "media")
    if source.has_picture:
        looks = ET.SubElement(ET.SubElement(media, "video"), "samplecharacteristics")
        rate_of(looks, rate)
        say(looks, "width", source.width)
        say(looks, "height", source.height)
    first_channel = 1
    for sound in source.sounds:
        _stream(media, sound, first_channel)
        first_channel += sound.channels


def _stream(media: ET.Element, sound: SoundTrack, first_channel: int) -> None:
    audio = ET.SubElement(media, "audio")
    characteristics = ET.SubElement(audio, "samplecharacteristics")
    say(characteristics, "depth", SAMPLE_BITS)
    say(characteristics, "samplerate", sound.sample_rate_hz)
    say(audio, "channelcount", sound.channels)
    for channel in range(sound.channels):
        element = ET.SubElement(audio, "audiochannel")
        say(element, "sourcechannel", first_channel + channel)
        pair = ("left", "right") if sound.channels == 2 else ("discrete",) * sound.channels
        say(element, "channellabel", pair[channel])


def timecode(
    element: ET.Element, count: int, rate: Fraction, *, drop_frame: bool, reel: str = ""
) -> None:
    """Write a count of frames from midnight as timecode, of a reel where it has one."""
    told = ET.SubElement(element, "timecode")
    rate_of(told, rate)
    say(told, "string", timecode_of(count, rate=rate, drop_frame=drop_frame))
    say(told, "frame", count)
    say(told, "displayformat", "DF" if drop_frame else "NDF")
    if reel:
        say(ET.SubElement(told, "reel"), "name", reel)


def rate_of(element: ET.Element, rate: Fraction) -> None:
    """Write a rate as a whole timebase, and whether it runs 1000/1001 as fast."""
    told = ET.SubElement(element, "rate")
    timebase = max(1, round(rate))
    say(told, "timebase", timebase)
    say(told, "ntsc", "TRUE" if rate == Fraction(timebase * 1000, 1001) else "FALSE")


def say(element: ET.Element, tag: str, value: str | int) -> None:
    """Write an element that holds a word or a number."""
    ET.SubElement(element, tag).text = carried(str(value))
