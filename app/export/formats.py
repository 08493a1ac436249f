"""The export formats by name, and the one protocol that stands behind them.

A format is a module with a function `write`. It is imported when it is asked for: some bring heavy
libraries along.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from app.export.cutlist import CutList
from indexer.progress import Progress
from qdrant.errors import UsageError


@dataclass(frozen=True)
class Options:
    """What some formats ask beyond the cut list."""

    burn_timecode: bool = False  # into rendered clips
    reencode: bool = False  # rendered clips always anew, never copied
    workers: int | None = None  # how many clips are rendered at once; None: one a core


class Write(Protocol):
    """What a format's module has under the name `write`."""

    def __call__(
        self, cuts: CutList, folder: Path, *, options: Options, progress: Progress
    ) -> list[Path]:
        """Write the cut list into a folder that is there, and return the files, all within it.

        `progress` is called by the thread that calls this, and by no other.

        Raises `UsageError` for what the format cannot say, `InputError` for a source that cannot be
        read, `CannotRunNow` where the folder cannot be written.
        """
        ...


@dataclass(frozen=True)
class Format:
    """An export format as people choose it."""

    name: str
    module: str
    what: str  # for menus and `--help`

    def writer(self) -> Write:
        """Import the format and return its `write`."""
        return cast(Write, import_module(f"app.export.{self.module}").write)


FORMATS: Mapping[str, Format] = {
    name: Format(name, module, what)
    for name, module, what in (
        ("csv", "spreadsheet", "spreadsheet, for people and programs"),
        ("xlsx", "workbook", "Excel workbook"),
        ("json", "document", "everything, for programs"),
        ("otio", "timeline", "OpenTimelineIO"),
        ("edl", "edl", "CMX 3600 edit decision list, eight-character reels"),
        ("edl-long", "edl_long", "the same with whole reel and file names"),
        ("fcpxml", "fcpxml", "Final Cut Pro, Resolve"),
        ("xml", "fcp7", "Final Cut Pro 7 XML: Premiere, Resolve"),
        ("ale", "ale", "Avid Log Exchange: a bin"),
        ("aaf", "aaf", "Avid, Premiere, Resolve"),
        ("markers-premiere", "markers_premiere", "markers of a sequence in Premiere"),
        ("markers-resolve", "markers_resolve", "markers of a timeline in Resolve"),
        ("markers-avid", "markers_avid", "markers of a sequence in Avid Media Composer"),
        ("clips", "clips", "a video file a moment"),
        ("stills", "stills", "a full-size picture a moment"),
        ("contact-pdf", "contact_pdf", "contact sheet to print"),
        ("contact-html", "contact_html", "contact sheet for a browser, in one file"),
        ("subtitles", "subtitles", "what is said in each moment, as SRT"),
    )
}


def format_named(name: str) -> Format:
    """Return a format. Raises `UsageError` for a name that is none."""
    if name not in FORMATS:
        raise UsageError(f"{name!r} is no export format. There are: {', '.join(FORMATS)}.")
    return FORMATS[name]
