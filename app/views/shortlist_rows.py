"""The rows of a shortlist: moved, trimmed and marked in the browser, by mouse, finger or keyboard.

What somebody does arrives as acts with ascending numbers. They are sent until the page says that
they are done, and each is done once.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from app import page
from app.places import frame_of
from app.serve_media import thumbnail_address
from app.shortlist import COLOURS, Item, Shortlist, Shortlists, seconds_of
from app.shortlists.timing import points_of
from indexer.library import Library
from indexer.manifest import Manifest
from qdrant.errors import InputError, TrimbinError, UsageError

KEY = "shortlist-rows"
PLAYING = "playing-kept"
"""Which kept moment is to be played."""
SAID = "shortlist-said"
"""What came of the last acts: a sentence, whether it is trouble, whether undo is at hand."""


def rows(shortlist: Shortlist, library: Library, shortlists: Shortlists) -> None:
    """Draw a list's rows; what is done to them is done to the list."""
    manifests = {title_id: _manifest(library, title_id) for title_id in
                 {item.title_id for item in shortlist.items}}  # fmt: skip
    said, is_trouble, offers_undo = st.session_state.get(SAID, ("", False, False))
    _component()(
        key=KEY,
        data={
            "list": shortlist.name,
            "items": [
                _told(number, item, manifests[item.title_id], library)
                for number, item in enumerate(shortlist.items, start=1)
            ],
            "colours": list(COLOURS),
            "done": dict(st.session_state.get(f"{KEY}-done", {})),
            "said": said,
            "is_trouble": is_trouble,
            "offers_undo": offers_undo,
        },
        default={"outbox": None},
        on_outbox_change=lambda: _take(library, shortlists),
    )


def _take(library: Library, shortlists: Shortlists) -> None:
    """Do what is in the outbox and was not done yet."""
    state = st.session_state.get(KEY)
    outbox = state.get("outbox") if state else None
    if not isinstance(outbox, Mapping):
        return
    client, done = str(outbox.get("client", "")), _done()
    for act in outbox.get("acts", []):
        if act["seq"] <= done.get(client, 0):
            continue
        done[client] = act["seq"]  # first: an act that fails is not tried for ever
        try:
            said = _do(act, library, shortlists)
            st.session_state[SAID] = (said, False, act["kind"] == "remove")
        except TrimbinError as error:
            st.session_state[SAID] = (str(error), True, False)
    st.session_state[f"{KEY}-done"] = {client: done.get(client, 0)}


@st.cache_resource
def _done() -> dict[str, int]:
    """Return the number of the last act done, by browser: it outlives a session that is renewed."""
    return {}


def _do(act: Mapping[str, Any], library: Library, shortlists: Shortlists) -> str:
    """Do one act. Returns what there is to say about it."""
    if act["kind"] == "undo":
        what = shortlists.undo(str(act["list"]))
        return f"Undone: {what}" if what else "There is nothing to undo."
    item = shortlists.item(int(act["id"]))
    if item is None:
        raise UsageError(f"That moment was removed meanwhile{_lost(act)}. Undo brings it back.")
    item_id = item.item_id
    match act["kind"]:
        case "move":
            before = act["before"]
            shortlists.move(item_id, before=None if before is None else int(before))
        case "shift":
            shortlists.move(item_id, by=int(act["by"]))
        case "note":
            shortlists.annotate(item_id, str(act["text"]))
        case "star":
            shortlists.star(item_id, int(act["stars"]))
        case "colour":
            shortlists.colour(item_id, str(act["colour"]))
        case "remove":
            shortlists.remove(item_id)
            return f"Removed {item.title}."
        case "play":
            st.session_state[PLAYING] = item_id
        case "nudge" | "trim":
            _trim(act, item, library, shortlists)
    return ""


def _lost(act: Mapping[str, Any]) -> str:
    return f"; your note was: {act['text']}" if act["kind"] == "note" else ""


def _trim(act: Mapping[str, Any], item: Item, library: Library, shortlists: Shortlists) -> None:
    manifest = _manifest(library, item.title_id)
    num_frames = manifest.num_frames if manifest else None
    is_in = act["edge"] == "in"
    if act["kind"] == "nudge":
        by = int(act["by"])
        shortlists.nudge(item.item_id, num_frames=num_frames, start_by=by if is_in else 0,
                         end_by=0 if is_in else by)  # fmt: skip
        return
    if manifest is None:
        raise UsageError(f"{item.title} has gone from the library: trim it by frames.")
    frame = frame_of(str(act["text"]), manifest, library)
    shortlists.trim(item.item_id, num_frames=num_frames, start_frame=frame if is_in else None,
                    end_frame=None if is_in else frame)  # fmt: skip


def _told(
    number: int, item: Item, manifest: Manifest | None, library: Library
) -> dict[str, str | int | bool]:
    """Return what a row shows of a moment, as text."""
    start, end = points_of(item, library)
    start_s, end_s = seconds_of(item, library)
    is_online = manifest is not None and manifest.is_online
    missing = "" if is_online else "Off line" if manifest else "Gone from the library"
    origin = f"for “{item.query}”" if item.query else ""
    by = f"by {item.added_by}" if item.added_by else ""
    return {
        "id": item.item_id,
        "number": number,
        "title": manifest.title if manifest else item.title,
        "start": start,
        "end": end,
        "length": f"{end_s - start_s:.2f} s",
        "note": item.note,
        "stars": item.stars,
        "colour": item.colour,
        "aside": " · ".join(part for part in (missing, origin, by) if part),
        "is_online": is_online,
        "picture": _picture(item, manifest, library),
    }


def _picture(item: Item, manifest: Manifest | None, library: Library) -> str:
    """Return the address of the picture of the shot that a moment's middle lies in, or nothing."""
    shot = shot_of(item, manifest)
    if shot is None or not library.thumbnail(item.title_id, shot).is_file():
        return ""
    return thumbnail_address(item.title_id, shot)


def shot_of(item: Item, manifest: Manifest | None) -> int | None:
    """Return the shot that shows the middle of a kept moment, whose picture stands for it."""
    if manifest is None:
        return None
    middle = (item.start_frame + item.end_frame) // 2
    try:
        return page.shot_at(manifest.title_id, manifest.generation, middle)
    except OSError:  # the title is being removed
        return None


def _manifest(library: Library, title_id: str) -> Manifest | None:
    try:
        return library.manifest(title_id)
    except InputError:
        return None


@cache
def _component() -> Any:
    """Return the rows, registered once. What they are given as data never becomes markup."""
    html, css, js = (
        Path(__file__).with_name(f"shortlist_rows.{kind}").read_text(encoding="utf-8")
        for kind in ("html", "css", "js")
    )
    return st.components.v2.component("trimbin_shortlist_rows", html=html, css=css, js=js)
