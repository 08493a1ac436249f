"""A source in an AAF: its tape, its files and the master clip over them."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from app.export.carried import carried
from app.export.cutlist import Source
from app.export.file_urls import file_url
from indexer.media.tracks import SoundTrack

PCM_BITS = 24
LINE_MAP = [42, 0]
"""Of progressive HD; readers want one and go by the file itself."""

Slots = dict[tuple[str, int], int]


def channel_slots(source: Source) -> Slots:
    """Return a master clip's slots: `("picture", 1)`, `("sound", 1)` ... and the id of each."""
    kinds = [("picture", 1)] * source.has_picture
    kinds += [("sound", channel) for channel in range(1, source.channels + 1)]
    return {kind: slot_id for slot_id, kind in enumerate(kinds, start=1)}


def master_clip(file: Any, source: Source, rate: Fraction) -> Any:
    """Write a source into an AAF and return its master mob.

    A source of sound alone is counted in frames of `rate`, that of the sequence.
    """
    own_rate = source.rate if source.has_picture else rate
    length = max(1, round(source.num_frames * own_rate / source.rate))
    tape = _tape(file, source, length) if source.has_picture else None
    master = file.create.MasterMob(carried(source.title) or source.title_id)
    file.content.mobs.append(master)
    if reel := carried(source.reel):
        master.comments["Reel"] = reel
    if source.has_picture:
        _layer(file, master, _picture_file(file, source, length), tape, own_rate, length, channel=0)
    first = 1
    for sound in source.sounds:
        mob = _sound_file(file, source, sound, Fraction(length) / own_rate)
        for channel in range(first, first + sound.channels):
            _layer(file, master, mob, tape, own_rate, length, channel=channel)
        first += sound.channels
    return master


def _layer(
    file: Any, master: Any, mob: Any, tape: Any, rate: Fraction, length: int, *, channel: int
) -> None:
    """Add a slot to a master mob, under it one of a file, under that the tape's; 0: the picture."""
    kind, number = ("sound", channel) if channel else ("picture", 1)
    under = file.create.SourceClip(length=length, media_kind=kind)
    if tape is not None:
        under = tape.create_source_clip(
            slot_id=channel + 1, start=0, length=length, media_kind=kind
        )
    file_slot = mob.create_timeline_slot(rate)
    file_slot["PhysicalTrackNumber"].value = number
    file_slot.segment = under
    slot = master.create_timeline_slot(rate)
    slot.name = f"{'A' if channel else 'V'}{number}"
    slot["PhysicalTrackNumber"].value = number
    slot.segment = mob.create_source_clip(
        slot_id=file_slot.slot_id, start=0, length=length, media_kind=kind
    )


def _tape(file: Any, source: Source, length: int) -> Any:
    """Return a tape: its name the reel, its timecode that of the file's first frame."""
    tape = file.create.SourceMob(carried(source.reel) or source.title_id)
    tape.descriptor = file.create.TapeDescriptor()
    file.content.mobs.append(tape)
    for channel in range(source.channels + 1):
        slot = tape.create_empty_slot(source.rate, "sound" if channel else "picture")
        slot["PhysicalTrackNumber"].value = channel or 1
        slot.segment.length = length
    timecode = tape.create_timecode_slot(
        source.rate, max(1, round(source.rate)), source.drop_frame, length
    )
    timecode["PhysicalTrackNumber"].value = 1
    timecode.segment.start = source.start_count
    return tape


def _picture_file(file: Any, source: Source, length: int) -> Any:
    descriptor = file.create.CDCIDescriptor()
    descriptor["ComponentWidth"].value = 8
    descriptor["HorizontalSubsampling"].value = 2
    descriptor["ImageAspectRatio"].value = f"{source.width}/{source.height}"
    descriptor["StoredWidth"].value = source.width
    descriptor["StoredHeight"].value = source.height
    descriptor["FrameLayout"].value = "FullFrame"
    descriptor["VideoLineMap"].value = LINE_MAP
    descriptor["SampleRate"].value = source.rate
    descriptor["Length"].value = length
    return _file(file, source, descriptor)


def _sound_file(file: Any, source: Source, sound: SoundTrack, lasts_s: Fraction) -> Any:
    descriptor = file.create.PCMDescriptor()
    block = sound.channels * PCM_BITS // 8
    descriptor["AudioSamplingRate"].value = sound.sample_rate_hz
    descriptor["SampleRate"].value = sound.sample_rate_hz
    descriptor["Channels"].value = sound.channels
    descriptor["QuantizationBits"].value = PCM_BITS
    descriptor["BlockAlign"].value = block
    descriptor["AverageBPS"].value = block * sound.sample_rate_hz
    descriptor["Length"].value = round(lasts_s * sound.sample_rate_hz)
    return _file(file, source, descriptor)


def _file(file: Any, source: Source, descriptor: Any) -> Any:
    locator = file.create.NetworkLocator()
    locator["URLString"].value = file_url(source.path)
    descriptor["Locator"].append(locator)
    mob = file.create.SourceMob(carried(source.title) or source.title_id)
    mob.descriptor = descriptor
    file.content.mobs.append(mob)
    return mob
