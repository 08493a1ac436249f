"""TTML (DFXP, IMSC, EBU-TT): timed text in XML, which neither ffmpeg nor pysubs2 reads.

W3C Timed Text Markup Language 2, https://www.w3.org/TR/ttml2/: times, nesting, languages, roles
and agents; regions and styles are left out, as they say nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from xml.etree import ElementTree

from indexer.words.clocks import Clock
from indexer.words.cues import Cue
from indexer.words.languages import language_of
from indexer.words.markup import MUSIC, cues_of

MOST_DEPTH = 64
"""Elements nested deeper than this are an attack, not subtitles."""
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
XML_ID = "{http://www.w3.org/XML/1998/namespace}id"
HEARD_ROLES = frozenset({"sound", "music"})
IS_TTML = re.compile(r"<(?:\w+:)?tt[\s>]")
ROOT_LANGUAGE = re.compile(r"<(?:\w+:)?tt\s[^<>]*?xml:lang\s*=\s*[\"']([^\"']*)")
HEAD_CHARACTERS = 4096
"""Where the root must begin: after a declaration and comments of reasonable length."""


class NotTimedText(ValueError):
    """The text is no TTML that may be read."""


def is_ttml(text: str) -> bool:
    """Whether a text is TTML, from its beginning: `.xml` alone does not tell."""
    return IS_TTML.search(text[:HEAD_CHARACTERS]) is not None


def stated_language(text: str) -> str | None:
    """Return the language that the root states."""
    found = ROOT_LANGUAGE.search(text[:HEAD_CHARACTERS])
    return language_of(found[1]) if found else None


def read_ttml(text: str, *, language: str | None = None) -> list[Cue]:
    """Return the cues of a TTML document; of one in several languages, those in `language`.

    Raises `NotTimedText` for what is not well formed, states a DOCTYPE, or is nested absurdly.
    """
    parser = ElementTree.XMLParser(target=_WaryBuilder())
    try:
        parser.feed(text)
        root = parser.close()
    except ElementTree.ParseError as error:
        raise NotTimedText(str(error)) from error
    if _local(root.tag) != "tt":
        raise NotTimedText("its root is not <tt>")
    spoken = list(_paragraphs(root))
    tongues = {part.language for part in spoken}
    wanted = {tongue for tongue in tongues if language and _same_language(tongue, language)}
    return [cue for part in spoken if not wanted or part.language in wanted for cue in _cues(part)]


class _WaryBuilder(ElementTree.TreeBuilder):
    """Builds a tree; refuses document types, and with them entities, and bottomless nesting."""

    depth = 0

    def doctype(self, name: str, public: str | None, system: str | None) -> None:
        raise NotTimedText("it states a DOCTYPE, which subtitles have no use for")

    def start(self, tag: str, attrs: dict[str, str]) -> ElementTree.Element:
        self.depth += 1
        if self.depth > MOST_DEPTH:
            raise NotTimedText(f"its elements are nested more than {MOST_DEPTH} deep")
        return super().start(tag, attrs)

    def end(self, tag: str) -> ElementTree.Element:
        self.depth -= 1
        return super().end(tag)


@dataclass(frozen=True)
class _Part:
    """An element of the body, with what it inherits."""

    element: ElementTree.Element
    start_s: float
    end_s: float | None
    language: str | None
    speaker: str | None = None
    role: str = ""


def _paragraphs(root: ElementTree.Element) -> Iterator[_Part]:
    """Return what is to be shown: timed paragraphs, or the timed spans of those without times."""
    clock = Clock.of(_attributes(root))
    agents = _agents(root)
    body = next((child for child in root if _local(child.tag) == "body"), None)
    if body is not None:
        whole = _Part(body, 0.0, None, language_of(root.get(XML_LANG)))
        yield from _within(whole, clock, agents)


def _within(parent: _Part, clock: Clock, agents: dict[str, str]) -> Iterator[_Part]:
    """Yield the paragraphs of an element; its own times are offsets from its parent's."""
    part, timed = _placed(parent, clock, agents)
    kind = _local(part.element.tag)
    spans = [child for child in part.element if _local(child.tag) == "span"]
    spans_timed = any("begin" in _attributes(span) for span in spans)
    if kind == "p" and (timed or not spans_timed):
        yield part
        return
    if kind == "span" and not spans_timed:
        yield part
        return
    in_sequence = _attributes(part.element).get("timeContainer") == "seq"
    after_s = part.start_s
    for child in part.element:
        if _local(child.tag) not in ("div", "p", "span"):
            continue
        begins = replace(part, element=child, start_s=after_s if in_sequence else part.start_s)
        yield from _within(begins, clock, agents)
        if in_sequence:
            after_s = _placed(begins, clock, agents)[0].end_s or after_s


def _placed(parent: _Part, clock: Clock, agents: dict[str, str]) -> tuple[_Part, bool]:
    """Return an element with its own times, language, speaker and role; whether it states times."""
    element, stated = parent.element, _attributes(parent.element)
    begin_s, end_s, length_s = (clock.seconds(stated.get(key)) for key in ("begin", "end", "dur"))
    start_s = parent.start_s + (begin_s or 0.0)
    ends = [parent.end_s] if parent.end_s is not None else []
    if end_s is not None:
        ends.append(parent.start_s + end_s)
    if length_s is not None:
        ends.append(start_s + length_s)
    named = [agents[name] for name in stated.get("agent", "").split() if name in agents]
    part = _Part(
        element,
        start_s,
        min(ends, default=None),
        language_of(element.get(XML_LANG)) or parent.language,
        " and ".join(named) or parent.speaker,
        stated.get("role", parent.role),
    )
    return part, begin_s is not None or end_s is not None


def _cues(part: _Part) -> list[Cue]:
    if part.end_s is None:
        return []
    text, roles = _text(part.element), set(part.role.split())
    cues = cues_of(part.start_s, part.end_s, text, speaker=part.speaker)
    if roles & HEARD_ROLES:
        return [
            replace(cue, text="", sounds=(*cue.sounds, *filter(None, [cue.text]))) for cue in cues
        ]
    if "lyrics" in roles:
        return [replace(cue, sounds=tuple(dict.fromkeys((*cue.sounds, MUSIC)))) for cue in cues]
    return cues


def _text(element: ElementTree.Element) -> str:
    """Return an element's text: line breaks in the file are spaces, `<br/>` is a new line."""
    kind = _local(element.tag)
    if kind == "br":
        return "\n"
    if kind not in ("p", "span"):
        return ""  # metadata, animation
    told = [_one_line(element.text)]
    for child in element:
        told += [_text(child), _one_line(child.tail)]
    return "".join(told)


def _one_line(text: str | None) -> str:
    return re.sub(r"\s+", " ", text or "")


def _agents(root: ElementTree.Element) -> dict[str, str]:
    """Return the names of those who speak, by the ids that paragraphs refer to."""
    found = {}
    for element in root.iter():
        if _local(element.tag) == "agent" and (identity := element.get(XML_ID)):
            names = (name.text for name in element if _local(name.tag) == "name")
            found[identity] = " ".join((next(names, None) or "").split())
    return {identity: name for identity, name in found.items() if name}


def _attributes(element: ElementTree.Element) -> dict[str, str]:
    """Return attributes by their local names: drafts and profiles differ in namespaces."""
    return {_local(name): value for name, value in element.attrib.items()}


def _local(tag: object) -> str:
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def _same_language(one: str | None, other: str) -> bool:
    return one is not None and one.split("-")[0] == other.split("-")[0]
