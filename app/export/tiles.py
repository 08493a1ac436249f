"""What a contact sheet shows of a cut: a small picture and what is known of it, in words."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.export.cutlist import Cut, CutList
from app.export.pictures import picture_of, thumbnail_of
from app.shortlist import COLOURS
from indexer.media.timecode import MILLISECONDS
from indexer.progress import Progress
from qdrant.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image

BOX = (640, 360)
"""Pixels that a picture is fitted into: sharp on paper at the size of a tile."""
JPEG_QUALITY = 82
GREY = (96, 96, 96)
SWATCHES = {
    "red": "#d64545", "orange": "#e58a2e", "yellow": "#e3c62b", "green": "#3c9d4e",
    "cyan": "#2fa8b5", "blue": "#3a6fd8", "purple": "#8354c8", "pink": "#d967a5",
}  # fmt: skip
"""A colour for each label (`COLOURS`)."""
assert tuple(SWATCHES) == COLOURS


@dataclass(frozen=True)
class Tile:
    """A cut on a contact sheet. Words are as they were given: whoever shows them escapes them."""

    number: int
    jpeg: bytes
    width: int
    height: int
    title: str
    source_span: str  # timecodes, or seconds of sound alone
    record_span: str
    length: str
    dialogue: str
    note: str
    stars: int  # 0..5
    colour: str  # one of `COLOURS`, or empty
    rights: str


def tiles_of(cuts: CutList, progress: Progress, *, stage: str) -> Iterator[Tile]:
    """Yield a tile a cut. One that is off line has the library's picture, or a grey one."""
    for number, cut in enumerate(cuts.cuts, start=1):
        image = _picture(cut)
        image.thumbnail(BOX)
        jpeg = io.BytesIO()
        image.save(jpeg, format="JPEG", quality=JPEG_QUALITY)
        yield Tile(
            number=number,
            jpeg=jpeg.getvalue(),
            width=image.width,
            height=image.height,
            title=cut.source.title,
            source_span=_span_of(cut),
            record_span=f"{cuts.record_in(cut)} – {cuts.record_out(cut)}",  # noqa: RUF001
            length=_length_of(cut),
            dialogue=cut.dialogue,
            note=cut.item.note,
            stars=cut.item.stars,
            colour=cut.item.colour if cut.item.colour in COLOURS else "",
            rights=_rights_of(cut),
        )
        progress(stage, number, len(cuts.cuts))


def starred(stars: int) -> str:
    """Return stars as they are drawn; nothing where none were given."""
    return "★" * stars + "☆" * (5 - stars) if stars else ""


def summary_of(cuts: CutList) -> str:
    """Return a line about the whole list."""
    seconds = float(cuts.num_frames / cuts.rate)
    rate = f"{float(cuts.rate):.3f}".rstrip("0").rstrip(".")
    moments = "1 moment" if len(cuts.cuts) == 1 else f"{len(cuts.cuts)} moments"
    minutes, rest = divmod(round(seconds), 60)
    return f"{moments}, {minutes}:{rest:02} at {rate} frames a second"


def _picture(cut: Cut) -> Image:
    from PIL import Image

    image = None
    if cut.source.has_picture and cut.source.is_online:
        try:
            image = picture_of(cut)
        except InputError:  # said by whoever renders; a sheet shows what there is
            image = None
    return image or thumbnail_of(cut) or Image.new("RGB", BOX, GREY)


def _span_of(cut: Cut) -> str:
    if cut.source.rate == MILLISECONDS:
        return f"{cut.start_s:.3f} – {cut.end_s:.3f} s"  # noqa: RUF001
    return f"{cut.source_in} – {cut.source_out}"  # noqa: RUF001


def _length_of(cut: Cut) -> str:
    seconds = f"{cut.end_s - cut.start_s:.1f} s"
    handles = f", handles {cut.head} + {cut.tail}" if cut.head or cut.tail else ""
    if cut.source.rate == MILLISECONDS:
        return seconds + handles
    return f"{seconds}, {cut.num_frames} frames{handles}"


def _rights_of(cut: Cut) -> str:
    told = cut.source.metadata
    begins, ends = (str(told.get(name) or "") for name in ("rights_from", "rights_to"))
    window = " – ".join((begins or "…", ends or "…")) if begins or ends else ""  # noqa: RUF001
    places = str(told.get("territories") or "")
    parts = [part for part in (window, places) if part]
    rights = f"Rights: {', '.join(parts)}" if parts else ""
    return f"OUT OF ITS RIGHTS WINDOW. {rights}".strip() if cut.is_expired else rights
