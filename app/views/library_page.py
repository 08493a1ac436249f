"""What the library holds, title by title, as it grows; and where titles are added to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from app import page
from app.tell import clock
from app.views import adding_panel, cards, look, title_actions, title_page
from indexer import environment
from indexer.library import Library
from indexer.manifest import Manifest
from qdrant.errors import TrimbinError

LOOK_EVERY_S = 2
MAX_ROWS = 200
"""Titles drawn at once; the filter finds the others."""
CHOICE_PX = 170

ORDERS: dict[str, Callable[[Manifest], tuple[object, ...]]] = {
    "Name": lambda m: (m.title.casefold(),),
    "Newest first": lambda m: _falling(m.indexed_at),
    "Longest first": lambda m: (-m.duration_s,),
    "Most shots first": lambda m: (-m.num_shots,),
    "Year": lambda m: (str(m.metadata.get("year", "9999")), m.title.casefold()),
}
"""In which order titles are listed, by what people call it."""

FACETS: dict[str, Callable[[Manifest], list[str]]] = {
    "Kind": lambda m: [m.kind],
    "Year": lambda m: [str(m.metadata["year"])] if m.metadata.get("year") else [],
    "Genre": cards.genres_of,
    "Language": lambda m: [m.language] if m.language else [],
    "State": lambda m: ["On line" if m.is_online else "Off line"],
}
"""What a title has of each facet."""


@dataclass(frozen=True)
class Wanted:
    """Which titles are to be listed, and in which order."""

    name: str
    chosen: dict[str, list[str]]  # facet -> values, of which a title has one; none: all
    order: str

    def takes(self, manifest: Manifest) -> bool:
        """Whether a title is to be listed."""
        return self.name in manifest.title.casefold() and all(
            not values or set(values) & set(FACETS[facet](manifest))
            for facet, values in self.chosen.items()
        )


def as_page() -> StreamlitPage:
    """Return this page, for the navigation."""
    return st.Page(show, title="Library", url_path="library")


def show() -> None:
    """Draw the library page."""
    if removed := st.session_state.pop(title_actions.REMOVED, None):
        look.remark(f"{removed} has been removed.")
    adding_panel.show(environment.library_root())
    _titles(_wanted())


def _wanted() -> Wanted:
    library = page.find_library()
    titles = library.titles() if library else []
    with st.container(key="facets", horizontal=True, vertical_alignment="bottom"):
        name = st.text_input(
            "Filter titles",
            type="search",
            placeholder="Filter titles by name",
            label_visibility="collapsed",
        )
        chosen = {kind: facet(kind, titles) for kind in FACETS}
        order = st.selectbox(
            "Order",
            list(ORDERS),
            format_func=lambda name: f"Order: {name.lower()}",
            label_visibility="collapsed",
            width=CHOICE_PX,
            key="order",
        )
    return Wanted((name or "").strip().casefold(), chosen, order or "Name")


def facet(name: str, titles: list[Manifest]) -> list[str]:
    """Put a facet in where there is a choice; return what is chosen of it."""
    values = sorted({value for manifest in titles for value in FACETS[name](manifest)})
    if len(values) < 2:
        return []
    return st.multiselect(
        name, values, key=f"facet-{name}", placeholder=name, label_visibility="collapsed",
        width=CHOICE_PX,
    )  # fmt: skip


@st.fragment(run_every=LOOK_EVERY_S)
def _titles(wanted: Wanted) -> None:
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
    found = sorted(filter(wanted.takes, titles), key=ORDERS[wanted.order])
    if not found:
        asked = f"has “{wanted.name}” in its name" if wanted.name else "is like that"
        look.remark(f"No title {asked}." if not any(wanted.chosen.values()) else "No title is so.")
    _rows(found, library)


def _rows(found: list[Manifest], library: Library) -> None:
    rows = (
        cards.title_row(manifest, library, href=title_page.address(manifest.title_id))
        for manifest in found[:MAX_ROWS]
    )
    st.html(f'<div class="tb-rows">{"".join(rows)}</div>')
    if len(found) > MAX_ROWS:
        look.remark(f"{len(found) - MAX_ROWS} more: filter by name to see them.")


def _falling(text: str) -> tuple[int, ...]:
    return tuple(-ord(letter) for letter in text)
