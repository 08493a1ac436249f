"""Words in, moments out: the search box, the grid of moments, the player."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app import page
from app.moment import Moment
from app.parsing import parse
from app.request import Field
from app.search import Answer
from app.shortlist import DEFAULT_LIST, Shortlists
from app.views import cards, grid, look, player, shortlist_page
from indexer import environment
from indexer.library import Library
from indexer.manifest import Manifest
from qdrant.errors import TrimbinError

PAGE_SIZE = 24
"""Moments in the grid; "Show more" adds as many again."""

LOOK_EVERY_S = 2
"""How often the page asks whether titles have come or gone."""

ALL_TITLES = "All titles"
EXAMPLES = ("a dog running on a beach", "the hero is alone at night", "we have to leave now")
SAID_ELSEWHERE = frozenset({"Nothing good found.", "Nothing found."})
"""Notes of an answer that the headings here say already."""

NOTHING_GOOD = "Nothing good found; nearest:"
CHOICE_PX = 240
"""Width of the select boxes."""

KEEP_IN = "shortlist"
PLAYING = "playing"
SHOWN = "shown"


def show() -> None:
    """Draw the search page."""
    library = page.find_library()
    titles = library.titles() if library else []
    if library is None or not titles:
        look.nothing_indexed(environment.library_root())
        _follow({})
        return
    words, title = _asked(titles)
    _follow(page.generations())
    if not words:
        look.empty(
            "Describe a moment: what is seen, what is said.",
            "For example: " + ", ".join(f"“{example}”" for example in EXAMPLES) + ".",
        )
        return
    top = _how_many(words, title)
    with st.spinner("Searching…" if page.is_warm() else "Loading the models, then searching…"):
        of_title = [Field("title", (title,))] if title else []
        answer = page.answer(parse(words, top=top).where(*of_title))
    _results(answer, library, top)


def _asked(titles: list[Manifest]) -> tuple[str, str | None]:
    """Return the words and the title asked for, which the address keeps."""
    names = [ALL_TITLES, *dict.fromkeys(manifest.title for manifest in titles)]
    with st.container(key="ask", horizontal=True, vertical_alignment="bottom"):
        words = st.text_input(
            "Search",
            key="q",
            type="search",
            placeholder="Describe a moment",
            label_visibility="collapsed",
            bind="query-params",
        )
        title = st.selectbox(
            "Title",
            names,
            key="title",
            label_visibility="collapsed",
            bind="query-params",
            width=CHOICE_PX,
        )
    return (words or "").strip(), None if title in (None, ALL_TITLES) else title


def _how_many(words: str, title: str | None) -> int:
    """Return how many moments to show: more of the same question, the first few of a new one."""
    question, shown = st.session_state.get(SHOWN, (None, PAGE_SIZE))
    if question != (words, title):
        shown = PAGE_SIZE
    st.session_state[SHOWN] = ((words, title), shown)
    return int(shown)


def _show_more() -> None:
    question, shown = st.session_state[SHOWN]
    st.session_state[SHOWN] = (question, shown + PAGE_SIZE)


@st.fragment(run_every=LOOK_EVERY_S)
def _follow(seen: dict[str, str]) -> None:
    """Draw the page anew when titles have come or gone, but never under a running player."""
    try:
        changed = page.generations() != seen
    except TrimbinError as error:
        look.tell(error)
        return
    if changed and PLAYING not in st.session_state:
        st.rerun()


def _results(answer: Answer, library: Library, top: int) -> None:
    for note in answer.notes:
        if note not in SAID_ELSEWHERE:
            look.remark(note)
    if not answer.hits and not answer.weak:
        look.empty(f"Nothing found for “{answer.query}”.", "Try other words, or all titles.")
        return
    shortlists = Shortlists.of(library)
    keep_in = _chosen_list(shortlists)
    kept = {(i.title_id, i.start_frame, i.end_frame) for i in shortlists.items(keep_in)}
    moments = {moment.hit_id: moment for moment in (*answer.hits, *answer.weak)}

    def act(action: grid.Action) -> None:
        if action.name == grid.ADD and (moment := moments.get(action.card_id)):
            look.guarded(_keep)(library, moment, keep_in, answer.query)

    picked = grid.show(
        _cards(answer, library, kept),
        key="results",
        heading=_count(len(answer.hits)) if answer.hits else NOTHING_GOOD,
        actions=[act for act in grid.ACTS if act.name in (grid.PLAY, grid.ADD)],
        on_action=act,
    )
    if picked and picked.name == grid.PLAY and picked.card_id in moments:
        st.session_state[PLAYING] = picked.card_id
        _play(moments[picked.card_id], library)
    if len(moments) >= top:
        st.button("Show more", on_click=_show_more)


def _cards(
    answer: Answer, library: Library, kept: set[tuple[str, int, int]]
) -> list[dict[str, Any]]:
    """Return the moments found as cards; the weak ones under a heading of their own."""
    found = [
        cards.card_of(m, library, is_added=(m.title_id, m.start_frame, m.end_frame) in kept)
        for m in (*answer.hits, *answer.weak)
    ]
    if answer.hits and answer.weak:
        found[len(answer.hits)]["heading"] = "Weaker"
    return found


def _chosen_list(shortlists: Shortlists) -> str:
    names = shortlists.names() or [DEFAULT_LIST]
    chosen = st.selectbox(
        "Shortlist to add to; type a name for a new one",
        names,
        format_func=lambda name: f"Add to: {name}",
        key=KEEP_IN,
        accept_new_options=True,
        label_visibility="collapsed",
        width=CHOICE_PX,
        persist_state="session",
    )
    return chosen or names[0]


def _keep(library: Library, moment: Moment, keep_in: str, query: str) -> None:
    # A list named and a button pressed in one breath: the button was drawn for the list before.
    keep_in = st.session_state.get(KEEP_IN) or keep_in
    Shortlists.of(library).add(
        keep_in,
        title_id=moment.title_id,
        start_frame=moment.start_frame,
        end_frame=moment.end_frame,
        rate=moment.rate,
        title=moment.title,
        query=query,
    )
    st.session_state[shortlist_page.CHOSEN] = keep_in  # what that page opens with


def _stopped() -> None:
    st.session_state.pop(PLAYING, None)


@st.dialog("Moment", width="large", on_dismiss=_stopped)
def _play(moment: Moment, library: Library) -> None:
    try:
        player.play(
            library,
            library.manifest(moment.title_id),
            start_s=moment.start_s,
            end_s=moment.end_s,
            shot=moment.best_shot,
        )
    except TrimbinError as error:
        look.tell(error)
    st.html(
        f'<p class="tb-tc tb-tc-large">{look.text(cards.span_of(moment))}</p>'
        f"<h3>{look.text(moment.title)}</h3>{cards.dialogue(moment.dialogue)}"
        f'<p class="tb-path">{look.text(moment.path)}</p>'
    )


def _count(moments: int) -> str:
    return "1 moment" if moments == 1 else f"{moments} moments"
