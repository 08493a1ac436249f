"""Words as a file can carry them, and files as they are written."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

from qdrant.errors import CannotRunNow

NOT_CARRIED = re.compile("[^\t\n\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 has no way to say, not even as a reference: control characters, lone surrogates and
U+FFFE, U+FFFF (https://www.w3.org/TR/xml/#charsets). Of line ends only the one kind is kept."""


def carried(words: str) -> str:
    """Return words without the characters that XML 1.0 cannot carry; lines end with `\\n`."""
    return NOT_CARRIED.sub("", words.replace("\r\n", "\n").replace("\r", "\n"))


def laid_out(root: ET.Element) -> bytes:
    """Return an XML document in UTF-8, its elements indented, its type that of its root."""
    ET.indent(root)
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE {root.tag}>\n'
    return (head + ET.tostring(root, encoding="unicode") + "\n").encode()


def saved(path: Path, content: bytes) -> Path:
    """Write a file and return its path. Raises `CannotRunNow` where that cannot be done."""
    try:
        path.write_bytes(content)
    except OSError as error:
        raise CannotRunNow(
            f"{path} cannot be written ({error.strerror}). Check the folder's permissions and free "
            "space, or name another folder."
        ) from error
    return path
