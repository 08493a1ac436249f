"""A shortlist for Avid, and for Premiere and Resolve: AAF that refers to the files, none inside.

A source becomes a tape (its reel, with the file's start timecode), a file for its picture and one
for each of its sounds, and a master clip over them: a slot for the picture, one for each channel.
The sequence takes picture and channels of a cut from the same master clip, which is how Avid
knows them as one.

Written with pyaaf2, which OpenTimelineIO's adapter stands on: the adapter itself takes every rate
that is no whole number for drop-frame, 50 for 60, and gives a source as many tapes as it has cuts.

An AAF counts in the frames of the sequence. Where a source has another rate, or is sound alone, its
in point is rounded to the nearest of those.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aaf2

from app.export.aaf_sources import channel_slots, master_clip
from app.export.assembling import ascii_name
from app.export.carried import carried, saved
from app.export.cutlist import Cut, CutList
from app.export.formats import Options
from app.export.marking import is_marked, marker_name
from indexer.progress import Progress
from qdrant.errors import CannotRunNow, UsageError

UNTITLED = "untitled"
MARKER_COLOURS = {
    "red": (65535, 0, 0), "orange": (65535, 32768, 0), "yellow": (65535, 65535, 0),
    "green": (0, 65535, 0), "cyan": (0, 65535, 65535), "blue": (0, 0, 65535),
    "purple": (32768, 0, 32768), "pink": (65535, 0, 65535),
}  # fmt: skip
"""Red, green and blue, 0..65535, as Avid has them."""


def write(cuts: CutList, folder: Path, *, options: Options, progress: Progress) -> list[Path]:
    """Write a cut list as one `.aaf` file and return it.

    Raises `UsageError` where pyaaf2 refuses it, `CannotRunNow` where the folder cannot be written.
    """
    try:
        content = document(cuts)
    except OSError as error:
        raise CannotRunNow(
            f"The AAF of {cuts.name!r} cannot be written ({error.strerror}). Make room in the "
            "folder for temporary files (TMPDIR)."
        ) from error
    except Exception as error:  # pyaaf2 raises what comes
        raise UsageError(
            f"The shortlist {cuts.name!r} cannot be written as AAF ({error}). Export `xml` or "
            "`edl`, which Avid, Premiere and Resolve read as well."
        ) from error
    path = saved(folder / f"{ascii_name(cuts.name)}.aaf", content)
    progress("AAF", len(cuts.cuts), len(cuts.cuts))
    return [path]


def document(cuts: CutList) -> bytes:
    """Return a cut list as AAF: one composition, with its master clips, files and tapes."""
    with TemporaryDirectory() as folder:  # pyaaf2 completes a file as it closes it, and not before
        path = Path(folder) / "list.aaf"
        with aaf2.open(str(path), "w") as file:
            _composition(file, cuts)
        return path.read_bytes()


def _composition(file: Any, cuts: CutList) -> None:
    masters = {source.title_id: master_clip(file, source, cuts.rate) for source in cuts.sources}
    composition = file.create.CompositionMob(carried(cuts.name) or UNTITLED)
    composition.usage = "Usage_TopLevel"
    file.content.mobs.append(composition)
    _timecode(file, composition, cuts)
    if any(source.has_picture for source in cuts.sources):
        _track(file, composition, cuts, masters, "picture", 1)
    for channel in range(1, max(source.channels for source in cuts.sources) + 1):
        _track(file, composition, cuts, masters, "sound", channel)
    _markers(file, composition, cuts)


def _timecode(file: Any, composition: Any, cuts: CutList) -> None:
    slot = composition.create_timeline_slot(cuts.rate)
    slot.name = "TC1"
    slot["PhysicalTrackNumber"].value = 1
    slot.segment = file.create.Timecode(
        max(1, round(cuts.rate)), drop=cuts.drop_frame, length=cuts.num_frames
    )
    slot.segment.start = cuts.record_start


def _track(
    file: Any, composition: Any, cuts: CutList, masters: dict[str, Any], kind: str, number: int
) -> None:
    """Write a track: of each cut what it has of this kind and number, else filler."""
    is_picture = kind == "picture"
    slot = (
        composition.create_picture_slot(cuts.rate)
        if is_picture
        else composition.create_sound_slot(cuts.rate)
    )
    slot.name = f"{'V' if is_picture else 'A'}{number}"
    slot["PhysicalTrackNumber"].value = number
    total = 0
    for cut in cuts.cuts:
        length = cut.record_end - cut.record_start
        slots = channel_slots(cut.source)
        taken = slots.get((kind, number))
        if taken is None:
            part = file.create.Filler(kind, length)
        else:
            part = masters[cut.source.title_id].create_source_clip(
                slot_id=taken, start=_start(cut, cuts.rate), length=length, media_kind=kind
            )
        slot.segment.components.append(part)
        total += length
    slot.segment.length = total


def _start(cut: Cut, rate: Fraction) -> int:
    """Return where a cut starts in its file, in frames of the sequence."""
    return round(cut.start_frame * rate / cut.source.rate)


def _markers(file: Any, composition: Any, cuts: CutList) -> None:
    """Write a marker on the kept moment's first frame, where anything was said of it."""
    told = [cut for cut in cuts.cuts if is_marked(cut)]
    if not told:
        return
    described = next(slot for slot in composition.slots if slot.name in ("V1", "A1"))
    slot = file.create.EventMobSlot()
    slot.edit_rate = cuts.rate
    slot.slot_id = max(other.slot_id for other in composition.slots) + 1
    slot.name = "Markers"
    slot["PhysicalTrackNumber"].value = described["PhysicalTrackNumber"].value
    composition.slots.append(slot)
    sequence = file.create.Sequence("DescriptiveMetadata")
    sequence["Components"].value = []
    slot.segment = sequence
    for cut in told:
        sequence.components.append(_marker(file, cut, cuts, described.slot_id))


def _marker(file: Any, cut: Cut, cuts: CutList, slot_id: int) -> Any:
    marker = file.create.DescriptiveMarker()
    head = round(cut.head * cuts.rate / cut.source.rate)
    marker["Position"].value = cut.record_start - cuts.record_start + head
    marker["DescribedSlots"].value = {slot_id}
    marker["Length"].value = 1
    words = [marker_name(cut), carried(cut.item.note)]
    marker["Comment"].value = "\n".join(word for word in words if word)
    if cut.item.colour in MARKER_COLOURS:
        red, green, blue = MARKER_COLOURS[cut.item.colour]
        marker["CommentMarkerColor"].value = {"red": red, "green": green, "blue": blue}
    return marker
