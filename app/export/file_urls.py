"""Paths of any machine as file URLs: drives, shares, and names with spaces, `#`, `%` or any script.

RFC 8089 has a drive as `file:///S:/Films`, which FCPXML and OpenTimelineIO take. Premiere writes,
and looks for, `file://localhost/S%3a/Films` in Final Cut Pro 7 XML.
"""

from __future__ import annotations

import ntpath
import posixpath
import re
from urllib.parse import quote

DRIVE = re.compile(r"^[A-Za-z]:[\\/]")
SHARE = re.compile(r"^\\\\[^\\/]+[\\/]")


def file_url(path: str) -> str:
    """Return an absolute path as a file URL, as RFC 8089 has it.

    Every byte that is not plain ASCII is percent-encoded as UTF-8, those of names that are no
    UTF-8 as they are on disk.
    """
    drive, rest = _parted(path)
    if SHARE.match(path):
        return "file:" + _quoted(rest)
    return f"file:///{drive}{_quoted(rest)}" if drive else "file://" + _quoted(rest)


def localhost_url(path: str) -> str:
    """Return an absolute path as a file URL, as Premiere writes it."""
    drive, rest = _parted(path)
    return (
        f"file://localhost/{drive.replace(':', '%3a')}{_quoted(rest)}"
        if drive
        else ("file://localhost" + _quoted(rest))
    )


def file_name(path: str) -> str:
    """Return the last part of a path, whichever system it is from."""
    return ntpath.basename(path) if _is_windows(path) else posixpath.basename(path)


def _is_windows(path: str) -> bool:
    return bool(DRIVE.match(path) or SHARE.match(path))


def _parted(path: str) -> tuple[str, str]:
    """Return a path's drive (`S:`, or none) and the rest with slashes that lean forward."""
    if not _is_windows(path):
        return "", path if path.startswith("/") else "/" + path
    rest = path.replace("\\", "/")
    return (rest[:2], rest[2:]) if DRIVE.match(path) else ("", rest)


def _quoted(path: str) -> str:
    return quote(path.encode("utf-8", "surrogateescape"), safe="/")
