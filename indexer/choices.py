"""What somebody chose for a title, and what it is made with where nobody did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

DetectorName = Literal["cascade", "adaptive", "transnet"]
Transcribing = Literal["never", "auto", "always"]
DETECTORS: tuple[DetectorName, ...] = get_args(DetectorName)
TRANSCRIBING: tuple[Transcribing, ...] = get_args(Transcribing)


@dataclass(frozen=True)
class Choices:
    """How a title is made. They are kept with it: what was once asked for is not lost later."""

    detector: DetectorName = "cascade"
    transcribe: Transcribing = "auto"  # auto: where there are no subtitles
    ocr: bool = False  # read what is written in the pictures
    stream: str | None = None  # "v:1,a:0": the main streams; None: we choose

    def kept(self) -> dict[str, Any]:
        """Return the choices as JSON values."""
        return asdict(self)


def choices_of(known: Mapping[str, Any], given: Mapping[str, Any]) -> Choices:
    """Return what a title is made with: what is asked for now, else then, else the default.

    A None that is given says nothing.
    """
    names = {field.name for field in fields(Choices)}
    told = {name: value for name, value in given.items() if value is not None}
    return Choices(**{n: v for n, v in {**known, **told}.items() if n in names})
