"""The moments that were kept: watched again, noted, let go, taken away as a spreadsheet."""

from __future__ import annotations

import re

import streamlit as st

from app import page
from app.export.spreadsheet import MIME, to_csv
from app.shortlist import Item, Shortlists, seconds_of
from app.tell import clock
from app.views import cards, look, player
from indexer.library import Library
from indexer.manifest import Manifest
from indexer.media.timecode import Clock
from qdrant.errors import InputError, TrimbinError

CHOSEN = "list"
"""The widget and the part of the address that say which shortlist is shown."""


def show() -> None:
    """Draw the shortlist page."""
    library = page.find_library()
    names = Shortlists.of(library).names() if library else []
    if library is None or not names:
        look.empty("No moment has been kept yet.", "Search, and press `Add` under a moment.")
        return
    shortlists = Shortlists.of(library)
    name = _chosen(names, shortlists, library)
    items = shortlists.items(name)
    spans = (seconds_of(item, library) for item in items)
    seconds = sum(end_s - start_s for start_s, end_s in spans)
    count = "1 moment" if len(items) == 1 else f"{len(items)} moments"
    look.heading(name, f"{count} · {clock(seconds)}")
    with st.container(key="grid-kept"):
        for item in items:
            with st.container(key=f"card-{item.item_id}"):
                _item(item, library, shortlists)


def _chosen(names: list[str], shortlists: Shortlists, library: Library) -> str:
    with st.container(key="choose", horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(
            "Shortlist", names, key=CHOSEN, label_visibility="collapsed", bind="query-params"
        )
        name = name or names[0]
        st.download_button(
            "Download CSV",
            data=lambda: to_csv(shortlists.items(name), library),
            file_name=_file_name(name),
            mime=MIME,
            icon=":material/download:",
            on_click="ignore",
        )
    return name


def _file_name(shortlist: str) -> str:
    return re.sub(r"[^\w -]", "_", shortlist) + ".csv"


def _item(item: Item, library: Library, shortlists: Shortlists) -> None:
    try:
        manifest: Manifest | None = library.manifest(item.title_id)
    except InputError:
        manifest = None
    shot = _shot(item, manifest)
    st.html(
        cards.kept_card(
            library,
            title=manifest.title if manifest else item.title,
            title_id=item.title_id,
            shot=shot,
            span=_span(item, manifest, library),
            aside=f"for “{item.query}”" if item.query else "",
        )
    )
    if manifest and st.button(
        "Play", key=f"play-{item.item_id}", icon=":material/play_arrow:", help="Play"
    ):
        _play(item, manifest, shot, library)
    note = st.text_input(
        "Note",
        value=item.note,
        key=f"note-{item.item_id}",
        placeholder="Note",
        label_visibility="collapsed",
    )
    if note is not None and note != item.note:
        shortlists.annotate(item.item_id, note)
    st.button(
        "Remove",
        key=f"remove-{item.item_id}",
        icon=":material/close:",
        on_click=look.guarded(shortlists.remove),
        args=(item.item_id,),
    )


def _shot(item: Item, manifest: Manifest | None) -> int | None:
    """Return the shot that shows the middle of a kept moment, whose picture stands for it."""
    if manifest is None:
        return None
    middle = (item.start_frame + item.end_frame) // 2
    try:
        return page.shot_at(manifest.title_id, manifest.generation, middle)
    except OSError:  # the title is being removed
        return None


def _span(item: Item, manifest: Manifest | None, library: Library) -> str:
    if manifest:
        timecode = Clock.of(manifest).timecode
        start, end = timecode(item.start_frame), timecode(item.end_frame)
        if start and end:
            return f"{start} – {end}"  # noqa: RUF001
    start_s, end_s = seconds_of(item, library)
    return f"{clock(start_s)} – {clock(end_s)}"  # noqa: RUF001


@st.dialog("Moment", width="large")
def _play(item: Item, manifest: Manifest, shot: int | None, library: Library) -> None:
    start_s, end_s = seconds_of(item, library)
    try:
        player.play(library, manifest, start_s=start_s, end_s=end_s, shot=shot)
    except TrimbinError as error:
        look.tell(error)
    st.html(
        f'<p class="tb-tc tb-tc-large">{look.text(_span(item, manifest, library))}</p>'
        f"<h3>{look.text(manifest.title)}</h3>"
        f'<p class="tb-path">{look.text(manifest.path)}</p>'
    )
