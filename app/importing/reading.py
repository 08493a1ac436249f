"""The formats that can be imported, told apart by what is in the file, never by its name."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path

from charset_normalizer import from_bytes

from app.importing import edl, fcpxml, markers, sheet, timeline, xmeml
from app.importing.selects import Selects
from qdrant.errors import InputError

MAX_BYTES = 50_000_000
MAX_SELECTS = 20_000
TAKEN = "EDL, CSV, OTIO, ALE, Final Cut Pro 7 XML, FCPXML, and markers of Premiere, Resolve, Avid"
AVID_MARKER = re.compile(r"^[^\t\n]*\t\d{1,2}:\d{2}:\d{2}[:;.,]\d{2,3}\t[^\t\n]*\t", re.MULTILINE)

Read = Callable[[str], Selects]


def read_selects(path: Path) -> Selects:
    """Return the selects of a file. Raises `InputError` as `selects_in`."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"{path.name} cannot be read ({error.strerror}).") from error
    return selects_in(data, path.name)


def selects_in(data: bytes, name: str) -> Selects:
    """Return the selects that a file holds; `name` is what messages call it.

    Raises `InputError` for a file that is none of the formats, is damaged, or is too large.
    """
    if len(data) > MAX_BYTES:
        raise InputError(f"{name} is larger than {MAX_BYTES // 1_000_000} MB: no edit list.")
    try:
        found = _read(data)
    except InputError as error:
        raise InputError(f"{name}: {error}") from error
    if len(found.selects) > MAX_SELECTS:
        raise InputError(f"{name} has more than {MAX_SELECTS} selects; import it in parts.")
    return found


def _read(data: bytes) -> Selects:
    if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return _read_xml(data)
    text = decoded(data)
    if text.lstrip().startswith("<"):  # XML in UTF-16, which says so itself
        return _read_xml(data)
    reader = reader_of(text)
    if reader is None:
        raise InputError(f"this is none of the formats that can be imported: {TAKEN}.")
    try:
        return reader(text)
    except csv.Error as error:
        raise InputError(f"the table cannot be read ({error}).") from error


def reader_of(text: str) -> Read | None:
    """Return what reads a text that is no XML, or None."""
    first = text.lstrip().split("\n", 1)[0].strip()
    if first.startswith("{"):
        return timeline.read if "OTIO_SCHEMA" in text[:100_000] else None
    if first.casefold() == "heading":
        return sheet.read_ale
    if "Marker Name" in first and "\t" in first:
        return markers.read_premiere
    if "|C:ResolveColor" in text:
        return markers.read_resolve
    lines = [line for line in text.splitlines() if len(line) <= edl.MAX_LINE_CHARACTERS]
    if first.startswith(("TITLE:", "FCM:")) or any(map(edl.EVENT.match, lines)):
        return edl.read
    if AVID_MARKER.match(text.lstrip()):
        return markers.read_avid
    return sheet.read_csv if any(mark in first for mark in ",;\t") else None


def decoded(data: bytes) -> str:
    """Return a file's text: Unicode as it declares itself or proves to be, else Windows or Mac."""
    for mark, encoding in (
        (b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"),
        (b"", "utf-8"),
    ):  # fmt: skip
        if data.startswith(mark):
            try:
                text = data.decode(encoding)
                break
            except UnicodeDecodeError:
                continue
    else:
        guess = from_bytes(data[:200_000], cp_isolation=["cp1252", "mac_roman"]).best()
        text = data.decode(guess.encoding if guess else "cp1252", errors="replace")
    if "\x00" in text:
        raise InputError(f"this is no text. What can be imported: {TAKEN}.")
    return text


def _read_xml(data: bytes) -> Selects:
    from defusedxml import DefusedXmlException  # type: ignore[import-untyped]
    from defusedxml.ElementTree import (  # type: ignore[import-untyped]
        ParseError,
        fromstring,
    )

    try:
        # Both formats begin with a DOCTYPE that names no file; entities are refused.
        root = fromstring(data)
    except DefusedXmlException as error:
        raise InputError("the XML defines entities, which no edit list needs: refused.") from error
    except (ParseError, ValueError, LookupError) as error:
        raise InputError(f"the XML is damaged ({error}): export it again.") from error
    readers = {"xmeml": xmeml.read, "fcpxml": fcpxml.read}
    if root.tag not in readers:
        raise InputError(f"this XML is no edit list. What can be imported: {TAKEN}.")
    return readers[root.tag](root)
