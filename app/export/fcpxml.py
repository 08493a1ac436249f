"""A shortlist for Final Cut Pro and Resolve: FCPXML 1.10.

Every time is a rational number of seconds on a frame's edge, as Final Cut demands ("not on an edit
frame boundary"). Where a source has another rate than the sequence, its clip starts on a frame of
the source, lasts whole frames of the sequence, and plays at its own speed: `conform-rate` without
scaling, as Final Cut itself writes it. Sound alone starts on the millisecond, as it was kept.

https://developer.apple.com/documentation/professional-video-applications/fcpxml-reference
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter
from fractions import Fraction
from pathlib import Path

from app.export.assembling import ascii_name
from app.export.carried import carried, laid_out, saved
from app.export.cutlist import Cut, CutList, Source
from app.export.file_urls import file_url
from app.export.formats import Options
from app.export.marking import is_marked, marker_name
from indexer.media.timecode import MILLISECONDS
from indexer.progress import Progress

VERSION = "1.10"
NO_PICTURE = "FFFrameRateUndefined"
"""Final Cut's own format for sound alone."""
USUAL_SIZE = (1920, 1080)
"""Of a sequence whose sources are all sound alone."""
REEL_KEY = "com.apple.proapps.studio.reel"

NAMED_RATES: dict[Fraction, str] = {
    Fraction(24000, 1001): "2398", Fraction(24): "24", Fraction(25): "25",
    Fraction(30000, 1001): "2997", Fraction(30): "30", Fraction(50): "50",
    Fraction(60000, 1001): "5994", Fraction(60): "60",
}  # fmt: skip
NAMED_SIZES: dict[tuple[int, int], str] = {
    (1280, 720): "720p", (1920, 1080): "1080p", (2048, 1080): "2048x1080p",
    (3840, 2160): "3840x2160p", (4096, 2160): "4096x2160p",
}  # fmt: skip
CONFORMED_RATES: dict[Fraction, str] = {
    Fraction(24000, 1001): "23.98", Fraction(24): "24", Fraction(25): "25",
    Fraction(30000, 1001): "29.97", Fraction(30): "30", Fraction(48000, 1001): "47.95",
    Fraction(48): "48", Fraction(50): "50", Fraction(60000, 1001): "59.94", Fraction(60): "60",
}  # fmt: skip
"""What `conform-rate` may say of a source. At any other rate it is left out: Final Cut refuses a
file with another word there, and asks the file itself where there is none."""
SEQUENCE_AUDIO_RATE = "48k"


def write(cuts: CutList, folder: Path, *, options: Options, progress: Progress) -> list[Path]:
    """Write a cut list as one `.fcpxml` file and return it."""
    path = saved(folder / f"{ascii_name(cuts.name)}.fcpxml", document(cuts))
    progress("FCPXML", len(cuts.cuts), len(cuts.cuts))
    return [path]


def document(cuts: CutList) -> bytes:
    """Return a cut list as FCPXML: a library with one event, which holds one project."""
    root = ET.Element("fcpxml", version=VERSION)
    resources = ET.SubElement(root, "resources")
    formats = _formats(cuts, resources)
    assets = {
        source.title_id: _asset(resources, source, f"a{number}", formats[_look(source)])
        for number, source in enumerate(cuts.sources, start=1)
    }
    name = carried(cuts.name)
    event = ET.SubElement(ET.SubElement(root, "library"), "event", name=name)
    sequence = ET.SubElement(
        ET.SubElement(event, "project", name=name), "sequence",
        format=formats[_sequence_look(cuts)],
        duration=seconds(cuts.num_frames, cuts.rate),
        tcStart=seconds(cuts.record_start, cuts.rate),
        tcFormat=_tc_format(cuts.drop_frame),
        audioLayout="surround" if _is_surround(cuts) else "stereo",
        audioRate=SEQUENCE_AUDIO_RATE,
    )  # fmt: skip
    if cuts.notes:
        ET.SubElement(sequence, "note").text = carried("\n".join(cuts.notes))
    spine = ET.SubElement(sequence, "spine")
    for cut in cuts.cuts:
        _clip(spine, cut, cuts, assets[cut.source.title_id], formats[_look(cut.source)])
    return laid_out(root)


def seconds(frames: int, rate: Fraction) -> str:
    """Return a count of frames as FCPXML spells time: `1001/30000s`, `0s`, `3600s`.

    The timescale stays that of the rate, so that a reader sees whole frames.
    """
    numerator, denominator = frames * rate.denominator, rate.numerator
    if numerator % denominator == 0:
        return f"{numerator // denominator}s"
    return f"{numerator}/{denominator}s"


Look = tuple[int, int, Fraction]
"""What a format resource stands for: width and height in pixels, rate."""


