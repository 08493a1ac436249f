"""The player in its dialog: one moment of a list, and from there the one before or after."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import streamlit as st

from app.moment import Moment
from app.views import cards, look, player
from indexer.library import Library
from qdrant.errors import TrimbinError

PLAYING = "playing"
"""Which of the list is played, while the dialog is open."""


def is_open() -> bool:
    """Whether the dialog is open in this session."""
    return PLAYING in st.session_state


def play(
    moments: Sequence[Moment], at: int, library: Library, keep: Callable[[Moment], None]
) -> None:
    """Open the dialog at one of the moments; `keep` is given what somebody keeps of it."""
    st.session_state[PLAYING] = at
    _dialog(moments, library, keep)


def _stopped() -> None:
    st.session_state.pop(PLAYING, None)


@st.dialog("Moment", width="large", on_dismiss=_stopped)
def _dialog(moments: Sequence[Moment], library: Library, keep: Callable[[Moment], None]) -> None:
    at = min(st.session_state.get(PLAYING, 0), len(moments) - 1)
    moment = moments[at]
    offers = [player.ADD]
    offers += [player.PREVIOUS] if at else []
    offers += [player.NEXT] if at + 1 < len(moments) else []
    try:
        chosen = player.play(
            library,
            library.manifest(moment.title_id),
            start_s=moment.start_s,
            end_s=moment.end_s,
            shot=moment.best_shot,
            offers=tuple(offers),
        )
        if chosen and chosen.name == player.ADD:
            kept = replace(moment, start_frame=chosen.start_frame, end_frame=chosen.end_frame)
            keep(kept)
            look.remark(f"Kept: {chosen.end_frame - chosen.start_frame} frames.")
        elif chosen:
            st.session_state[PLAYING] = at + (1 if chosen.name == player.NEXT else -1)
            st.rerun(scope="fragment")
    except TrimbinError as error:
        look.tell(error)
    st.html(
        f'<p class="tb-tc tb-tc-large">{look.text(cards.span_of(moment))}'
        f'<span class="tb-aside">{at + 1} of {len(moments)}</span></p>'
        f"<h3>{look.text(moment.title)}</h3>{cards.dialogue(moment.dialogue)}"
        f"{cards.tags(cards.tags_of(moment))}"
        f'<p class="tb-path">{look.text(moment.path)}</p>'
    )
