"""A cut list as an OpenTimelineIO timeline, from which its adapters write other formats.

Source ranges are on the source's own timecode, as OpenTimelineIO has it: a file whose first frame
is 10:00:00:00 has an available range that begins there. Where a source has another rate than the
timeline, a clip begins at a frame of the source and lasts whole frames of the timeline.
"""

from __future__ import annotations

from typing import Any

import opentimelineio as otio

from app.export.carried import carried
from app.export.cutlist import Cut, CutList, Source
from app.export.file_urls import file_url
from app.export.marking import is_marked, marker_name

NAMESPACE = "trimbin"
"""The key of our metadata, beside those of other programs."""


def timeline_of(cuts: CutList) -> otio.schema.Timeline:
    """Return a cut list as a timeline: a picture track, and a sound track for each of the sources'.

    All tracks have the same length; gaps stand where a cut has no picture, or fewer sounds than
    others. Clips of one cut have the same name.
    """
    timeline = otio.schema.Timeline(
        carried(cuts.name),
        global_start_time=otio.opentime.RationalTime(cuts.record_start, float(cuts.rate)),
    )
    timeline.metadata[NAMESPACE] = {
        "rate": str(cuts.rate),
        "drop_frame": cuts.drop_frame,
        "record_start": cuts.record_timecode(cuts.record_start),
        "notes": [carried(note) for note in cuts.notes],
    }
    if any(source.has_picture for source in cuts.sources):
        picture = otio.schema.Track("V1", kind=otio.schema.TrackKind.Video)
        for cut in cuts.cuts:
            part = _part(cuts, cut, cut.source.has_picture)
            part.markers.extend(_markers(cut))
            picture.append(part)
        timeline.tracks.append(picture)
    for number in range(max(len(source.sounds) for source in cuts.sources)):
        sound = otio.schema.Track(f"A{number + 1}", kind=otio.schema.TrackKind.Audio)
        sound.extend([_part(cuts, cut, number < len(cut.source.sounds)) for cut in cuts.cuts])
        timeline.tracks.append(sound)
    return timeline


def _part(cuts: CutList, cut: Cut, is_there: bool) -> otio.schema.Clip | otio.schema.Gap:
    lasts = otio.opentime.RationalTime(cut.record_end - cut.record_start, float(cuts.rate))
    if not is_there:
        return otio.schema.Gap(duration=lasts)
    source = cut.source
    begins = otio.opentime.RationalTime(source.start_count + cut.start_frame, float(source.rate))
    return otio.schema.Clip(
        cut.name,
        media_reference=_reference(source),
        source_range=otio.opentime.TimeRange(begins, lasts),
        metadata={NAMESPACE: _told(cut)},
    )


def _reference(source: Source) -> otio.schema.ExternalReference:
    rate = float(source.rate)
    reference = otio.schema.ExternalReference(
        target_url=file_url(source.path),
        available_range=otio.opentime.TimeRange(
            otio.opentime.RationalTime(source.start_count, rate),
            otio.opentime.RationalTime(source.num_frames, rate),
        ),
        metadata={
            NAMESPACE: {
                "title_id": source.title_id,
                "title": carried(source.title),
                "reel": carried(source.reel),
                "rate": str(source.rate),
                "drop_frame": source.drop_frame,
                "start_timecode": source.start_timecode,
                "channels": [sound.channels for sound in source.sounds],
            }
        },
    )
    reference.name = carried(source.file_name)
    return reference


def _told(cut: Cut) -> dict[str, Any]:
    item = cut.item
    return {
        "title": carried(cut.source.title),
        "reel": carried(cut.source.reel),
        "start_frame": cut.start_frame,
        "end_frame": cut.end_frame,
        "head": cut.head,
        "tail": cut.tail,
        "note": carried(item.note),
        "query": carried(item.query),
        "stars": item.stars,
        "colour": item.colour,
        "dialogue": carried(cut.dialogue),
        "is_expired": cut.is_expired,
    }


def _markers(cut: Cut) -> list[otio.schema.Marker]:
    """Return a marker over the kept moment, handles left out, where anything was said of it."""
    item = cut.item
    if not cut.source.has_picture or not is_marked(cut):
        return []
    rate = float(cut.source.rate)
    kept = otio.opentime.TimeRange(
        otio.opentime.RationalTime(cut.source.start_count + cut.start_frame + cut.head, rate),
        otio.opentime.RationalTime(cut.num_frames - cut.head - cut.tail, rate),
    )
    colour = item.colour.upper() or otio.schema.MarkerColor.WHITE
    return [
        otio.schema.Marker(
            name=marker_name(cut),
            marked_range=kept,
            color=colour,
            metadata={NAMESPACE: {"stars": item.stars, "note": carried(item.note)}},
        )
    ]
