"""What was understood of a question, as chips that can be taken away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from app.editing import Chip


def show(shown: Sequence[Chip], *, key: str, on_remove: Callable[[str], None]) -> None:
    """Put chips in; `on_remove` is called with a chip's id before the page is drawn again."""

    def tell() -> None:
        removed = (st.session_state.get(key) or {}).get("removed")
        if isinstance(removed, str):
            on_remove(removed)

    _component()(key=key, data=[asdict(chip) for chip in shown], on_removed_change=tell)


@cache
def _component() -> Any:
    """Return the row of chips, registered once. What it is given never becomes markup."""
    css, js = (
        Path(__file__).with_name(f"chips.{kind}").read_text(encoding="utf-8")
        for kind in ("css", "js")
    )
    html = '<ul class="chips" aria-label="What was understood"></ul>'
    return st.components.v2.component("trimbin_chips", html=html, css=css, js=js)
