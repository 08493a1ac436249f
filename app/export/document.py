"""A cut list as JSON: everything that is known of it, for programs."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

from app.export.assembling import ascii_name
from app.export.carried import saved
from app.export.cutlist import Cut, CutList, Source
from app.export.formats import Options
from indexer.progress import Progress


def write(cuts: CutList, folder: Path, *, options: Options, progress: Progress) -> list[Path]:
    """Write `<name>.json`. Spans are half-open, rates fractions as in `24000/1001`."""
    told = json.dumps(document(cuts), indent=1, ensure_ascii=False)
    return [saved(folder / f"{ascii_name(cuts.name)}.json", told.encode("utf-8", "replace"))]


def document(cuts: CutList) -> dict[str, Any]:
    """Return a cut list as JSON values."""
    return {
        "name": cuts.name,
        "rate": _fraction(cuts.rate),
        "drop_frame": cuts.drop_frame,
        "record_start": cuts.record_timecode(cuts.record_start),
        "notes": list(cuts.notes),
        "sources": [_source(source) for source in cuts.sources],
        "cuts": [_cut(cut, cuts) for cut in cuts.cuts],
    }


def _source(source: Source) -> dict[str, Any]:
    return {
        "title_id": source.title_id,
        "title": source.title,
        "path": source.path,
        "reel": source.reel,
        "rate": _fraction(source.rate),
        "drop_frame": source.drop_frame,
        "start_timecode": source.start_timecode,
        "num_frames": source.num_frames,
        "width": source.width,
        "height": source.height,
        "sounds": [
            {"channels": sound.channels, "sample_rate_hz": sound.sample_rate_hz}
            for sound in source.sounds
        ],
        "metadata": dict(source.metadata),
    }


def _cut(cut: Cut, cuts: CutList) -> dict[str, Any]:
    return {
        "name": cut.name,
        "title_id": cut.source.title_id,
        "start_frame": cut.start_frame,
        "end_frame": cut.end_frame,
        "head": cut.head,
        "tail": cut.tail,
        "source_in": cut.source_in if cut.source.has_picture else None,
        "source_out": cut.source_out if cut.source.has_picture else None,
        "record_in": cuts.record_in(cut),
        "record_out": cuts.record_out(cut),
        "start_s": cut.start_s,
        "end_s": cut.end_s,
        "dialogue": cut.dialogue,
        "note": cut.item.note,
        "stars": cut.item.stars,
        "colour": cut.item.colour,
        "query": cut.item.query,
        "added_at": cut.item.added_at,
        "is_expired": cut.is_expired,
    }


def _fraction(rate: Fraction) -> str:
    return f"{rate.numerator}/{rate.denominator}"
