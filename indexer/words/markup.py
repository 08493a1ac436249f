# ruff: noqa: RUF001 - the quotes, dashes and brackets of other scripts are meant
"""What a subtitle's text says, apart from how it looks: words, who says them, what is heard.

The rules, for a text whose tags are gone:

* A line begins somebody's turn with a dash, with `>>`, with a WebVTT voice, or with a name before
  a colon. A name is in capitals, or up to three capitalised words where a sentence may begin; it
  is no label ("Warning:"), no clause ("THE ANSWER IS:") and no time ("10:30").
* `[door slams]` is heard, wherever it stands; `(thunder)` is, where it does not stand in the
  middle of a sentence. Brackets around digits alone are words.
* Words between notes or `#` are sung: they are text, and "music" is heard. Where the words only
  describe music ("soft music playing") they are the sound.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from indexer.words.cues import Cue

VOICE_OPENS, VOICE_ENDS = "\ue000", "\ue001"
"""Private characters that carry a voice's name from the tag to the parser of turns."""
NOT_WRITTEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]"
)
"""Control characters and directions: they do not show, and a search would stumble over them."""
RUBY = re.compile(r"<rt\b[^<>]*>[^<]*(</rt>)?", re.IGNORECASE)
BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
VOICE = re.compile(r"<v(?:\.[^\s<>]*)?\s+([^<>]+)>")
TAG = re.compile(r"</?[a-zA-Z][^<>]*>|<\d[\d:.]*>")
OVERRIDE = re.compile(r"\{([^{}]*)\}")
DRAWING = re.compile(r"\\p(\d+)")
"""`{\\p1}` begins a drawing in ASS, `{\\p0}` ends it."""

ASS_SPEAKER, ASS_TEXT = 3, 8
"""Of ReadOrder, Layer, Style, Name, three margins, Effect and the text: a line as ffmpeg has it."""

TURN = re.compile(r"\s*(?:[-‐–—](?!\d)[-–—]?|>{2,3})\s*")
NAMED = re.compile(r"\s*([^:：]{1,48}?)\s*(?::(?=\s|$)|：)\s*")
ASIDE = re.compile(r"(?<=[\w.])\s*[(\[][^()\[\]]{1,30}[)\]]$")
NAME = re.compile(r"[\w .,'’&#/-]+")
LABELS = frozenset(
    [
        "answer", "attention", "caution", "chapter", "episode", "example", "fact", "hint", "note",
        "part", "ps", "question", "re", "remember", "rule", "step", "subject", "subtitles", "tip",
        "translation", "update", "warning",
    ]
)  # fmt: skip
"""Words that stand before a colon and are nobody."""
CLAUSE = frozenset(
    [
        "are", "be", "been", "had", "has", "have", "here", "how", "i", "is", "it", "said", "say",
        "says", "that", "there", "this", "was", "were", "what", "why", "you",
    ]
)  # fmt: skip
"""Words no name has: what stands before the colon is a clause."""
MOST_WORDS, MOST_WORDS_IN_CAPITALS = 3, 5

BRACKETED = re.compile(r"[\[［【]([^\[\]［］【】]*)[\]］】]")
PARENTHESISED = re.compile(r"[(（]([^()（）]*)[)）]")
MOST_WORDS_HEARD = 6
SENTENCE_ENDS = tuple('.?!…:;,-–—♪♫"”»)]]）。？！、」')
NOTES = re.compile(r"[♩♪♫♬]+")
SUNG = re.compile(r"#+\s.*#+")
DESCRIBED_MUSIC = re.compile(
    r"(?:[\w'-]+,? ){0,5}(?:music|instrumental|theme)(?: (?:plays|playing|continues|continuing|"
    r"stops|starts|fades|swells|ends|builds)[\w ]{0,16})?",
    re.IGNORECASE,
)
MUSIC = "music"


@dataclass
class _Turn:
    """What one person says within a cue."""

    speaker: str | None
    lines: list[str] = field(default_factory=list)
    sounds: list[str] = field(default_factory=list)


def cues_of(start_s: float, end_s: float, text: str, *, speaker: str | None = None) -> list[Cue]:
    """Return the cues of one subtitle: its lines without tags, a cue for each who speaks.

    `speaker` is who the file itself says speaks, outside the text.
    """
    text = NOT_WRITTEN.sub("", text)
    speaker = " ".join(NOT_WRITTEN.sub("", speaker or "").split()) or None
    return [
        Cue(start_s, end_s, " ".join(turn.lines), turn.speaker, tuple(dict.fromkeys(turn.sounds)))
        for turn in _merged(_turns(text, speaker))
        if turn.lines or turn.sounds
    ]


def without_tags(text: str) -> str:
    """Return text without HTML-like tags and entities; breaks are new lines, voices are marked."""
    text = text.replace(VOICE_OPENS, "").replace(VOICE_ENDS, "")
    text = BREAK.sub("\n", RUBY.sub("", text))
    text = VOICE.sub(rf"\n{VOICE_OPENS}\1{VOICE_ENDS}", text)
    return NOT_WRITTEN.sub("", html.unescape(TAG.sub("", text)))


