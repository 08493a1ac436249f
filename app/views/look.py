"""How the page looks, and how untrusted words become text on it.

Titles, dialogue and notes come from files and subtitles of anybody's making. They reach the page
through `text` alone, which leaves no markup in them.
"""

from __future__ import annotations

import html
import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from qdrant.errors import TrimbinError

logger = logging.getLogger(__name__)

ICON = Path(__file__).with_name("icon.svg")
LOGO = Path(__file__).with_name("logo.svg")
"""Files of our own: Streamlit would fetch an icon of its set from elsewhere."""

DISCLAIMER = (
    "Trimbin is an independent open implementation of the published MediaFM recipe; "
    "not affiliated with Netflix"
)

THEME: dict[str, Any] = {
    "theme.base": "dark",
    "theme.primaryColor": "#e0a84e",
    "theme.backgroundColor": "#111316",
    "theme.secondaryBackgroundColor": "#1a1d22",
    "theme.textColor": "#e7e9ec",
    "theme.linkColor": "#e0a84e",
    "theme.borderColor": "#2b3037",
    "theme.codeBackgroundColor": "#1a1d22",
    "theme.baseRadius": "0.4rem",
    "theme.baseFontSize": 15,
    "theme.showWidgetBorder": True,
}
"""Streamlit's settings: dark grey, as rooms where films are cut are, and one warm accent."""

TROUBLE = "trouble"
"""Where a callback leaves the sentence of what went wrong, for the next drawing to show."""


def text(words: object) -> str:
    """Return words as HTML that shows just these words."""
    return html.escape(str(words), quote=True)


def sentence(words: object) -> str:
    """Return a sentence as HTML, its `commands` set as code and nothing else as markup."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", text(words))


def dress() -> None:
    """Put the page's own style sheet and its sign in."""
    st.logo(str(LOGO), size="large")
    st.html(f"<style>{_style()}</style>")


def foot() -> None:
    """Put the footer in."""
    st.html(f'<footer class="tb-foot">{text(DISCLAIMER)}.</footer>')


def heading(words: str, aside: str = "") -> None:
    """Put a heading in, with something quieter beside it. Both are plain text."""
    beside = f'<span class="tb-aside">{text(aside)}</span>' if aside else ""
    st.html(f'<h2 class="tb-heading">{text(words)}{beside}</h2>')


def remark(words: str) -> None:
    """Put a quiet sentence in; `commands` in it are set as code."""
    st.html(f'<p class="tb-remark">{sentence(words)}</p>')


def empty(words: str, next_step: str) -> None:
    """Put an empty state in: a sentence, and what to do next."""
    st.html(
        f'<div class="tb-empty"><p class="tb-empty-what">{sentence(words)}</p>'
        f"<p>{sentence(next_step)}</p></div>"
    )


def nothing_indexed(root: Path) -> None:
    """Put in what a library without titles shows, and a folder that is no library yet."""
    empty(
        "Nothing is indexed here yet.",
        f"Run `trimbin index PATH --library {root}`; titles show up here as they are done.",
    )


def tell(error: TrimbinError) -> None:
    """Show an error as its sentence."""
    logger.info("%s", error)
    alert(str(error))


def tell_unexpected(error: Exception) -> bool:
    """Show any error without a traceback; ours as their sentence. Streamlit calls this."""
    if isinstance(error, TrimbinError):
        tell(error)
    else:
        logger.error("the page failed", exc_info=error)
        alert(
            f"Something went wrong that should not have ({type(error).__name__}). The terminal "
            "that runs `trimbin ui` shows where; load the page again to go on."
        )
    return True


def guarded(act: Callable[..., object]) -> Callable[..., None]:
    """Return a callback that leaves its error's sentence for the next drawing."""

    def callback(*args: object, **kwargs: object) -> None:
        try:
            act(*args, **kwargs)
        except TrimbinError as error:
            st.session_state[TROUBLE] = str(error)

    return callback


def tell_trouble() -> None:
    """Show, once, what went wrong in a callback."""
    if trouble := st.session_state.pop(TROUBLE, None):
        alert(trouble)


def alert(words: str) -> None:
    """Put in a sentence that something went wrong."""
    st.html(f'<div class="tb-alert" role="alert">{sentence(words)}</div>')


@st.cache_resource
def _style() -> str:
    sheets = sorted(Path(__file__).parent.glob("style/*.css"))
    return "\n".join(sheet.read_text(encoding="utf-8") for sheet in sheets)
