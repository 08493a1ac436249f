"""What the library holds, title by title, as it grows."""

from __future__ import annotations

import streamlit as st

from app import page
from app.tell import clock
from app.views import cards, look
from indexer import environment
from qdrant.errors import TrimbinError

LOOK_EVERY_S = 2
MAX_ROWS = 200
"""Titles drawn at once; the filter finds the others."""


def show() -> None:
    """Draw the library page."""
    wanted = st.text_input(
        "Filter titles",
        type="search",
        placeholder="Filter titles by name",
        label_visibility="collapsed",
    )
    _titles((wanted or "").strip().casefold())


@st.fragment(run_every=LOOK_EVERY_S)
def _titles(wanted: str) -> None:
    try:
        library = page.find_library()
        titles = library.titles() if library else []
    except TrimbinError as error:
        look.tell(error)
        return
    if library is None or not titles:
        look.nothing_indexed(environment.library_root())
        return
    shots = sum(manifest.num_shots for manifest in titles)
    length = clock(sum(manifest.duration_s for manifest in titles))
    count = "1 title" if len(titles) == 1 else f"{len(titles)} titles"
    look.heading(count, f"{shots:,} shots · {length} · profile {library.profile.name}")
    found = [manifest for manifest in titles if wanted in manifest.title.casefold()]
    if not found:
        look.remark(f"No title has “{wanted}” in its name.")
    rows = (cards.title_row(manifest, library) for manifest in found[:MAX_ROWS])
    st.html(f'<div class="tb-rows">{"".join(rows)}</div>')
    if len(found) > MAX_ROWS:
        look.remark(f"{len(found) - MAX_ROWS} more: filter by name to see them.")
