"""Labels: a few answers, yes or no, and a classifier that asks on and finds the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from app import page
from app.labels.agreement import agreements
from app.labels.asking import Round, next_round
from app.labels.book import MAX_NAME_CHARACTERS, Labels, Named
from app.labels.names import FEED_TITLES
from app.moment import Moment
from app.parsing import parse
from app.views import cards, grid, label_manage, look, watching
from app.views.shortlist_manage import WHO
from indexer.library import Library
from qdrant.errors import TrimbinError

CHOSEN, WORDS, NEW = "label", "label-words", "label-new"
YES, NO = "yes", "no"
ACTS = (
    grid.Act(grid.PLAY, "Play"),
    grid.Act(YES, "Yes", key="y", is_on_card=True),
    grid.Act(NO, "No", key="n", is_on_card=True),
)
FOUND_AT_ONCE = 12
"""Moments that words find at a time; those answered make way for others."""
LOOKED_THROUGH = 200


def show() -> None:
    """Draw the page of labels."""
    library = page.find_library()
    if library is None or not library.in_use():
        look.empty("There is nothing to label yet.", "Index a title first; `trimbin index PATH`.")
        return
    labels = Labels.of(library, who=st.session_state.get(WHO, ""))
    names = labels.names()
    with st.container(key="choose", horizontal=True, vertical_alignment="bottom"):
        name = _chosen(names) if names else None
        _begin(labels)
        label_manage.show(library, labels, name)
    label_manage.tell_filtering()
    named = labels.look(name) if name else None
    if named is None:
        look.empty(
            "No label has been begun yet.",
            "Begin one, search for what it means, and say yes or no to what comes: after ten "
            "answers it finds more by itself.",
        )
        return
    _label(library, labels, named)


def _chosen(names: Sequence[str]) -> str:
    if st.session_state.get(CHOSEN) not in (None, *names):
        del st.session_state[CHOSEN]  # somebody deleted it
    name = st.selectbox(
        "Label", names, key=CHOSEN, label_visibility="collapsed", bind="query-params"
    )
    return name or names[0]


def _begin(labels: Labels) -> None:
    """Put in what begins a label."""

    def begin() -> None:
        description = st.session_state.get(f"{NEW}-about") or ""
        st.session_state[CHOSEN] = labels.begin(st.session_state.get(NEW) or "", description)
        st.session_state[NEW] = st.session_state[f"{NEW}-about"] = ""

    with st.popover("New label", icon=":material/add:", key="label-begin"):
        st.text_input("Name", key=NEW, max_chars=MAX_NAME_CHARACTERS)
        st.text_input("What it means, for those who answer", key=f"{NEW}-about", max_chars=300)
        st.button("Begin", on_click=look.guarded(begin))


def _label(library: Library, labels: Labels, named: Named) -> None:
    """Draw one label: how far it is, what words find, and what it asks next."""
    pool = page.pool()
    asked = next_round(library, pool, labels, named.name)
    with st.container(key="label-head", horizontal=True, vertical_alignment="center"):
        look.heading(named.name, _state(named, asked))
        st.button("Undo", icon=":material/undo:", disabled=not named.num_answers,
                  on_click=look.guarded(labels.take_back), args=(named.name,))  # fmt: skip
    if named.description:
        look.remark(named.description)
    for one in agreements(labels.answers(named.name)):
        look.remark(one.told)
    words = st.text_input(
        "Search for it", key=WORDS, type="search", placeholder="Search for what it means",
        label_visibility="collapsed",
    )  # fmt: skip
    shown: dict[str, tuple[Moment, Mapping[str, Any]]] = {}
    if words and words.strip():
        found = _found(words.strip(), labels, named.name)
        shown |= _cards(library, found, f"Found by “{words.strip()}”" if found else "")
        if not found:
            look.remark(f"Nothing more is found for “{words.strip()}”.")
    for feed, moments in asked.feeds.items():
        new = [moment for moment in moments if moment.hit_id not in shown]
        shown |= _cards(library, new, FEED_TITLES[feed])
    _grid(library, labels, named.name, shown)


def _state(named: Named, asked: Round) -> str:
    count = f"{named.num_yes} yes, {named.num_no} no"
    if asked.learned is None:
        return f"{count} · {asked.missing}"
    return f"{count} · learned in {asked.took_ms:.0f} ms"


def _found(words: str, labels: Labels, name: str) -> list[Moment]:
    """Return what words find and nobody has answered of yet, best first."""
    answer = page.answer(parse(words, top=LOOKED_THROUGH))
    done = {(a.title_id, a.start_frame, a.end_frame) for a in labels.answers(name)}
    found = [
        moment
        for moment in (*answer.hits, *answer.weak)
        if (moment.title_id, moment.start_frame, moment.end_frame) not in done
    ]
    return found[:FOUND_AT_ONCE]


def _cards(
    library: Library, moments: Sequence[Moment], heading: str
) -> dict[str, tuple[Moment, Mapping[str, Any]]]:
    """Return moments as cards by their ids, the heading above the first."""
    drawn: dict[str, tuple[Moment, Mapping[str, Any]]] = {}
    for place, moment in enumerate(moments):
        card = cards.card_of(moment, library)
        drawn[moment.hit_id] = (moment, card if place else {**card, "heading": heading})
    return drawn


def _grid(
    library: Library,
    labels: Labels,
    name: str,
    shown: Mapping[str, tuple[Moment, Mapping[str, Any]]],
) -> None:
    def act(action: grid.Action) -> None:
        if action.card_id in shown and action.name in (YES, NO):
            moment, _ = shown[action.card_id]
            span = (moment.start_frame, moment.end_frame)
            answer = look.guarded(labels.answer)
            answer(name, moment.title_id, span, holds=action.name == YES)

    picked = grid.show(
        [card for _, card in shown.values()], key="label-grid", actions=ACTS, on_action=act
    )
    if picked and picked.name == grid.PLAY and picked.card_id in shown:
        moments = [moment for moment, _ in shown.values()]
        try:
            watching.play(
                moments, list(shown).index(picked.card_id), library,
                lambda moment: _keep(library, moment, name),
            )  # fmt: skip
        except TrimbinError as error:
            look.tell(error)


def _keep(library: Library, moment: Moment, name: str) -> None:
    label_manage.keep(library, [moment], name)
