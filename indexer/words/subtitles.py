"""Subtitle files read: SubRip, WebVTT, ASS and SSA by pysubs2, TTML and Scenarist by our own."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from pathlib import Path

from indexer.words.charsets import decoded
from indexer.words.cues import Cue, in_order
from indexer.words.languages import language_of
from indexer.words.markup import cues_of, without_overrides, without_tags
from indexer.words.scenarist import read_scc
from indexer.words.ttml import NotTimedText, is_ttml, read_ttml, stated_language
from qdrant.errors import InputError

SUBTITLE_SUFFIXES = (".srt", ".vtt", ".ass", ".ssa", ".ttml", ".dfxp", ".xml", ".scc")
TTML_SUFFIXES = (".ttml", ".dfxp", ".xml")
COUNTS_TIMECODE = (".scc", ".ttml", ".dfxp", ".xml")
"""Formats whose times may be the film's timecode."""
MOST_BYTES = 32 * 2**20
"""The words of a long film are a twentieth of a mebibyte, a styled ASS file a few."""
LONGEST_HEADING = 200
"""Characters of a line; those of ASS have twenty."""
VTT_NOT_SHOWN = re.compile(r"(NOTE|STYLE|REGION)\b")
HEADS = {"WEBVTT": "vtt", "[Script Info]": "ass"}
"""What some files begin with, whatever their names say."""
NOT_SPEAKERS = frozenset(
    [
        "caption", "captions", "comment", "default", "dialog", "dialogue", "ed", "italics",
        "karaoke", "main", "ntp", "op", "sign", "signs", "song", "songs", "sub", "subs",
        "subtitle", "subtitles", "text", "title", "titles", "top",
    ]
)  # fmt: skip
"""What the Name field of ASS holds where it names nobody."""


def read_subtitles(path: Path, *, language: str | None = None) -> tuple[Cue, ...]:
    """Read a subtitle file, whatever its encoding. Raises `InputError` that names it.

    `language` helps to tell the encoding, and chooses within a TTML file that holds several.
    """
    try:
        text = decoded(read_bytes(path), language=language)
        cues = _cues(text, path.suffix.lower(), language)
    except (OSError, ValueError, ArithmeticError, LookupError, TypeError) as error:
        raise InputError(
            f"{path.name} is not a subtitle file that can be read ({error}); "
            "save it again as SubRip or WebVTT."
        ) from error
    if not cues:
        raise InputError(f"{path.name} holds no subtitles; remove it, or save it again.")
    return cues


def read_bytes(path: Path) -> bytes:
    """Return a file's bytes. Raises `OSError`, and `ValueError` for one too large for words."""
    with path.open("rb") as stream:
        content = stream.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ValueError(f"it is larger than {MOST_BYTES >> 20} MiB")
    return content


def _cues(text: str, suffix: str, language: str | None) -> tuple[Cue, ...]:
    if suffix == ".scc":
        return read_scc(text)
    if suffix in TTML_SUFFIXES:
        if not is_ttml(text):
            raise NotTimedText("it is not TTML")
        return in_order(read_ttml(text, language=language))
    return in_order(_by_pysubs2(text, suffix[1:]))


def _by_pysubs2(text: str, form: str) -> Iterator[Cue]:
    import pysubs2

    # pysubs2 looks for numbers after runs of empty lines, in time that grows with their square.
    text = re.sub(r"\n\s*\n", "\n\n", text.replace("\r\n", "\n").replace("\r", "\n"))
    form = next((told for mark, told in HEADS.items() if text.lstrip().startswith(mark)), form)
    if form == "vtt":
        text = _shown(text)
    if form in ("ass", "ssa"):
        text = _without_false_headings(text)
    html_like = {"keep_html_tags": True} if form in ("srt", "vtt") else {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles that it does not understand
            events = pysubs2.SSAFile.from_string(text, format_=form, **html_like)
    except (pysubs2.exceptions.Pysubs2Error, AttributeError, NotImplementedError) as error:
        raise ValueError(str(error)) from error
    for event in events:
        if not event.is_comment and event.end > event.start:
            words = without_tags(without_overrides(event.text))
            speaker = named_speaker(event.name)
            yield from cues_of(event.start / 1000, event.end / 1000, words, speaker=speaker)


def named_speaker(name: str) -> str | None:
    """Return who the Name field of ASS names; None where it holds a style's or a layer's name."""
    name = " ".join(name.split())
    return name if name and name.lower() not in NOT_SPEAKERS else None


def _shown(text: str) -> str:
    """Return WebVTT without headers, notes, styles and the names of cues, which pysubs2 keeps."""
    blocks = []
    for block in text.split("\n\n"):
        lines = block.split("\n")
        timed = next((at for at, line in enumerate(lines) if "-->" in line), None)
        if timed is not None and not VTT_NOT_SHOWN.match(block.lstrip()):
            times = lines[timed].replace(",", ".")  # as in SubRip, where a file was only renamed
            blocks.append("\n".join([times, *lines[timed + 1 :]]))
    return "\n\n".join(blocks)


def _without_false_headings(text: str) -> str:
    """Return ASS without long lines that only begin like headings.

    pysubs2 looks for the end of a heading in time that grows with the square of the line.
    """
    return "\n".join(
        line
        for line in text.split("\n")
        if len(line) <= LONGEST_HEADING or "[" not in line.lstrip()[:4]
    )


def stated_in(head: str, suffix: str) -> dict[str, str | None]:
    """Return what a file's beginning states: its `language`, and WebVTT's `kind`."""
    if suffix in TTML_SUFFIXES:
        return {"language": stated_language(head)}
    if suffix != ".vtt":
        return {}
    header = re.split(r"\r?\n\r?\n", head, maxsplit=1)[0]
    stated = dict(re.findall(r"^(Kind|Language):[ \t]*([\w-]+)", header, re.MULTILINE))
    return {"kind": stated.get("Kind"), "language": language_of(stated.get("Language"))}
