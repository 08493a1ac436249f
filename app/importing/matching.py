"""A select of another program -> a title of the library and a half-open span of its frames."""

from __future__ import annotations

import ntpath
import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from urllib.parse import unquote

from app.importing.selects import At, Select
from indexer.library import Library
from indexer.manifest import Manifest
from indexer.media.timecode import MILLISECONDS, Clock, frames_of
from qdrant.errors import InputError, UsageError

MAX_HANDLE_FRAMES = 48
"""How far past a title's edge a span may reach and be clamped: the longest handles in use."""

REEL_CHARACTERS = 8  # of a CMX 3600 reel


@dataclass(frozen=True)
class Match:
    """Where a select lies: frames `[start_frame, end_frame)` of a title."""

    title: Manifest
    start_frame: int
    end_frame: int
    clamped: int = 0  # frames that were cut off at the title's edges


@dataclass(frozen=True)
class _Named:
    """The names a title answers to, in small letters."""

    title: Manifest
    name: str
    file: str
    stem: str
    reel: str

    @property
    def reels(self) -> set[str]:
        """Its reel, and the file's stem, which stands for one."""
        return {self.reel, self.stem} - {""}

    @property
    def short_reels(self) -> set[str]:
        """Its reels cut to eight characters, with and without what a CMX reel cannot have."""
        return {
            form[:REEL_CHARACTERS] for reel in self.reels for form in (reel, _letters(reel)) if form
        }


def _names(title: Manifest) -> _Named:
    file = _file(title.path)
    reel = str(title.metadata.get("reel") or "").strip().casefold()
    return _Named(title, title.title.casefold(), file, _stem(file), reel)


class Matcher:
    """Finds titles by what a select says of its source."""

    def __init__(self, library: Library, *, title: str | None = None) -> None:
        """Take the library, and the title that all selects are of, by name or id.

        Raises `UsageError` where no title, or more than one, has that name.
        """
        self._library = library
        self._titles = [_names(manifest) for manifest in library.titles()]
        self._chosen = self._title(title) if title is not None else None

    def match(self, select: Select) -> Match:
        """Return where a select lies. Raises `InputError` with the reason where it lies nowhere."""
        candidates = [self._chosen] if self._chosen else self._candidates(select)
        if len(candidates) == 1:
            return self._placed(select, candidates[0])
        placed = []
        for candidate in candidates:
            try:
                placed.append(self._placed(select, candidate))
            except InputError:
                continue
        if len(placed) == 1:
            return placed[0]
        names = ", ".join(_told(title) for title in candidates[:5])
        raise InputError(
            f"could be any of {len(candidates)} titles: {names}; name one with --title."
        )

    def _title(self, name: str) -> Manifest:
        wanted = name.strip().casefold()
        found = [
            one.title
            for one in self._titles
            if wanted in {one.title.title_id.casefold(), one.name, one.file, one.stem}
        ]
        if len(found) != 1:
            told = ", ".join(_told(title) for title in found[:5]) or "none"
            raise UsageError(f"{name!r} names no single title of the library ({told}).")
        return found[0]

    def _candidates(self, select: Select) -> list[Manifest]:
        """Return the titles that a select may be of: each thing it says narrows the choice."""
        if select.is_marker:
            raise InputError("is a marker, which does not name its source; say --title.")
        candidates: list[_Named] = []
        for answers in _rules(select):
            hits = [one for one in (candidates or self._titles) if answers(one)]
            candidates = hits or candidates
            if len(candidates) == 1:
                break
        if candidates:
            return [one.title for one in candidates]
        said = select.reel or _file(select.path) or select.clip_name or select.title
        raise InputError(f"is of {said[:80]!r}, which no title of the library answers to.")

    def _placed(self, select: Select, title: Manifest) -> Match:
        start = _frame(select.start, select, title)
        if select.end is None:
            return self._shot(start, title)
        if select.is_marker and select.end.frames is not None:  # a length, not a place
            end = start + select.end.frames
        else:
            end = _frame(select.end, select, title)
        if end <= start:
            raise InputError("ends before it begins.")
        over = max(-start, 0) + max(end - title.num_frames, 0)
        inside = start < title.num_frames and end > 0
        if not inside or max(-start, end - title.num_frames) > MAX_HANDLE_FRAMES:
            raise InputError(_outside(title))
        return Match(title, max(start, 0), min(end, title.num_frames), over)

    def _shot(self, frame: int, title: Manifest) -> Match:
        if 0 <= frame < title.num_frames:
            shots = self._library.shots(title.title_id)
            shown = shots[(shots["start_frame"] <= frame) & (shots["end_frame"] > frame)]
            if len(shown):
                shot = shown.iloc[0]
                return Match(title, int(shot["start_frame"]), int(shot["end_frame"]))
        raise InputError(_outside(title))


