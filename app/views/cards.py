"""Moments as cards of the grid; kept moments and titles as pieces of HTML, all of it escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from app.moment import Moment, Source
from app.serve_media import sheet_address, thumbnail_address
from app.tell import clock
from app.views.look import sentence, text
from indexer.keeping import is_to_be_indexed_again
from indexer.library import Library
from indexer.manifest import Manifest

SPACE_NAMES = {
    "video": "Picture",
    "audio": "Sound",
    "sound": "Kind of sound",
    "text": "Dialogue",
    "line": "Exact words",
    "context": "Context",
}
"""What people call the spaces that a moment was found in."""

LEAST_SHARE = 0.005
"""A smaller part in a moment's score is not shown: it would read 0%."""

MAX_DIALOGUE_CHARACTERS = 160
MOST_TAGS = 6
"""Tags that a card has room for."""
TAG_FIELDS = {"tone": "tone", "genre": "clipgenre", "label": "label"}
"""What asks for a tag of each group, in the order in which a card shows them."""
SEEN_ONLY = "match"
"""What sound alone cannot be asked for: another picture."""


def card_of(moment: Moment, library: Library, *, is_added: bool = False) -> dict[str, Any]:
    """Return a search result as a card of the grid: plain text and addresses of this server."""
    is_there = library.thumbnail(moment.title_id, moment.best_shot).is_file()
    manifest = library.manifest(moment.title_id)
    badges = [] if manifest.is_online else [("bad", "off line")]
    badges += [("", f"+{moment.repeats} alike")] if moment.repeats else []
    return {
        "id": moment.hit_id,
        "title": moment.title,
        "span": span_of(moment),
        "picture": thumbnail_address(moment.title_id, moment.best_shot) if is_there else "",
        "scrub": scrubbed(library, manifest, moment.shots) if is_there else [],
        "score": f"{moment.score:.2f}" if moment.score else "",
        "why": [(SPACE_NAMES.get(space, space), share) for space, share in parts_of(moment.why)],
        "said": shortened(moment.dialogue),
        "told": told(moment.sources),
        "tags": tags_of(moment)[:MOST_TAGS],
        "badges": badges,
        "is_added": is_added,
        "without": [] if manifest.width else [SEEN_ONLY],
    }


def scrubbed(
    library: Library, manifest: Manifest, shots: tuple[int, int]
) -> list[tuple[str, bool]]:
    """Return the pictures of shots `[first, end)` to run through: sheets, where they were made.

    Each comes with whether it is a sheet; titles indexed before there were any have one picture
    a shot.
    """
    if not manifest.width:
        return []
    title_id = manifest.title_id
    return [
        (sheet_address(title_id, shot), True)
        if library.sheet(title_id, shot).is_file()
        else (thumbnail_address(title_id, shot), False)
        for shot in range(*shots)
    ]


def title_row(manifest: Manifest, library: Library, *, href: str) -> str:
    """Return a title of the library: what it is, and what it lacks; its name leads to `href`."""
    said = [str(manifest.metadata[name]) for name in ("year",) if manifest.metadata.get(name)]
    shown = [*facts(manifest), manifest.kind, *said, *genres_of(manifest)]
    notes = "".join(f"<li>{sentence(note)}</li>" for note in manifest.notes)
    link = text(href)
    return (
        f'<article class="tb-row"><a href="{link}" target="_self" tabindex="-1">'
        f"{picture(library, manifest.title_id, manifest.num_shots // 2)}</a>"
        f'<div class="tb-row-body"><h3><a href="{link}" target="_self">{text(manifest.title)}</a>'
        f"{badges(manifest)}</h3>"
        f'<p class="tb-facts">{" · ".join(text(fact) for fact in shown)}</p>'
        f'<p class="tb-path">{text(manifest.path)}</p>'
        f"{f'<ul class=tb-notes>{notes}</ul>' if notes else ''}</div></article>"
    )


