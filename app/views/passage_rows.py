"""Passages of a title as rows: a picture, when, what is to be said of it, and a way to play it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from app.serve_media import thumbnail_address
from app.views import look, player
from indexer.library import Library
from indexer.manifest import Manifest
from qdrant.errors import TrimbinError


@dataclass(frozen=True)
class Row:
    """One passage; its words are plain text."""

    shot: int  # whose picture stands for it
    start_s: float
    end_s: float
    when: str
    told: str


def show(library: Library, manifest: Manifest, rows: Sequence[Row], *, key: str) -> None:
    """Put rows in; `key` tells these from others on the page."""
    with st.container(key=f"passages-{key}"):
        for number, row in enumerate(rows):
            with st.container(
                key=f"passage-{key}-{number}", horizontal=True, vertical_alignment="center"
            ):
                st.html(_described(library, manifest, row))
                if st.button(
                    f"Play {row.when}", key=f"passage-play-{key}-{number}",
                    icon=":material/play_arrow:",
                ):  # fmt: skip
                    _play(library, manifest, row)


def _described(library: Library, manifest: Manifest, row: Row) -> str:
    is_there = library.thumbnail(manifest.title_id, row.shot).is_file()
    address = look.text(thumbnail_address(manifest.title_id, row.shot))
    picture = f'<img src="{address}" alt="" loading="lazy">' if is_there else "<span>sound</span>"
    when, told = look.text(row.when), look.text(row.told)
    said = f'<div><p class="tb-when">{when}</p><p>{told}</p></div>'
    return f'<div class="tb-mini tb-passage">{picture}{said}</div>'


@st.dialog("Passage", width="large")
def _play(library: Library, manifest: Manifest, row: Row) -> None:
    try:
        player.play(library, manifest, start_s=row.start_s, end_s=row.end_s, shot=row.shot)
    except TrimbinError as error:
        look.tell(error)
    st.html(
        f'<p class="tb-tc tb-tc-large">{look.text(row.when)}</p>'
        f"<h3>{look.text(manifest.title)}</h3><p>{look.text(row.told)}</p>"
    )
