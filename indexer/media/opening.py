"""How a media file is opened: whatever it holds, it leads to no other file and to no network.

A playlist, a session description or a QuickTime reference movie under a film's name could make the
demuxer open what it names. Only containers that hold their streams themselves are let in.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from qdrant.errors import InputError

if TYPE_CHECKING:
    import av
    import av.container

SELF_CONTAINED = (
    # films
    "mov", "matroska", "mpegts", "mpeg", "avi", "flv", "mxf", "asf", "ogg", "nut", "gxf", "wtv",
    "rm", "dv", "ivf", "lxf", "nsv", "bink", "smk", "swf", "gif", "yuv4mpegpipe", "film_cpk",
    # bare streams
    "h264", "hevc", "vvc", "av1", "obu", "mpegvideo", "m4v", "vc1", "vc1test", "mjpeg", "dirac",
    "cavsvideo", "h263", "h261",
    # sound
    "wav", "w64", "aiff", "caf", "au", "flac", "mp3", "aac", "ac3", "eac3", "ac4", "dts", "dtshd",
    "truehd", "mlp", "loas", "wv", "tta", "ape", "tak", "mpc", "mpc8", "amr", "amrnb", "amrwb",
    "voc", "dsf", "iff", "gsm", "oma", "qcp", "xwma", "shn", "sox",
)  # fmt: skip
"""libavformat's demuxers that read the one file they are given. Left out on purpose: hls, dash,
concat, imf, sdp, rtsp, image sequences, vobsub, avisynth, devices: they open what a file names."""

OPEN_OPTIONS = {
    "protocol_whitelist": "file",
    "format_whitelist": ",".join(SELF_CONTAINED),
    "enable_drefs": "0",  # a QuickTime track may lie in another file
    "use_absolute_path": "0",
}
"""A file may name no other place, on the disk or off it."""

PLAYLISTS: Mapping[bytes, str] = {
    b"#EXTM3U": "an HLS playlist",
    b"ffconcat": "an ffconcat list",
    b"<MPD": "a DASH manifest",
    b"<?xml": "an XML file",
    b"v=0": "a session description (SDP)",
    b"[playlist]": "a playlist",
}
"""How files begin that only name others."""
HEAD_BYTES = 64
KINDS = (
    (stat.S_ISDIR, "is a folder; name it without its files to index what it holds"),
    (stat.S_ISFIFO, "is a pipe, which can be read once only; save it as a file first"),
    (stat.S_ISSOCK, "is a socket and no file"),
    (stat.S_ISCHR, "is a device and no file"),
    (stat.S_ISBLK, "is a device and no file; index the files on it"),
)


@contextmanager
def opened(path: Path) -> Iterator[av.container.InputContainer]:
    """Open a media file; every way in which that can fail is an `InputError` about the file."""
    import av

    need_file(path)
    try:
        if path.stat().st_size == 0:
            raise InputError(f"{path} is empty (0 bytes). Copy it again from its source.")
        # With `file:` before it no name is taken for a protocol, an option or a pattern.
        container = av.open(f"file:{path}", options=OPEN_OPTIONS, metadata_errors="replace")
    except av.error.FFmpegError as error:
        raise InputError(_why_not(path, error)) from error
    except OSError as error:
        raise InputError(f"{path} cannot be opened ({error.strerror or error}).") from error
    with container:
        yield container


def need_file(path: Path) -> None:
    """Raise `InputError` for what is no regular file: a pipe would be waited for for ever."""
    need_utf8(path)
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise InputError(f"{path} cannot be opened ({why or error}).") from error
    if not stat.S_ISREG(mode):
        what = next((told for test, told in KINDS if test(mode)), "is no file")
        raise InputError(f"{path} {what}.")


def need_utf8(path: Path) -> None:
    """Raise `InputError` for a name that cannot be written down."""
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"{printable(path)} cannot be used: its name is not valid UTF-8; rename it."
        ) from error


def printable(path: Path) -> str:
    """Return a path as text that can be written anywhere: bytes that are no UTF-8 as `\\xNN`."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _why_not(path: Path, error: av.error.FFmpegError) -> str:
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES).lstrip(b"\xef\xbb\xbf \t\r\n")
    listed = next((what for begin, what in PLAYLISTS.items() if head.startswith(begin)), None)
    if listed:
        return (
            f"{path} is {listed}: it only names other files, and none is opened because a file "
            "says so. Index the films that it names."
        )
    return (
        f"{path} is not a film or sound that can be read "
        f"({error.strerror or type(error).__name__}). If it plays elsewhere, "
        "re-wrap or re-export it."
    )