def facts(manifest: Manifest) -> list[str]:
    """Return what a title is in numbers, and its language."""
    shots = "1 shot" if manifest.num_shots == 1 else f"{manifest.num_shots} shots"
    told = [shots, clock(manifest.duration_s)]
    if manifest.width:
        told += [f"{manifest.width} x {manifest.height}", f"{fps(manifest.rate)} fps"]
    return [*told, *([manifest.language] if manifest.language else [])]


def badges(manifest: Manifest) -> str:
    """Return a title's state, as small marks."""
    marks = [
        *([] if manifest.is_online else [("tb-bad", "offline")]),
        *([("tb-bad", "incomplete")] if manifest.partial else []),
        *([("tb-bad", "index again")] if is_to_be_indexed_again(manifest) else []),
        ("tb-good", "in context") if "context" in manifest.spaces else ("", "no context yet"),
    ]
    return "".join(f'<span class="tb-badge {kind}">{text(words)}</span>' for kind, words in marks)


def genres_of(manifest: Manifest) -> list[str]:
    """Return a title's genres, as titles.csv says."""
    return [str(genre) for genre in manifest.metadata.get("genres", ())]


def picture(library: Library, title_id: str, shot: int) -> str:
    """Return a shot's picture, or a sign for sound where there is none."""
    if not library.thumbnail(title_id, shot).is_file():
        return _no_picture("no picture")
    address = text(thumbnail_address(title_id, shot))
    return f'<div class="tb-frame"><img src="{address}" alt="" loading="lazy"></div>'


def parts_of(shares: Mapping[str, float | None]) -> list[tuple[str, float]]:
    """Return the spaces that had a part in a moment's score, each with its share, largest first."""
    had_part = [(space, share) for space, share in shares.items() if share and share >= LEAST_SHARE]
    return sorted(had_part, key=lambda pair: -pair[1])


def tags_of(moment: Moment) -> list[tuple[str, str]]:
    """Return a moment's tags, each after what asks for it: `("tone", "creepy")`."""
    return [
        (asked, name) for group, asked in TAG_FIELDS.items() for name in moment.tags.get(group, ())
    ]


def told(sources: Sequence[Source]) -> list[tuple[str, str]]:
    """Return what is written, told, heard, or said near by, each after what it is."""
    return [
        (label, shortened(" · ".join(found)))
        for kind, label in (
            ("ocr", "On screen:"),
            ("caption", "Told:"),
            ("neighbour", "Said near by:"),
        )
        if (found := [source.text for source in sources if source.kind == kind])
    ]


def shortened(words: str) -> str:
    """Return words as a card has room for them."""
    return words if len(words) <= MAX_DIALOGUE_CHARACTERS else words[:MAX_DIALOGUE_CHARACTERS] + "…"


def dialogue(words: str) -> str:
    """Return what is said in a moment, as text."""
    if not words:
        return ""
    return f'<p class="tb-dialogue" title="{text(words)}">“{text(shortened(words))}”</p>'


def tags(told: Sequence[tuple[str, str]]) -> str:
    """Return tags as small marks, each after what asks for it."""
    marks = "".join(
        f'<li class="tb-tag-{asked}" title="{text(f"{asked}:{name}")}">{text(name)}</li>'
        for asked, name in told
    )
    return f'<ul class="tb-tags" aria-label="Tags">{marks}</ul>' if marks else ""


def span_of(moment: Moment) -> str:
    """Return a moment's in and out: timecode, or the clock for sound alone."""
    if moment.start_tc and moment.end_tc:
        return f"{moment.start_tc} – {moment.end_tc}"  # noqa: RUF001
    return f"{clock(moment.start_s)} – {clock(moment.end_s)}"  # noqa: RUF001


def fps(rate: str) -> str:
    """Return a rate as people write it: `25`, `23.976`."""
    return f"{float(Fraction(rate)):.3f}".rstrip("0").rstrip(".")


def _span(words: str) -> str:
    return f'<p class="tb-tc">{text(words)}</p>'


def _no_picture(words: str) -> str:
    return f'<div class="tb-frame tb-frame-none"><span>{text(words)}</span></div>'
