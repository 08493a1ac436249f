"""Cut lists made by chance, from a seed, without media: for formats that are read back."""

from __future__ import annotations

import random
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from app.export.cutlist import Cut, CutList, Source
from app.shortlist import COLOURS, Item
from indexer.media.timecode import frames_of, timecode_of
from indexer.media.tracks import SoundTrack

RATES: dict[str, tuple[Fraction, bool]] = {
    "23.976": (Fraction(24000, 1001), False),
    "24": (Fraction(24), False),
    "25": (Fraction(25), False),
    "29.97 NDF": (Fraction(30000, 1001), False),
    "29.97 DF": (Fraction(30000, 1001), True),
    "50": (Fraction(50), False),
    "59.94 NDF": (Fraction(60000, 1001), False),
    "59.94 DF": (Fraction(60000, 1001), True),
}

HOSTILE = (
    'Am & Pm <b> ]]> "quoted" \'n all',
    "bell \x07 null \x00 escape \x1b vertical \x0b unit \x1f end",
    "no character \ufffe \uffff, half a pair \ud83d",
    "emoji 🎬👩‍👩‍👧 and flags 🇳🇴",
    "مشهد المطر ‏ עברית RTL",
    "=cmd|' /C calc'!A0",
    "line\nbreak\r\nand\ttab",
    "long " + "x" * 300,
    "",
)
"""Words that people, or files, may hold against us."""

PATHS = (
    "/Volumes/Films/A001 b#1%20.mov",
    r"S:\Films\a b#%.mov",
    r"\\server\share\Ünïcode & co\ø.mxf",
    '/films/é🎬/]]>&"quoted".mov',
    "/films/" + "y" * 200 + ".mov",
)

STEREO = (SoundTrack(1, "pcm_s24le", 48_000, 2),)
SURROUND = (SoundTrack(1, "aac", 48_000, 6),)
EIGHT_MONO = tuple(SoundTrack(1 + n, "pcm_s24le", 48_000, 1) for n in range(8))
SOUNDS: tuple[tuple[SoundTrack, ...], ...] = (
    (), STEREO, SURROUND, EIGHT_MONO, (*STEREO, *SURROUND), (SoundTrack(0, "aac", 44_100, 1),),
)  # fmt: skip


def make_source(
    number: int,
    rate: Fraction,
    *,
    drop_frame: bool = False,
    start: str | None = "01:00:00:00",
    num_frames: int = 10_000,
    path: str = "",
    title: str = "",
    sounds: tuple[SoundTrack, ...] = STEREO,
    size: tuple[int, int] = (1920, 1080),
) -> Source:
    spelled = start and (start[:-3] + (";" if drop_frame else ":") + start[-2:])
    path = path or f"/films/film {number}.mov"
    return Source(
        title_id=f"00000000-0000-0000-0000-{number:012}",
        title=title or f"Film {number}",
        path=path,
        local=Path("/films") / f"film {number}.mov",
        reel=f"REEL_{number:03}_A long one",
        rate=rate,
        drop_frame=drop_frame,
        start_timecode=spelled,
        start_count=frames_of(spelled, rate=rate) if spelled else 0,
        num_frames=num_frames,
        width=size[0],
        height=size[1],
        sounds=sounds,
        is_online=True,
        metadata={},
    )


def make_list(
    spans: list[tuple[Source, int, int]],
    rate: Fraction,
    *,
    drop_frame: bool = False,
    record_start: str = "01:00:00:00",
    name: str = "Selects",
    handles: tuple[int, int] = (0, 0),
) -> CutList:
    """Return a list with a cut for each `(source, start_frame, end_frame)`, handles included."""
    spelled = record_start[:-3] + (";" if drop_frame else ":") + record_start[-2:]
    begins = at = frames_of(spelled, rate=rate)
    cuts = []
    for number, (source, start_frame, end_frame) in enumerate(spans, start=1):
        length = end_frame - start_frame
        if source.rate != rate:
            length = max(1, round(length * rate / source.rate))
        head, tail = handles
        item = Item(
            item_id=number, list=name, title_id=source.title_id, start_frame=start_frame + head,
            end_frame=end_frame - tail, rate=str(source.rate), title=source.title, note="",
            query="two people laughing", added_at="2026-11-26T12:00:00+00:00",
        )  # fmt: skip
        cuts.append(
            Cut(
                item=item, source=source, name=f"{number:03}_Film", start_frame=start_frame,
                end_frame=end_frame, head=head, tail=tail, record_start=at,
                record_end=at + length, start_s=float(start_frame / source.rate),
                end_s=float(end_frame / source.rate), dialogue="",
            )
        )  # fmt: skip
        at += length
    return CutList(name, rate, drop_frame, begins, tuple(cuts))


def noted(cuts: CutList, *, note: str = "", stars: int = 0, colour: str = "") -> CutList:
    """Return a list whose cuts all have a note, stars and a colour."""
    return replace(
        cuts,
        cuts=tuple(
            replace(cut, item=replace(cut.item, note=note, stars=stars, colour=colour))
            for cut in cuts.cuts
        ),
    )


def random_list(seed: int, rate_name: str) -> CutList:
    """Return one of the many lists that a rate may have: 1 to 12 cuts of 1 to 4 sources."""
    chance = random.Random(f"{rate_name} {seed}")
    rate, drop_frame = RATES[rate_name]
    sources = [_random_source(chance, number, rate, drop_frame) for number in range(1, 5)]
    spans = []
    for _ in range(chance.randint(1, 12)):
        source = chance.choice(sources[: chance.randint(1, 4)])
        start_frame = chance.randrange(source.num_frames - 1)
        longest = min(source.num_frames, start_frame + chance.choice((1, 2, 50, 2000)))
        spans.append((source, start_frame, chance.randint(start_frame + 1, longest)))
    cuts = make_list(
        spans, rate, drop_frame=drop_frame, name=chance.choice(("Selects", *HOSTILE[:4])),
        record_start=chance.choice(("01:00:00:00", "00:00:00:00", "09:59:50:00")),
    )  # fmt: skip
    told = tuple(replace(cut, item=_random_words(chance, cut.item)) for cut in cuts.cuts)
    return replace(cuts, cuts=told)


def _random_source(chance: random.Random, number: int, rate: Fraction, drop_frame: bool) -> Source:
    start_count = chance.choice((0, chance.randrange(20 * 3600 * int(rate))))
    start = timecode_of(start_count, rate=rate, drop_frame=drop_frame)
    return make_source(
        number, rate, drop_frame=drop_frame, start=start,
        num_frames=chance.randint(2, 200_000), path=chance.choice(("", *PATHS)),
        title=chance.choice(HOSTILE), sounds=chance.choice(SOUNDS),
        size=chance.choice(((1920, 1080), (1280, 720), (3840, 2160), (720, 576))),
    )  # fmt: skip


def _random_words(chance: random.Random, item: Item) -> Item:
    return replace(
        item,
        note=chance.choice(HOSTILE),
        query=chance.choice(HOSTILE),
        stars=chance.randint(0, 5),
        colour=chance.choice(("", *COLOURS)),
    )
