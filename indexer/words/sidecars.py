"""Subtitle files beside a film, and what their names say of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from indexer.media.probe import MEDIA_SUFFIXES
from indexer.words.languages import is_language, language_of
from indexer.words.subtitles import SUBTITLE_SUFFIXES

FORCED = frozenset({"forced"})
HEARING_IMPAIRED = frozenset({"sdh", "cc", "hi", "captions"})
"""`hi` alone is Hindi, beside a language hearing-impaired."""
DESCRIPTION = frozenset({"ad", "dvs", "descriptions", "description"})
FLAGS = FORCED | HEARING_IMPAIRED | DESCRIPTION


@dataclass(frozen=True)
class Name:
    """What a subtitle file's name says: film.en.sdh.srt."""

    language: str | None
    forced: bool
    hearing_impaired: bool
    description: bool  # what is seen, told to those who cannot


def beside(media_path: Path) -> dict[Path, Name]:
    """Return the subtitle files beside a film, by name; none where the folder cannot be read."""
    stem = media_path.stem
    try:
        there = sorted(media_path.parent.iterdir())
    except OSError:
        return {}
    # Alien.en.srt belongs to Alien.en.mp4 where there is one, not to Alien.mp4.
    nearer = tuple(
        f"{path.stem}."
        for path in there
        if path.suffix.lower() in MEDIA_SUFFIXES and path.stem.startswith(f"{stem}.")
    )
    return {
        path: _name(tags)
        for path in there
        if path.suffix.lower() in SUBTITLE_SUFFIXES
        and f"{path.stem}.".startswith(f"{stem}.")
        and not f"{path.stem}.".startswith(nearer)
        and _are_tags(tags := path.stem[len(stem) :].lower().split(".")[1:])
    }


def _are_tags(tags: Sequence[str]) -> bool:
    """Whether words after a film's name are flags and at most one language, and no title."""
    others = [tag for tag in tags if tag not in FLAGS]
    return len(others) <= 1 and all(is_language(tag) for tag in others)


def _name(tags: Sequence[str]) -> Name:
    languages = [tag for tag in tags if tag not in FLAGS]
    flags = set(tags) & FLAGS
    if not languages and "hi" in tags:  # beside no language it is one
        languages = ["hi"]
        flags.discard("hi")
    return Name(
        language=language_of(languages[0]) if languages else None,
        forced=bool(flags & FORCED),
        hearing_impaired=bool(flags & HEARING_IMPAIRED),
        description=bool(flags & DESCRIPTION),
    )
