"""What is said, as SRT: a file for each cut that has words, and one for the record timeline.

Times count from a cut's own first frame, handles included, and in the timeline's file from its
first; a cue that begins before or goes on after is cut off at the border. The words are those of
the track of dialogue that the title was indexed with.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pysubs2

from app.export.assembling import ascii_name
from app.export.cutlist import Cut, CutList, Source
from app.export.footage import manifest_of
from app.export.formats import Options
from app.export.writing import whole
from indexer.progress import Progress
from indexer.words.cues import Cue
from qdrant.errors import UsageError

CUES_FILE = "cues.parquet"
SHORTEST_S = 0.04
"""Less of a cue than a frame lasts is nothing that anybody could read."""
TAG = re.compile(r"<(?=[/!?A-Za-z])")
"""What players take for markup. SRT has no way of saying that it is none."""
TIMES = re.compile(r"(\d:\d\d?:\d\d?)[.,](\d)")
"""A time within a line, which some readers take for the beginning of the next cue."""
ANGLE, BACKSLASH = "\u2039", "\uff3c"
"""What looks like `<` and `\\` and means nothing to players (`{\\an8}` moves a line)."""


def write(cuts: CutList, folder: Path, *, options: Options, progress: Progress) -> list[Path]:
    """Write the files and return them: the timeline's last. A cut without words has none.

    A source that is off line keeps its words: they are in the library. Raises `UsageError` where
    nothing is said at all.
    """
    cues = {source.title_id: cues_of(source) for source in cuts.sources}
    timeline = pysubs2.SSAFile()
    paths: list[Path] = []
    for done, cut in enumerate(cuts.cuts, start=1):
        lines = [_event(cue) for cue in _within(cut, cues[cut.source.title_id])]
        if lines:
            paths.append(_saved(lines, folder / f"{cut.name}.srt"))
        at_s = float((cut.record_start - cuts.record_start) / cuts.rate)
        stretched = float((cut.record_end - cut.record_start) / cuts.rate)
        pace = stretched / (cut.end_s - cut.start_s) if cut.end_s > cut.start_s else 1.0
        timeline.extend(_event(cue, at_s=at_s, pace=pace)
                        for cue in _within(cut, cues[cut.source.title_id]))  # fmt: skip
        progress("subtitles", done, len(cuts.cuts))
    if not paths:
        raise UsageError(f"Nothing is said in any moment of {cuts.name!r}: there are no subtitles.")
    return [*paths, _saved(timeline.events, folder / f"{ascii_name(cuts.name)}_timeline.srt")]


def cues_of(source: Source) -> list[Cue]:
    """Return what is said in a title, in order, in seconds since its first frame."""
    import pandas as pd

    manifest = manifest_of(source)
    if manifest is None or source.folder is None:
        return []
    try:
        rows = pd.read_parquet(source.folder / CUES_FILE)
    except (OSError, ValueError):
        return []
    said = rows[(rows["kind"] == "dialogue") & (rows["text"] != "")]
    # Tracks stand best first; the language tells which one was embedded.
    language = said["language"]
    known = said[language.isna() if manifest.language is None else language == manifest.language]
    said = known if len(known) else said
    if said.empty:
        return []
    first = said.iloc[0]
    chosen = said[(said["track"] == first["track"]) & (said["source"] == first["source"])]
    return [
        Cue(float(row.start_s), float(row.end_s), str(row.text))
        for row in chosen.itertuples(index=False)
    ]


def _within(cut: Cut, cues: list[Cue]) -> Iterator[Cue]:
    """Yield what is said during a cut, counted from its first frame."""
    for cue in cues:
        start_s, end_s = max(cue.start_s, cut.start_s), min(cue.end_s, cut.end_s)
        if end_s - start_s >= min(SHORTEST_S, cue.end_s - cue.start_s) > 0:
            yield Cue(start_s - cut.start_s, end_s - cut.start_s, cue.text)


def _event(cue: Cue, *, at_s: float = 0.0, pace: float = 1.0) -> pysubs2.SSAEvent:
    start, end = (round((at_s + second * pace) * 1000) for second in (cue.start_s, cue.end_s))
    return pysubs2.SSAEvent(start=start, end=end, text=_plain(cue.text))


def _plain(text: str) -> str:
    """Return a line that no player takes for markup, an override or the time of another cue."""
    line = " ".join(text.split()).replace("-->", "→").replace("\\", BACKSLASH)
    return TAG.sub(ANGLE, TIMES.sub(r"\1 \2", line))


def _saved(events: list[pysubs2.SSAEvent], path: Path) -> Path:
    file = pysubs2.SSAFile()
    file.extend(events)
    with whole(path) as part:
        text = file.to_string("srt", keep_ssa_tags=True)
        part.write_text(text, encoding="utf-8", newline="\n")
    return path
