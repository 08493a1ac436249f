"""Words with times: subtitles beside the film, read and laid over its shots."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from indexer.media.probe import MEDIA_SUFFIXES, content_hash
from qdrant.errors import InputError

SIDECAR_SUFFIXES = (".srt", ".vtt")
SIDECAR_FLAGS = frozenset({"forced", "sdh", "cc", "hi"})
"""What may follow a film's name beside a language; `hi` alone is Hindi, else hearing-impaired."""
LANGUAGE_TAG = re.compile(r"[a-z]{2,3}(-\w+)?")
TWO_LETTERS = {
    "ara": "ar", "chi": "zh", "cze": "cs", "dan": "da", "deu": "de", "dut": "nl", "eng": "en",
    "fin": "fi", "fra": "fr", "fre": "fr", "ger": "de", "hin": "hi", "ita": "it", "jpn": "ja",
    "kor": "ko", "nld": "nl", "nor": "no", "pol": "pl", "por": "pt", "rus": "ru", "spa": "es",
    "swe": "sv", "tur": "tr", "ukr": "uk", "zho": "zh",
}  # fmt: skip
"""ISO 639-2 codes that subtitle files are often named with, as profiles name languages."""
MIN_OVERLAP_S = 0.25
"""A cue belongs to a shot it overlaps by this much, or by half of the cue's or shot's length."""


@dataclass(frozen=True)
class Cue:
    """One subtitle: what is said in `[start_s, end_s)`."""

    start_s: float
    end_s: float
    text: str  # one line, no markup


@dataclass(frozen=True)
class Sidecar:
    """A subtitle file beside a film."""

    path: Path
    language: str | None  # as the file's name says: film.en.srt
    content_hash: str  # sha256; empty where the file cannot be read


def sidecar_of(media_path: Path, *, languages: Sequence[str]) -> Sidecar | None:
    """Return the subtitle file to embed: in a language the profile knows, else unmarked, else any.

    Of two in one language the full one goes before the forced, the plain before the one for the
    hard of hearing. One that is there and cannot be read has an empty `content_hash`; `read_cues`
    says why.
    """
    found = _beside(media_path)

    def preference(path: Path) -> tuple[int, bool, int, str]:
        language, forced = found[path], ".forced" in path.stem.lower()
        if language is None:
            return (len(languages), forced, len(path.stem), path.name)
        known = language.split("-")[0]
        rank = languages.index(known) if known in languages else len(languages) + 1
        return (rank, forced, len(path.stem), path.name)

    if not found:
        return None
    path = min(found, key=preference)
    try:
        sha = content_hash(path)
    except InputError:
        sha = ""
    return Sidecar(path, found[path], sha)


def read_cues(sidecar: Sidecar) -> tuple[Cue, ...]:
    """Read a SubRip or WebVTT file, whatever its encoding. Raises `InputError`."""
    import pysubs2

    path = sidecar.path
    try:
        text = _decoded(path.read_bytes())
        subtitles = pysubs2.SSAFile.from_string(text, format_=path.suffix[1:].lower())
    except (OSError, ValueError, pysubs2.exceptions.Pysubs2Error) as error:
        raise InputError(
            f"{path.name} is not a subtitle file that can be read ({error}); "
            "save it again as SubRip or WebVTT."
        ) from error
    cues = (
        Cue(event.start / 1000, event.end / 1000, _one_line(event.plaintext))
        for event in subtitles
        if event.end > event.start
    )
    spoken = sorted((cue for cue in cues if cue.text), key=lambda cue: (cue.start_s, cue.end_s))
    if not spoken:
        raise InputError(f"{path.name} holds no subtitles; remove it, or save it again.")
    return tuple(spoken)


def _beside(media_path: Path) -> dict[Path, str | None]:
    """Return the subtitle files beside a film, with the language their names state."""
    stem = media_path.stem
    there = sorted(media_path.parent.glob("*"))
    # Alien.en.srt belongs to Alien.en.mp4 where there is one, not to Alien.mp4.
    nearer = tuple(
        f"{path.stem}."
        for path in there
        if path.suffix.lower() in MEDIA_SUFFIXES and path.stem.startswith(f"{stem}.")
    )
    return {
        path: _language_of(tags)
        for path in there
        if path.suffix.lower() in SIDECAR_SUFFIXES
        and f"{path.stem}.".startswith(f"{stem}.")
        and not f"{path.stem}.".startswith(nearer)
        and _are_tags(tags := path.stem[len(stem) :].lower().split(".")[1:])
    }


def _are_tags(tags: Sequence[str]) -> bool:
    """Whether words after a film's name are flags and at most one language, and no title."""
    others = [tag for tag in tags if tag not in SIDECAR_FLAGS]
    return len(others) <= 1 and all(LANGUAGE_TAG.fullmatch(tag) for tag in others)


def _language_of(tags: Sequence[str]) -> str | None:
    if list(tags) == ["hi"]:
        return "hi"
    tag = next((tag for tag in tags if tag not in SIDECAR_FLAGS), None)
    if tag is None:
        return None
    language, dash, region = tag.partition("-")
    return f"{TWO_LETTERS.get(language, language)}{dash}{region}"


def dialogue_of(shots: Sequence[tuple[float, float]], cues: Sequence[Cue]) -> list[tuple[str, ...]]:
    """Return what is said in each shot `[start_s, end_s)`; a cue across a cut is in both."""
    spoken: list[tuple[str, ...]] = []
    waiting = 0  # cues before this one ended before the present shot
    for start_s, end_s in shots:
        while waiting < len(cues) and cues[waiting].end_s <= start_s:
            waiting += 1
        lines = []
        for cue in cues[waiting:]:
            if cue.start_s >= end_s:
                break
            overlap = min(end_s, cue.end_s) - max(start_s, cue.start_s)
            shorter = min(end_s - start_s, cue.end_s - cue.start_s)
            if overlap >= min(MIN_OVERLAP_S, shorter / 2):
                lines.append(cue.text)
        spoken.append(tuple(lines))
    return spoken


def _decoded(content: bytes) -> str:
    """Return the text of a subtitle file: by its byte order mark, as UTF-8, or as it looks."""
    for mark, encoding in (
        (b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"),
    ):  # fmt: skip
        if content.startswith(mark):
            return content.decode(encoding, errors="replace")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        from charset_normalizer import from_bytes

        guesses = list(from_bytes(content))
        western = [guess for guess in guesses if guess.encoding == "cp1252"]
        # Short Western text fits other code pages as well; cp1252 is by far the likeliest.
        return str((western or guesses)[0]) if guesses else content.decode("latin-1")


def _one_line(text: str) -> str:
    return " ".join(html.unescape(text).split())
