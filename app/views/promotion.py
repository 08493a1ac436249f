"""What helps to advertise the title on the page: moments worth showing, coverage, ad moments."""

from __future__ import annotations

import streamlit as st

from app.views import ads_form, coverage_view, look, moments_form
from indexer.library import Library
from indexer.manifest import Manifest
from qdrant.errors import TrimbinError

TOOLS = {
    "Moments": moments_form.show,
    "Coverage": coverage_view.show,
    "Ad moments": ads_form.show,
}


def show(library: Library, manifest: Manifest, list_name: str) -> None:
    """Draw the tool that is chosen; `list_name` is the shortlist that things are added to."""
    look.heading("Promotion")
    chosen = st.segmented_control(
        "Promotion tool", [*TOOLS], default="Moments", key="promotion", label_visibility="collapsed"
    )
    if chosen is None or not manifest.num_shots:
        return
    try:
        TOOLS[chosen](library, manifest, list_name)
    except TrimbinError as error:
        look.tell(error)
