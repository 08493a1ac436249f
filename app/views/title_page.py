"""A title: all its shots over time, what is measured and said, and where a search lights up."""

from __future__ import annotations

from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from app import page
from app.moment import of_shots
from app.parsing import parse
from app.request import Field
from app.tell import clock
from app.timeline import Match, Timeline, matches_of, timeline_of
from app.views import cards, keep, look, player, promotion, similar, title_actions
from indexer.library import Library
from indexer.manifest import Manifest
from indexer.metadata import LISTS
from qdrant.errors import TrimbinError

URL_PATH = "title"
MOST_MATCHES = 1000
"""Moments of the title that light up at most."""
SAID_ELSEWHERE = frozenset({"synopsis", "title", "kind"})
"""Columns of titles.csv that stand in the heading."""


def address(title_id: str, query: str = "") -> str:
    """Return a title's address on this page, with a search that lights up in it."""
    asked = {"id": title_id, **({"q": query} if query else {})}
    return f"/{URL_PATH}?{urlencode(asked)}"


def show() -> None:
    """Draw the page of the title that the address names."""
    library = page.find_library()
    manifest = library.find(_named()) if library else None
    if library is None or manifest is None:
        look.empty("This title is not here.", "Choose one under `Library`.")
        return
    _head(manifest)
    title_actions.tell_if_off_line(manifest)
    query = _asked()
    list_name, matches = _found(library, manifest, query)
    timeline = _timeline(manifest.title_id, manifest.publication)
    acted = _draw(manifest, timeline, matches, query)
    if acted:
        _act(acted, library, manifest, list_name, query)
    _about(manifest)
    promotion.show(library, manifest, list_name)
    similar.show(library, manifest, address)
    title_actions.show(library, manifest)


def _named() -> str:
    """Return the title id in the address, or what cannot be one."""
    from app.serve_media import title_named

    try:
        return title_named(st.query_params.get("id", ""))
    except TrimbinError:
        return "none"


def _head(manifest: Manifest) -> None:
    facts = [manifest.kind, *cards.facts(manifest)]
    st.html(
        f'<header class="tb-title-head"><h2>{look.text(manifest.title)}{cards.badges(manifest)}'
        f'</h2><p class="tb-facts">{" · ".join(map(look.text, facts))}</p>'
        f'<p class="tb-path">{look.text(manifest.path)}</p></header>'
    )
    if synopsis := manifest.metadata.get("synopsis"):
        st.html(f'<p class="tb-synopsis">{look.text(synopsis)}</p>')


def _asked() -> str:
    words = st.text_input(
        "Search in this title",
        key="q",
        type="search",
        placeholder="Search in this title",
        label_visibility="collapsed",
        bind="query-params",
    )
    return (words or "").strip()


def _found(library: Library, manifest: Manifest, query: str) -> tuple[str, list[Match]]:
    """Put in what a search found here; return the shortlist to add to, and the matches."""
    matches: list[Match] = []
    told = ""
    if query:
        request = parse(query, top=MOST_MATCHES).where(Field("title", (manifest.title_id,)))
        with st.spinner("Searching…" if page.is_warm() else "Loading the models, then searching…"):
            answer = page.answer(request)
        matches = matches_of(answer)
        good = sum(match.is_good for match in matches)
        told = f"{good} good, {len(matches) - good} weaker" if matches else "Nothing found here"
    with st.container(key="found", horizontal=True, vertical_alignment="center"):
        look.heading("Shots", told or f"{manifest.num_shots:,}")
        list_name = keep.chosen_list(library)
    return list_name, matches


@st.cache_data(max_entries=20, show_spinner=False)
def _timeline(title_id: str, generation: str) -> Timeline:
    library = page.library()
    return timeline_of(library, library.manifest(title_id))


def _draw(
    manifest: Manifest, timeline: Timeline, matches: list[Match], query: str
) -> dict[str, Any] | None:
    """Draw the timeline; return what was just asked of it: `kind` play or keep, and the `shot`."""
    result = _component()(
        key=f"timeline-{manifest.title_id}",
        data={
            **asdict(timeline),
            "title_id": manifest.title_id,
            "has_picture": manifest.width > 0,
            "asked": query,
            "matches": [asdict(match) for match in matches],
            "chosen": max(matches, key=lambda m: m.score).first if matches else 0,
        },
        on_act_change=lambda: None,
    )
    acted = result.get("act")
    return acted if isinstance(acted, dict) else None


def _act(
    acted: dict[str, Any], library: Library, manifest: Manifest, list_name: str, query: str
) -> None:
    shot = acted.get("shot")
    if not isinstance(shot, int) or not 0 <= shot < manifest.num_shots:
        return
    if acted.get("kind") == "keep":
        keep.keep(library, list_name, [(manifest.title_id, shot)], query=query)
        st.toast(f"Shot {shot + 1} is in {list_name}.")
    else:
        play_shot(library, manifest, shot)


@st.dialog("Shot", width="large")
def play_shot(library: Library, manifest: Manifest, shot: int) -> None:
    """Play a shot in a dialog."""
    timeline = _timeline(manifest.title_id, manifest.publication)
    start_s, end_s = timeline.starts_s[shot], timeline.ends_s[shot]
    try:
        player.play(library, manifest, start_s=start_s, end_s=end_s, shot=shot)
    except TrimbinError as error:
        look.tell(error)
    said = " ".join(line.text for line in timeline.lines if line.shot == shot)
    st.html(
        f'<p class="tb-tc tb-tc-large">{look.text(timeline.timecodes[shot])} · '
        f"{end_s - start_s:.1f} s</p><h3>{look.text(manifest.title)} · shot {shot + 1}</h3>"
        f"{cards.dialogue(said)}{cards.tags(_tags_of(library, manifest, shot))}"
    )


def _tags_of(library: Library, manifest: Manifest, shot: int) -> list[tuple[str, str]]:
    return cards.tags_of(of_shots(library, manifest, shot, shot + 1))


def _about(manifest: Manifest) -> None:
    """Put in what people say of the title, and what it lacks."""
    rows = [
        (name.replace("_", " "), ", ".join(map(str, value)) if name in LISTS else str(value))
        for name, value in manifest.metadata.items()
        if name not in SAID_ELSEWHERE and value
    ]
    rows += [("loudness", f"{manifest.loudness_lufs:.1f} LUFS")] if manifest.loudness_lufs else []
    rows += [("first timecode", manifest.start_timecode)] if manifest.start_timecode else []
    rows += [("length", clock(manifest.duration_s)), ("indexed", manifest.indexed_at)]
    listed = "".join(
        f"<div><dt>{look.text(name)}</dt><dd>{look.text(value)}</dd></div>" for name, value in rows
    )
    notes = "".join(f"<li>{look.sentence(note)}</li>" for note in manifest.notes)
    missing = f"<h4>What is missing</h4><ul class=tb-notes>{notes}</ul>" if notes else ""
    st.html(f'<section class="tb-about"><dl>{listed}</dl>{missing}</section>')


@cache
def _component() -> Any:
    """Return the timeline, registered once. What it is given as data never becomes markup."""
    html, css, js = (
        Path(__file__).with_name(f"timeline.{kind}").read_text(encoding="utf-8")
        for kind in ("html", "css", "js")
    )
    return st.components.v2.component("trimbin_timeline", html=html, css=css, js=js)
