"""Moments as a grid or a list of cards, drawn in the browser: one component for hundreds of them.

    picked = grid.show(
        [cards.card_of(moment, library) for moment in answer.hits], key="hits", heading="12 moments"
    )
    if picked and picked.name == "play":
        ...

A card is a dictionary, as JSON has it. Of these only `id` must be there:

    id        what an action names the card by
    title     the title's name
    span      in and out, as they are shown
    picture   the address of a picture of this server's; none: a sign for sound
    scrub     [[address, whether it is a sheet of frames], ...]: what the pointer runs through
    score     as text
    why       [[what it was found in, share of the score 0..1], ...], the largest first
    said      dialogue
    told      [[what it is, words], ...]: captions, words on screen
    badges    [[`good`, `bad` or nothing, words], ...]
    is_added  whether it is in the shortlist: it cannot be added again
    heading   a heading that stands before this card
    without   names of actions that this card has not

All of it is shown as text and never becomes markup. `show` returns what was chosen in the run that
follows the choice, and None in any other; `on_action` is called before that run, for what must be
known before the page is drawn. `Enter` and the arrows are the grid's own; an
action's `key` may be any other letter but `c` and `r`, which are Streamlit's, `v` and `?`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

Card = Mapping[str, Any]


@dataclass(frozen=True)
class Act:
    """Something that can be done with a card."""

    name: str
    label: str
    key: str = ""  # one letter, pressed while the card has the focus
    is_on_card: bool = False  # a button on the card; else in the card's menu


@dataclass(frozen=True)
class Action:
    """What somebody chose to do, with which card."""

    name: str
    card_id: str


PLAY, ADD, LIKE, UNLIKE, AROUND, SCENE, MATCH, TITLE = (
    "play", "add", "like", "unlike", "around", "scene", "match", "title",
)  # fmt: skip

ACTS = (
    Act(PLAY, "Play"),  # the picture itself, and Enter
    Act(ADD, "Add", key="a", is_on_card=True),
    Act(LIKE, "More like this", key="m", is_on_card=True),
    Act(UNLIKE, "Less like this", key="l"),
    Act(AROUND, "What comes before and after", key="b"),
    Act(SCENE, "Same scene", key="s"),
    Act(MATCH, "Match cut", key="f"),
    Act(TITLE, "Open the title", key="t"),
)


def show(
    shown: Sequence[Card],
    *,
    key: str,
    heading: str = "",
    actions: Sequence[Act] = ACTS,
    on_action: Callable[[Action], None] | None = None,
) -> Action | None:
    """Put a grid of cards in; return what was just chosen to be done with one of them."""

    def tell() -> None:
        if on_action and (action := _action(st.session_state.get(key))):
            on_action(action)

    result = _component()(
        key=key,
        data={"cards": list(shown), "acts": [asdict(act) for act in actions], "heading": heading},
        on_action_change=tell,
    )
    return _action(result)


def _action(result: Any) -> Action | None:
    """Return what the browser sent as an action, or None where it sent none."""
    sent = result.get("action") if result else None
    if not isinstance(sent, dict):
        return None
    return Action(str(sent.get("name", "")), str(sent.get("id", "")))


@cache
def _component() -> Any:
    """Return the grid, registered once."""
    html, css, js = (
        Path(__file__).with_name(f"grid.{kind}").read_text(encoding="utf-8")
        for kind in ("html", "css", "js")
    )
    return st.components.v2.component("trimbin_grid", html=html, css=css, js=js)
