"""A moment played in its film: from its in point, on the frame, with what lies around it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from app.playable import needs_proxy
from app.proxy import proxy_for, proxy_span
from app.serve_media import film_address, proxy_address, still_address, thumbnail_address
from indexer.library import Library
from indexer.manifest import Manifest
from indexer.media.timecode import DROPPED_A_MINUTE, Clock
from qdrant.errors import InputError

SHOTS_AROUND = 8
"""How many shots the bar shows on either side of the moment."""
ADD, PREVIOUS, NEXT = "add", "previous", "next"


@dataclass(frozen=True)
class Chosen:
    """What somebody chose in the player: to keep `[start_frame, end_frame)`, or to go on."""

    name: str  # ADD, PREVIOUS or NEXT
    start_frame: int
    end_frame: int


def play(
    library: Library,
    manifest: Manifest,
    *,
    start_s: float,
    end_s: float,
    shot: int | None = None,
    offers: tuple[str, ...] = (),
    key: str = "player",
) -> Chosen | None:
    """Put a player in that starts at the moment `[start_s, end_s)` and stops after it.

    Returns what was chosen of `offers` (ADD, PREVIOUS, NEXT) just before this run. What the
    browser cannot play is shown through a proxy. Raises `InputError` where the file has gone or no
    proxy can be made of it.
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
    result = _component()(
        key=key,
        data={
            "sources": sources,  # the second is tried where the browser refuses the first
            "start_s": start_s,
            "end_s": end_s,
            "duration_s": manifest.duration_s,
            "frame_s": float(1 / manifest.frame_rate),
            "num_frames": manifest.num_frames,
            "has_picture": manifest.width > 0,
            "poster": thumbnail_address(manifest.title_id, shot) if shot is not None else "",
            "still": still_address(manifest.title_id) if manifest.width else "",
            "clock": clock_of(manifest),
            "shots": _shots_around(library, manifest, start_s, end_s),
            "offers": list(offers),
        },
        on_action_change=lambda: None,
    )
    return _chosen(result.get("action"), offers)


def clock_of(manifest: Manifest) -> dict[str, int] | None:
    """Return what the browser counts timecode by; None for sound alone, which has none."""
    if not manifest.width:
        return None
    clock = Clock.of(manifest)
    dropped = DROPPED_A_MINUTE.get(clock.rate, 0) if clock.drop_frame else 0
    return {"nominal": max(1, round(clock.rate)), "dropped": dropped, "start": clock.start_frame,
            "is_drop": int(clock.drop_frame)}  # fmt: skip


def _chosen(sent: Any, offers: tuple[str, ...]) -> Chosen | None:
    """Return what the browser sent, as far as it was offered and can be."""
    if not isinstance(sent, dict) or sent.get("name") not in offers:
        return None
    frames = [sent.get(name) for name in ("start_frame", "end_frame")]
    if not all(isinstance(frame, int) and frame >= 0 for frame in frames):
        return None
    return Chosen(str(sent["name"]), *(int(frame or 0) for frame in frames))


def _shots_around(
    library: Library, manifest: Manifest, start_s: float, end_s: float
) -> list[tuple[int, int, float, float]]:
    """Return the moment's shots and those around: `(start_frame, end_frame, start_s, end_s)`."""
    try:
        shots = library.shots(manifest.title_id)
    except OSError:  # the title is being removed
        return []
    inside = shots.index[(shots["end_s"] > start_s) & (shots["start_s"] < end_s)]
    if not len(inside):
        return []
    first, last = max(0, inside[0] - SHOTS_AROUND), inside[-1] + SHOTS_AROUND + 1
    near = shots.iloc[first:last]
    return [
        (int(a), int(b), float(c), float(d))
        for a, b, c, d in zip(
            *(near[name] for name in ("start_frame", "end_frame", "start_s", "end_s")), strict=True
        )
    ]


@cache
def _component() -> Any:
    """Return the player, registered once. What it is given as data never becomes markup."""
    html, css, js = (
        Path(__file__).with_name(f"player.{kind}").read_text(encoding="utf-8")
        for kind in ("html", "css", "js")
    )
    return st.components.v2.component("trimbin_player", html=html, css=css, js=js)
