"""A moment played in its film: from its in point, on the frame, with what lies around it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from app.playable import needs_proxy
from app.proxy import proxy_for, proxy_span
from app.serve_media import film_address, proxy_address, thumbnail_address
from indexer.library import Library
from indexer.manifest import Manifest
from qdrant.errors import InputError


def play(
    library: Library, manifest: Manifest, *, start_s: float, end_s: float, shot: int | None = None
) -> None:
    """Put a player in that starts at the moment `[start_s, end_s)` and stops after it.

    What the browser cannot play is shown through a proxy. Raises `InputError` where the file has
    gone or no proxy can be made of it.
    """
    if not manifest.is_online:
        raise InputError(
            f"The file of {manifest.title!r} is not at {manifest.path} any more. Put it back, or "
            "index it where it is now."
        )
    start_s, end_s = round(start_s, 3), round(end_s, 3)  # as in the address: one span, one proxy
    stand_in_from_s, _ = proxy_span(manifest, start_s, end_s)
    stand_in = {
        "address": proxy_address(manifest.title_id, start_s, end_s),
        "offset_s": stand_in_from_s,
    }
    sources = [stand_in]
    if needs_proxy(manifest):
        with st.spinner("Making a preview that the browser can play…"):
            proxy_for(library, manifest, start_s, end_s)
    else:
        sources.insert(0, {"address": film_address(manifest.title_id), "offset_s": 0.0})
    _component()(
        key=f"player-{manifest.title_id}-{start_s}-{end_s}",
        data={
            "sources": sources,  # the second is tried where the browser refuses the first
            "start_s": start_s,
            "end_s": end_s,
            "frame_s": float(1 / manifest.frame_rate),
            "has_picture": manifest.width > 0,
            "poster": thumbnail_address(manifest.title_id, shot) if shot is not None else "",
        },
    )


@cache
def _component() -> Any:
    """Return the player, registered once. What it is given as data never becomes markup."""
    html, css, js = (
        Path(__file__).with_name(f"player.{kind}").read_text(encoding="utf-8")
        for kind in ("html", "css", "js")
    )
    return st.components.v2.component("trimbin_player", html=html, css=css, js=js)
