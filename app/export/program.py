"""The ffmpeg program as a child of ours: how far it is, why it failed, and stopped when we are."""

from __future__ import annotations

import subprocess
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from app.export.writing import disk_full
from qdrant.errors import CannotRunNow, InputError

ALWAYS = (
    *("-hide_banner", "-nostdin", "-loglevel", "error"),
    *("-progress", "pipe:1", "-stats_period", "0.5"),
)
FULL = ("No space left on device", "Disk quota exceeded")
LACKS = "No such filter"
KILL_WAIT_S = 10.0


class Stopped(Exception):
    """The export was given up while a clip was being rendered."""


def run_ffmpeg(
    arguments: Sequence[str],
    *,
    told: Callable[[float], None],
    stop: threading.Event,
    folder: Path,
    name: str,
) -> None:
    """Run ffmpeg in `folder` until it is done; no shell ever reads the arguments.

    `told` hears the seconds written so far. Raises `InputError` about `name` where it fails,
    `CannotRunNow` where no clip could be made, and `Stopped` when `stop` is set.
    """
    with tempfile.TemporaryFile() as complaints:  # a pipe nobody reads would fill up and block
        child = subprocess.Popen(
            [_ffmpeg(), *ALWAYS, *arguments], cwd=folder, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=complaints, text=True,
        )  # fmt: skip
        try:
            assert child.stdout is not None
            for line in child.stdout:
                if stop.is_set():
                    raise Stopped
                key, _, value = line.partition("=")
                if key == "out_time_us" and value.strip().isdigit():
                    told(int(value) / 1_000_000)
            code = child.wait()
        finally:
            if child.poll() is None:
                child.kill()
                child.wait(KILL_WAIT_S)
            if child.stdout:
                child.stdout.close()
        if code:
            complaints.seek(0)
            raise _why(code, complaints.read().decode(errors="replace"), name)


def _why(code: int, said: str, name: str) -> Exception:
    if any(words in said for words in FULL):
        return disk_full(name)
    if LACKS in said:
        return CannotRunNow(
            "The ffmpeg program of this machine cannot draw text, so no timecode can be burnt in. "
            "Name another one in IMAGEIO_FFMPEG_EXE, or export clips without it."
        )
    if code < 0:
        return InputError(
            f"{name} was not finished: the program that renders it was stopped (signal {-code}). "
            "Export once more; what is finished is not rendered again."
        )
    lines = said.strip().splitlines() or ["no reason given"]
    return InputError(
        f"{name} cannot be rendered ({lines[-1]}). If its source plays elsewhere, re-wrap or "
        "re-export it and index it again."
    )


def _ffmpeg() -> str:
    import imageio_ffmpeg

    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise CannotRunNow(
            "Clips are rendered by the ffmpeg program, and none is here. Install the "
            "imageio-ffmpeg wheel of this platform, or name one in IMAGEIO_FFMPEG_EXE."
        ) from error