def without_overrides(text: str) -> str:
    """Return ASS text as lines: override blocks and drawings left out."""
    kept, drawing, end = [], False, 0
    for block in OVERRIDE.finditer(text):
        kept.append("" if drawing else text[end : block.start()])
        for scale in DRAWING.findall(block[1]):
            drawing = int(scale[:3]) > 0
        end = block.end()
    kept.append("" if drawing else text[end:])
    return re.sub(r"\\[Nn]", "\n", "".join(kept)).replace(r"\h", " ")


def ass_fields(line: bytes) -> list[str]:
    """Return the nine fields of a line of ASS as ffmpeg writes it; the last is the text."""
    fields = line.decode("utf-8", "replace").split(",", ASS_TEXT)
    return fields + [""] * (ASS_TEXT + 1 - len(fields))


def _turns(text: str, speaker: str | None) -> Iterator[_Turn]:
    """Split a text into the turns of those who speak."""
    text = BRACKETED.sub(lambda match: match[0].replace("\n", " "), text)
    turn: _Turn | None = None
    for line in filter(None, map(str.strip, text.split("\n"))):
        may_begin = turn is None or not turn.lines or turn.lines[-1].endswith(SENTENCE_ENDS)
        opened, name, rest = _opening(line, may_begin=may_begin)
        if turn is None or opened or name:
            if turn:
                yield turn
            turn = _Turn(name or speaker)
        _hear(turn, rest)
    if turn:
        yield turn


def _opening(line: str, *, may_begin: bool) -> tuple[bool, str | None, str]:
    """Return whether a line opens a turn, whose by name, and what is left of the line."""
    if line.startswith(VOICE_OPENS):
        voice, _, rest = line[1:].partition(VOICE_ENDS)
        return True, " ".join(voice.split()) or None, rest
    rest = line.replace(VOICE_OPENS, "").replace(VOICE_ENDS, " ")
    opening = TURN.match(rest)
    rest = rest[opening.end() :] if opening else rest
    named = NAMED.match(rest)
    if named and (name := _name(named[1], may_begin=may_begin or opening is not None)):
        return True, name, rest[named.end() :]
    return opening is not None, None, rest


def _name(head: str, *, may_begin: bool) -> str | None:
    """Return who is named before a colon; None where that is nobody's name."""
    name = ASIDE.sub("", head).strip(" [](){}")  # JOHN (V.O.): and [JOHN]: are John
    words = name.split()
    plain = [word.lower().strip(".,") for word in words]
    if not words or not NAME.fullmatch(name) or plain[0] in LABELS or CLAUSE & set(plain):
        return None
    letters = [letter for letter in name if letter.isalpha()]
    if len(letters) < 2:
        return None
    if all(letter.isupper() for letter in letters):
        return " ".join(words) if len(words) <= MOST_WORDS_IN_CAPITALS else None
    capitalised = words[0][0].isupper() and all(
        w[0].isupper() or w[0] in "#0123456789" for w in words
    )
    return " ".join(words) if capitalised and may_begin and len(words) <= MOST_WORDS else None


def _hear(turn: _Turn, line: str) -> None:
    """Add a line to a turn: its words to the words, its sounds to the sounds."""

    def bracketed(match: re.Match[str]) -> str:
        return _heard(turn, match) or match[0]

    def parenthesised(match: re.Match[str]) -> str:
        at = match.start()
        while at and line[at - 1].isspace():
            at -= 1  # a copy of all that stands before would cost the square of the line
        aside = not at or line[at - 1] in SENTENCE_ENDS
        short = len(match[1].split()) <= MOST_WORDS_HEARD and not match[1].rstrip().endswith(
            ("?", "!")
        )
        return (_heard(turn, match) if aside and short else None) or match[0]

    line = BRACKETED.sub(bracketed, line)
    line = PARENTHESISED.sub(parenthesised, line)
    sung = NOTES.search(line) is not None or SUNG.fullmatch(line.strip()) is not None
    words = " ".join((NOTES.sub(" ", line).strip().strip("#") if sung else line).split())
    if sung:
        described = DESCRIBED_MUSIC.fullmatch(words)
        turn.sounds.append(words if described else MUSIC)
        words = "" if described else words
    if words:
        turn.lines.append(words)


def _heard(turn: _Turn, match: re.Match[str]) -> str | None:
    """Add what stands in brackets to a turn's sounds; None where it is no sound."""
    sound = " ".join(NOTES.sub(" ", match[1]).split())
    if not sound and NOTES.search(match[1]):
        sound = MUSIC
    if not any(letter.isalpha() for letter in sound):
        return None
    turn.sounds.append(sound)
    return " "


def _merged(turns: Iterator[_Turn]) -> list[_Turn]:
    """Join neighbouring turns of one speaker; where nobody is named there is one turn."""
    merged: list[_Turn] = []
    for turn in turns:
        if merged and merged[-1].speaker == turn.speaker:
            merged[-1].lines += turn.lines
            merged[-1].sounds += turn.sounds
        else:
            merged.append(turn)
    return merged
