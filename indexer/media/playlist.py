"""HLS playlists (RFC 8216), read by ourselves: which segments they name.

libavformat's own HLS reader opens whatever a playlist names. This one takes nothing but files in
the playlist's own folder. `indexer.media.joined` makes one stream of them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from indexer.media.opening import need_file
from qdrant.errors import InputError

MARK = "#EXTM3U"
MAX_PLAYLIST_BYTES = 16 * 1024 * 1024
"""A day of one-second segments takes five megabytes."""
ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"]*"|[^,]*)')
OTHER_PLACE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|[/\\~]")
"""How a URL, a drive's letter or an absolute path begins."""
DEFAULT_TARGET_S = 6.0
"""What Apple recommends for segments, where a playlist does not say."""


@dataclass(frozen=True)
class HlsPlaylist:
    """What a playlist names, every path inside its own folder."""

    segments: tuple[Path, ...]  # in order; a live one's oldest may have been deleted
    init: Path | None  # the header that segments of fragmented MP4 share
    is_finished: bool  # nothing will be added
    target_duration_s: float  # the longest segment's: how often to look again
    first_number: int = 0  # of the first segment: a live playlist lets go of old ones
    notes: tuple[str, ...] = ()  # sentences: what is left out


def hls_segments(path: Path) -> HlsPlaylist:
    """Read a playlist; of several variants the one with the highest bandwidth.

    Raises `InputError` for what is no playlist, and for one that names anything outside its own
    folder, parts of files (byte ranges), or encrypted segments.
    """
    lines = _lines(path)
    variants = _variants(lines)
    if not variants:
        return _segments(path, lines)
    here = {name: rate for name, rate in variants.items() if not _is_elsewhere(name)}
    if not here:
        raise _refused(path, next(iter(variants)))
    chosen = _inside(path, max(here, key=lambda name: here[name]))
    inner = _lines(chosen)
    if _variants(inner):
        raise InputError(f"{chosen} is a list of variants within another; name one of its own.")
    return _segments(chosen, inner, notes=_sound_elsewhere(path, lines))


def _lines(path: Path) -> list[str]:
    """Return a playlist's lines. Raises `InputError` for what is none."""
    need_file(path)
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_PLAYLIST_BYTES + 1)
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror or error}).") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is no HLS playlist: it is not UTF-8 text.") from error
    if len(content) > MAX_PLAYLIST_BYTES:
        raise InputError(f"{path} is too long for a playlist ({MAX_PLAYLIST_BYTES:,} bytes).")
    # A last line without an end is still being written.
    lines = [line.strip() for line in text.splitlines(keepends=True) if line.endswith(("\n", "\r"))]
    if text and not text.endswith(("\n", "\r")) and text.splitlines()[-1] == "#EXT-X-ENDLIST":
        lines.append("#EXT-X-ENDLIST")
    if not lines or not lines[0].startswith(MARK):
        raise InputError(f"{path} is no HLS playlist: it does not begin with {MARK}.")
    return [line for line in lines if line]


def _variants(lines: Sequence[str]) -> dict[str, int]:
    """Return the names of a master playlist's variants, with their bits a second."""
    found: dict[str, int] = {}
    bandwidth: int | None = None
    for line in lines:
        tag, _, value = line.partition(":")
        if tag == "#EXT-X-STREAM-INF":
            bandwidth = _whole(_attributes(value).get("BANDWIDTH", ""))
        elif bandwidth is not None and not line.startswith("#"):
            found[line], bandwidth = bandwidth, None
    return found


def _segments(path: Path, lines: Sequence[str], *, notes: tuple[str, ...] = ()) -> HlsPlaylist:
    """Read a playlist of segments."""
    segments: list[Path] = []
    inits: list[Path] = []
    header: dict[str, str] = {}
    for line in lines:
        tag, _, value = line.partition(":")
        if not line.startswith("#"):
            segments.append(_inside(path, line))
        elif tag == "#EXT-X-MAP":
            inits.append(_inside(path, _whole_file(path, _attributes(value)).get("URI", "")))
        elif tag == "#EXT-X-BYTERANGE":
            raise _ranged(path)
        elif tag == "#EXT-X-KEY" and _attributes(value).get("METHOD", "NONE") != "NONE":
            raise InputError(
                f"{path} names encrypted segments (EXT-X-KEY), which are not decrypted here. "
                "Index an unencrypted copy."
            )
        else:
            header[tag] = value
    if len(set(inits)) > 1:
        raise InputError(
            f"{path} changes its header (EXT-X-MAP) on the way, so its segments are no one film. "
            "Re-wrap them into one file."
        )
    return HlsPlaylist(
        segments=tuple(segments),
        init=inits[0] if inits else None,
        is_finished="#EXT-X-ENDLIST" in header or header.get("#EXT-X-PLAYLIST-TYPE") == "VOD",
        target_duration_s=_seconds(header.get("#EXT-X-TARGETDURATION", "")),
        first_number=_whole(header.get("#EXT-X-MEDIA-SEQUENCE", "0")),
        notes=notes,
    )


def _sound_elsewhere(path: Path, lines: Sequence[str]) -> tuple[str, ...]:
    """Say where a master playlist keeps the sound apart: one variant is all that is read."""
    media = [_attributes(line) for line in lines if line.startswith("#EXT-X-MEDIA:")]
    names = [tags["URI"] for tags in media if tags.get("TYPE") == "AUDIO" and "URI" in tags]
    if not names:
        return ()
    return (f"{path} keeps its sound apart ({', '.join(names)}), which is not read.",)


def _inside(playlist: Path, name: str) -> Path:
    """Return the file that a playlist names. Raises `InputError` for one outside its folder."""
    if _is_elsewhere(name):
        raise _refused(playlist, name)
    folder = playlist.parent
    if "%" in name and not (folder / name).exists():
        name = unquote(name)
        if _is_elsewhere(name):
            raise _refused(playlist, name)
    try:
        whole = (folder / name).resolve()
        within = whole.is_relative_to(folder.resolve())
    except (OSError, RuntimeError, ValueError) as error:
        raise _refused(playlist, name) from error
    if not within:
        raise _refused(playlist, name)
    if whole == playlist.resolve():
        raise InputError(f"{playlist} names itself ({name!r}), so it is no list of a film's parts.")
    if whole.exists():
        need_file(whole)
    return whole


def _is_elsewhere(name: str) -> bool:
    """Whether a name is empty, absolute, a URL, or climbs out of its folder."""
    parts = re.split(r"[/\\]", name)
    return not name or bool(OTHER_PLACE.match(name)) or os.pardir in parts or "\0" in name


def _refused(playlist: Path, name: str) -> InputError:
    return InputError(
        f"{playlist} names {name!r}, which is not in its own folder; a playlist may lead nowhere "
        "else. Copy the segments beside it, by their plain names."
    )


def _ranged(playlist: Path) -> InputError:
    return InputError(
        f"{playlist} names parts of files (EXT-X-BYTERANGE), which are not read. "
        "Index the whole file that they are parts of."
    )


def _whole_file(playlist: Path, attributes: Mapping[str, str]) -> Mapping[str, str]:
    if "BYTERANGE" in attributes:
        raise _ranged(playlist)
    return attributes


def _attributes(text: str) -> dict[str, str]:
    return {name: value.strip('"') for name, value in ATTRIBUTE.findall(text)}


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 20 else 0


def _seconds(text: str) -> float:
    return float(text) if re.fullmatch(r"\d{1,6}(\.\d+)?", text) else DEFAULT_TARGET_S