def _look(source: Source) -> Look:
    return (source.width, source.height, source.rate) if source.has_picture else (0, 0, source.rate)


def _sequence_look(cuts: CutList) -> Look:
    """Return the size that most cuts have, at the rate of the sequence."""
    sizes = Counter(
        (cut.source.width, cut.source.height) for cut in cuts.cuts if cut.source.has_picture
    )
    width, height = sizes.most_common(1)[0][0] if sizes else USUAL_SIZE
    return width, height, cuts.rate


def _formats(cuts: CutList, resources: ET.Element) -> dict[Look, str]:
    """Write every format that is needed once, and return their ids."""
    looks = dict.fromkeys([_sequence_look(cuts), *(_look(source) for source in cuts.sources)])
    ids = {look: f"f{number}" for number, look in enumerate(looks, start=1)}
    for (width, height, rate), format_id in ids.items():
        element = ET.SubElement(resources, "format", id=format_id)
        if not width:
            element.set("name", NO_PICTURE)
            continue
        size, pace = NAMED_SIZES.get((width, height)), NAMED_RATES.get(rate)
        if size and pace:
            element.set("name", f"FFVideoFormat{size}{pace}")
        element.set("frameDuration", f"{rate.denominator}/{rate.numerator}s")
        element.set("width", str(width))
        element.set("height", str(height))
    return ids


def _asset(resources: ET.Element, source: Source, asset_id: str, format_id: str) -> str:
    asset = ET.SubElement(
        resources, "asset", id=asset_id, name=carried(source.file_name),
        start=seconds(source.start_count, source.rate),
        duration=seconds(source.num_frames, source.rate),
        format=format_id,
    )  # fmt: skip
    if source.has_picture:
        asset.attrib.update(hasVideo="1", videoSources="1")
    if source.sounds:
        asset.attrib.update(
            hasAudio="1", audioSources=str(len(source.sounds)), audioChannels=str(source.channels),
            audioRate=str(source.sounds[0].sample_rate_hz),
        )  # fmt: skip
    ET.SubElement(asset, "media-rep", kind="original-media", src=file_url(source.path))
    metadata = ET.SubElement(asset, "metadata")
    ET.SubElement(metadata, "md", key=REEL_KEY, value=carried(source.reel))
    return asset_id


def _clip(spine: ET.Element, cut: Cut, cuts: CutList, asset_id: str, format_id: str) -> None:
    source = cut.source
    clip = ET.SubElement(
        spine, "asset-clip", ref=asset_id, name=cut.name,
        offset=seconds(cut.record_start, cuts.rate),
        start=seconds(source.start_count + cut.start_frame, source.rate),
        duration=seconds(cut.record_end - cut.record_start, cuts.rate),
        tcFormat=_tc_format(source.drop_frame), format=format_id,
    )  # fmt: skip
    if source.sounds:
        clip.set("audioRole", "dialogue")
    words = [part for part in (cut.item.note, cut.dialogue) if part]
    if words:
        ET.SubElement(clip, "note").text = carried("\n".join(words))
    if source.has_picture and source.rate != cuts.rate and source.rate in CONFORMED_RATES:
        ET.SubElement(
            clip, "conform-rate", scaleEnabled="0", srcFrameRate=CONFORMED_RATES[source.rate]
        )
    _annotations(clip, cut, cuts)
    if source.has_picture:  # Final Cut finds a clip's reel in its own metadata, or in its asset's
        metadata = ET.SubElement(clip, "metadata")
        ET.SubElement(metadata, "md", key=REEL_KEY, value=carried(source.reel))


def _annotations(clip: ET.Element, cut: Cut, cuts: CutList) -> None:
    """Write a marker on the kept moment's first frame, and keywords over it."""
    source, item = cut.source, cut.item
    kept = seconds(source.start_count + cut.start_frame + cut.head, source.rate)
    rate = cuts.rate if source.rate == MILLISECONDS else source.rate
    if is_marked(cut):
        ET.SubElement(
            clip, "marker", start=kept, duration=seconds(1, rate), value=marker_name(cut),
            note=carried(item.note),
        )  # fmt: skip
    stars = f"{item.stars} star{'s' if item.stars > 1 else ''}" if item.stars else ""
    words = [carried(word).replace(",", " ") for word in (cuts.name, item.colour, stars)]
    ET.SubElement(
        clip, "keyword", start=kept,
        duration=seconds(cut.num_frames - cut.head - cut.tail, source.rate),
        value=", ".join(word for word in words if word),
    )  # fmt: skip


def _tc_format(drop_frame: bool) -> str:
    return "DF" if drop_frame else "NDF"


def _is_surround(cuts: CutList) -> bool:
    return any(sound.channels > 2 for source in cuts.sources for sound in source.sounds)
