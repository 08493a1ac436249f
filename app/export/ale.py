"""A cut list as an Avid Log Exchange file: a bin of clips by tape and timecode."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from app.export.assembling import ascii_name
from app.export.carried import carried, saved
from app.export.cutlist import Cut, CutList
from app.export.formats import Options
from indexer.media.timecode import timecode_of
from indexer.progress import Progress
from qdrant.errors import UsageError

COLUMNS = ("Name", "Tracks", "Start", "End", "Duration", "Tape", "FPS", "Source File", "Comments")
HEIGHTS = (720, 1080, 2160)
"""Pictures whose format has a name; `CUSTOM` can keep Avid from importing."""


def write(cuts: CutList, folder: Path, *, options: Options, progress: Progress) -> list[Path]:
    """Write `<name>.ale`. Raises `UsageError` for rates that differ and for sound alone."""
    odd = [s.title for s in cuts.sources if s.rate != cuts.rate or not s.has_picture]
    if odd:
        raise UsageError(
            f"An ALE file has one frame rate and timecode throughout, and {odd[0]!r} does not go "
            "with it. Make a shortlist of each frame rate, and one of what is sound alone."
        )
    lines = [
        "Heading",
        "FIELD_DELIM\tTABS",
        f"VIDEO_FORMAT\t{_video_format(cuts)}",
        "AUDIO_FORMAT\t48khz",
        f"FPS\t{_fps(cuts.rate)}",
        "",
        "Column",
        "\t".join(COLUMNS),
        "",
        "Data",
        *("\t".join(_cell(value) for value in _row(cut)) for cut in cuts.cuts),
    ]
    told = "\n".join(lines) + "\n"
    return [saved(folder / f"{ascii_name(cuts.name)}.ale", told.encode("utf-8", "replace"))]


def _row(cut: Cut) -> tuple[str, ...]:
    source = cut.source
    channels = "".join(f"A{channel}" for channel in range(1, source.channels + 1))
    length = timecode_of(cut.num_frames, rate=source.rate, drop_frame=source.drop_frame)
    return (
        f"{cut.name} {source.title}",
        f"V{channels}",
        cut.source_in,
        cut.source_out,
        length,
        source.reel,
        _fps(source.rate),
        source.file_name,
        cut.item.note,
    )


def _cell(words: str) -> str:
    return " ".join(carried(words).split())


def _fps(rate: Fraction) -> str:
    return f"{float(rate):.3f}".rstrip("0").rstrip(".")


def _video_format(cuts: CutList) -> str:
    height = max(source.height for source in cuts.sources)
    return str(min(HEIGHTS, key=lambda known: abs(known - height)))
