"""Moments and titles as pieces of HTML. Everything that comes from a film is escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from app.moment import Moment, Source
from app.serve_media import thumbnail_address
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


def moment_card(moment: Moment, library: Library) -> str:
    """Return a search result: picture, span, title, score, why, dialogue."""
    return (
        f'<article class="tb-card">{picture(library, moment.title_id, moment.best_shot)}'
        f"{_span(span_of(moment))}"
        f'<h3 title="{text(moment.title)}">{text(moment.title)}</h3>'
        f'<p class="tb-score">score {moment.score:.2f}</p>'
        f"{why(moment.why)}{dialogue(moment.dialogue)}{other_words(moment.sources)}</article>"
    )


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


def why(shares: Mapping[str, float | None]) -> str:
    """Return why a moment matched: a bar and a percentage for each space that had a part in it."""
    had_part = [(space, share) for space, share in shares.items() if share and share >= LEAST_SHARE]
    had_part.sort(key=lambda pair: -pair[1])
    bars = "".join(
        f'<li><span class="tb-space">{text(SPACE_NAMES.get(space, space))}</span>'
        f'<span class="tb-bar"><span style="width:{share:.0%}"></span></span>'
        f'<span class="tb-share">{share:.0%}</span></li>'
        for space, share in had_part
    )
    return f'<ul class="tb-why" aria-label="Why it matched">{bars}</ul>' if bars else ""


def other_words(sources: Sequence[Source]) -> str:
    """Return what is written, told, heard, or said near by, each named as what it is."""
    lines = [
        f'<p class="tb-told">{label} {text(" · ".join(found)[:MAX_DIALOGUE_CHARACTERS])}</p>'
        for kind, label in (
            ("ocr", "On screen:"),
            ("caption", "Told:"),
            ("neighbour", "Said near by:"),
        )
        if (found := [source.text for source in sources if source.kind == kind])
    ]
    return "".join(lines)


def dialogue(words: str) -> str:
    """Return what is said in a moment, as text."""
    if not words:
        return ""
    shown = words[:MAX_DIALOGUE_CHARACTERS]
    more = "…" if len(words) > len(shown) else ""
    return f'<p class="tb-dialogue" title="{text(words)}">“{text(shown)}{more}”</p>'


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
