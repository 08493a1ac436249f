"""The screen that editors keep open: a question, the moments that answer it, the player."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from app import page
from app.moment import Moment
from app.request import Request
from app.search import Answer
from app.shortlist import Pick, Shortlists
from app.views import cards, look, nearby, query_bar, shortlist_page, watching
from indexer import environment
from indexer.library import Library
from qdrant.errors import TrimbinError

PAGES = (24, 96, 240, 500)
"""How many moments are shown; "Show more" goes from one to the next."""

LOOK_EVERY_S = 2
"""How often the page asks whether titles have come or gone."""

EXAMPLES = ("a dog running on a beach", "the hero is alone at night", "we have to leave now")
SAID_ELSEWHERE = frozenset({"Nothing good found.", "Nothing found."})
"""Notes of an answer that the headings here say already."""

NOTHING_GOOD = "Nothing good found; nearest:"
SHOWN = "shown"


def show() -> None:
    """Draw the search page."""
    library = page.find_library()
    titles = library.titles() if library else []
    if library is None or not titles:
        look.nothing_indexed(environment.library_root())
        _follow({})
        return
    asked = query_bar.show(library, titles)
    _follow(page.generations())
    if not asked.text:
        look.empty(
            "Describe a moment: what is seen, what is said.",
            "For example: " + ", ".join(f"“{example}”" for example in EXAMPLES) + ".",
        )
        return
    if asked.request is None:
        return
    request = replace(asked.request, top=_how_many(asked.request))
    with st.spinner("Searching…" if page.is_warm() else "Loading the models, then searching…"):
        answer = page.answer(request, asked.sent)
    _results(answer, library, request.top, asked.keep_in)


def _how_many(request: Request) -> int:
    """Return how many moments to show: more of the same question, the first few of a new one."""
    question, shown = st.session_state.get(SHOWN, (None, PAGES[0]))
    if question != repr(request):
        shown = PAGES[0]
    st.session_state[SHOWN] = (repr(request), shown)
    return int(shown)


def _show_more() -> None:
    question, shown = st.session_state[SHOWN]
    st.session_state[SHOWN] = (question, next((n for n in PAGES if n > shown), PAGES[-1]))


@st.fragment(run_every=LOOK_EVERY_S)
def _follow(seen: dict[str, str]) -> None:
    """Draw the page anew when titles have come or gone, but never under a running player."""
    try:
        changed = page.generations() != seen
    except TrimbinError as error:
        look.tell(error)
        return
    if changed and not watching.is_open():
        st.rerun()


def _results(answer: Answer, library: Library, top: int, keep_in: str) -> None:
    notes = [note for note in answer.notes if note not in SAID_ELSEWHERE]
    if not answer.hits and not answer.weak:
        look.empty(f"Nothing found for “{answer.query}”.", "Try other words, or all titles.")
        _tell(notes)
        return
    _tell(notes)
    kept = {(i.title_id, i.start_frame, i.end_frame) for i in Shortlists.of(library).items(keep_in)}
    found = (*answer.hits, *answer.weak)
    desk = nearby.Desk(library, query=answer.query, keep=lambda moment: _keep(library, moment,
                       keep_in, answer.query), kept=kept)  # fmt: skip
    desk.show_around()
    shown = [cards.card_of(m, library, is_added=desk.is_kept(m)) for m in found]
    if answer.hits and answer.weak:
        shown[len(answer.hits)]["heading"] = "Weaker"
    heading = _count(len(answer.hits)) if answer.hits else NOTHING_GOOD
    desk.show("results", found, shown, heading=heading)
    if len(found) >= top and top < PAGES[-1]:
        st.button("Show more", on_click=_show_more)


def _tell(notes: list[str]) -> None:
    with st.container(key="notes", gap=None):
        for note in notes:
            look.remark(note)


def _keep(library: Library, moment: Moment, keep_in: str, query: str) -> None:
    # A list named and a button pressed in one breath: the button was drawn for the list before.
    keep_in = st.session_state.get(query_bar.KEEP_IN) or keep_in
    pick = Pick(
        title_id=moment.title_id,
        start_frame=moment.start_frame,
        end_frame=moment.end_frame,
        rate=moment.rate,
        title=moment.title,
        query=query,
    )
    Shortlists.of(library).add(keep_in, pick)
    st.session_state[shortlist_page.CHOSEN] = keep_in  # what that page opens with


def _count(moments: int) -> str:
    return "1 moment" if moments == 1 else f"{moments} moments"
