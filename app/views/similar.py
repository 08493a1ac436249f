"""Titles that are like the one on the page."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from app import page
from app.promotion.similar import ALONE, NO_MODEL
from app.views import cards, look
from indexer.library import Library
from indexer.manifest import Manifest
from indexer.similar import SimilarTitle, similar_titles
from qdrant.schema import CONTEXT

WHAT_IT_MEANS = (
    "Alike is what the context model of this library sums up alike: how titles look, sound and "
    "speak as wholes, beside the library's average (0). It knows nothing of plot, and of few "
    "titles it has learned little."
)


def show(library: Library, manifest: Manifest, address: Callable[[str], str]) -> None:
    """Draw the similar titles; `address` is where a title's own page is."""
    look.heading("Similar titles")
    if CONTEXT not in manifest.spaces:
        look.remark(NO_MODEL)
        return
    found = _found(manifest.title_id, tuple(sorted(page.generations().items())))
    if not found:
        look.remark(ALONE)
        return
    st.html(
        f'<div class="tb-similar">{"".join(_card(one, library, address) for one in found)}</div>'
    )
    look.remark(WHAT_IT_MEANS)


@st.cache_data(max_entries=200, show_spinner=False)
def _found(title_id: str, seen: tuple[tuple[str, str], ...]) -> list[SimilarTitle]:
    """Return similar titles. `seen` is there for the cache: other titles, another answer."""
    return similar_titles(page.library(), title_id)


def _card(one: SimilarTitle, library: Library, address: Callable[[str], str]) -> str:
    manifest = one.manifest
    return (
        f'<a class="tb-like" href="{look.text(address(manifest.title_id))}" target="_self">'
        f"{cards.picture(library, manifest.title_id, manifest.num_shots // 2)}"
        f"<strong>{look.text(manifest.title)}</strong>"
        f"<span>{one.likeness:+.2f}</span></a>"
    )