def _rules(select: Select) -> list[Callable[[_Named], bool]]:
    """Return the questions to ask of titles, the most telling first."""
    reel, clip = select.reel.casefold(), select.clip_name.strip().casefold()
    file, title = _file(select.path), select.title.strip().casefold()
    title_id = select.title_id
    rules: list[tuple[str, Callable[[_Named], bool]]] = [
        (title_id, lambda one: one.title.title_id == title_id),
        (reel, lambda one: reel in one.reels or _stem(reel) == one.stem),
        (file, lambda one: file == one.file),
        (file, lambda one: _stem(file) == one.stem),
        (clip, lambda one: clip in {one.file, one.stem, one.name} or _stem(clip) == one.stem),
        (title, lambda one: title in {one.name, one.file, one.stem}),
        (
            reel if len(reel) <= REEL_CHARACTERS else "",
            lambda one: reel in one.short_reels,
        ),
    ]
    return [answers for said, answers in rules if said]


def _frame(at: At, select: Select, title: Manifest) -> int:
    """Return the title's frame at a point; negative before its first one."""
    clock, rate = Clock.of(title), title.frame_rate
    if at.timecode:
        if rate == MILLISECONDS:
            raise InputError(f"has timecode, but {title.title!r} is sound alone and has none.")
        return _since(_count(at.timecode, title), clock)
    if at.frames is not None:
        if select.rate is None or round(select.rate) == round(rate):
            frame = at.frames
        else:
            frame = round(at.frames / select.rate * rate)
    else:
        said = at.seconds or Fraction(0)
        # Seconds made of frames at 24 are those frames at 23.976 too, or they would drift.
        same = select.rate is not None and round(select.rate) == round(rate)
        frame = round(said * (select.rate if same and select.rate else rate))
    return _since(frame, clock) if at.on_clock else frame


def _count(timecode: str, title: Manifest) -> int:
    """Return a timecode's count on the title's own clock, whichever separator the file uses."""
    mark = ";" if title.drop_frame else ":"
    try:
        return frames_of(re.sub(r"[:;.,](?=\d+$)", mark, timecode), rate=title.frame_rate)
    except UsageError as error:
        raise InputError(f"is not on the clock of {title.title!r}: {error}") from error


def _since(count: int, clock: Clock) -> int:
    frame = count - clock.start_frame
    if frame >= -MAX_HANDLE_FRAMES:
        return frame
    last = "23:59:59" + (";" if clock.drop_frame else ":") + str(round(clock.rate) - 1)
    # A title that runs over midnight, or text that lies before it: its range tells them apart.
    return frame + frames_of(last, rate=clock.rate) + 1


def _outside(title: Manifest) -> str:
    clock = Clock.of(title)
    first, last = clock.timecode(0), clock.timecode(title.num_frames)
    if first is None:
        return f"lies outside of {title.title!r}, which lasts {title.duration_s:.3f} s."
    return f"lies outside of {title.title!r}, which has {first} to {last}."


def _file(path: str) -> str:
    """Return the last part of a path or URL, in small letters; nothing is looked up."""
    plain = unquote(path) if "://" in path else path
    return ntpath.basename(plain.rstrip("/\\")).casefold()


def _stem(name: str) -> str:
    return ntpath.splitext(name)[0]


def _letters(name: str) -> str:
    return re.sub(r"[^0-9a-z]", "", name)


def _told(title: Manifest) -> str:
    return f"{title.title!r} ({title.title_id[:12]})"
