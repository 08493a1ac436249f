"""A file a cut: a clip that holds exactly its frames, its sound to the sample, and its timecode.

Pictures are copied as they are where that gives exactly the cut (`copying.py`), else encoded anew
(`recipe.py`); sound becomes PCM, in every track the source has. QuickTime, because it holds all of
that with a timecode track; sound alone becomes a WAV file, QuickTime where it has several tracks.

A clip is written under another name and renamed when it is whole. It carries a mark of what it was
made from, so that another export into the same folder makes only what is not there yet.
"""

from __future__ import annotations

import hashlib
import logging
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

from app.export import recipe
from app.export.copying import copy_picture
from app.export.cutlist import Cut, CutList
from app.export.footage import Footage, footage_of
from app.export.formats import Options
from app.export.program import Stopped, run_ffmpeg
from app.export.seeking import count_pictures, mark_of_file, seek_for
from app.export.writing import left_out, part_of, whole
from indexer.progress import Progress
from qdrant.errors import InputError

logger = logging.getLogger(__name__)

TELL_EVERY_S = 0.2
"""How often progress is told: by the thread that asked, as whoever shows it may want."""
STALE_PART_S = 600.0
"""ffmpeg writes all the time: a half-made file left alone for so long belongs to nobody."""


def write(cuts: CutList, folder: Path, *, options: Options, progress: Progress) -> list[Path]:
    """Render every cut into the folder and return the files, in the cuts' order.

    Raises `InputError` in the end, naming the cuts that could not be made, after all others were;
    `CannotRunNow` at once where nothing can be written.
    """
    _sweep(folder)
    run = Run(options, folder, progress, total_s=sum(cut.end_s - cut.start_s for cut in cuts.cuts))
    workers = options.workers or os.cpu_count() or 1
    run.threads = max(1, (os.cpu_count() or 1) // workers)
    pool = ThreadPoolExecutor(workers, thread_name_prefix="clip")
    futures = [pool.submit(run.render, cut) for cut in cuts.cuts]
    try:
        pending = set(futures)
        while pending:
            done, pending = wait(pending, TELL_EVERY_S, return_when=FIRST_EXCEPTION)
            run.tell()
            if any(future.exception() for future in done):
                break
    finally:  # also when interrupted: children end with us
        if any(f.done() and not f.cancelled() and f.exception() for f in futures) or not all(
            f.done() for f in futures
        ):
            run.stop.set()
        pool.shutdown(wait=True, cancel_futures=True)
    return _gathered(futures, run)


def _gathered(futures: list[Future[Path | None]], run: Run) -> list[Path]:
    errors = [f.exception() for f in futures if not f.cancelled() and f.exception()]
    for error in sorted(errors, key=lambda e: isinstance(e, Stopped)):
        assert error is not None
        raise error
    if run.failures:
        raise left_out(run.failures, num_cuts=len(futures), what="clips", folder=run.folder)
    return [path for f in futures if (path := f.result())]


@dataclass
class Run:
    """One export of clips: what its workers share."""

    options: Options
    folder: Path
    progress: Progress
    total_s: float
    threads: int = 1  # for each encoder
    stop: threading.Event = field(default_factory=threading.Event)
    failures: list[InputError] = field(default_factory=list)
    _done_s: dict[str, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def render(self, cut: Cut) -> Path | None:
        """Return a cut's clip, made where it is not there yet; None where it cannot be made."""
        length_s = cut.end_s - cut.start_s
        try:
            if self.stop.is_set():
                raise Stopped
            return self._render(cut, lambda done_s: self._note(cut, min(done_s, length_s)))
        except InputError as error:
            logger.warning("%s", error)
            with self._lock:
                self.failures.append(error)
            return None
        finally:
            self._note(cut, length_s)

    def tell(self) -> None:
        """Tell how far all cuts together are."""
        with self._lock:
            done_s = sum(self._done_s.values())
        self.progress("clips", done_s, self.total_s)

    def _note(self, cut: Cut, done_s: float) -> None:
        with self._lock:
            self._done_s[cut.name] = done_s

    def _render(self, cut: Cut, told: Callable[[float], None]) -> Path:
        footage = footage_of(cut)
        is_wave = not cut.source.has_picture and len(cut.source.sounds) < 2
        path = self.folder / f"{cut.name}.{'wav' if is_wave else 'mov'}"
        mark = mark_of(cut, self.options)
        if mark_of_file(path) == mark:
            logger.info("%s is there already", path.name)
            return path
        started = time.perf_counter()
        with whole(path) as part, part_of(path) as picture:
            how = self._make(cut, footage, mark, part, picture, told)
        logger.info("%s: %s, %.1f s of film in %.1f s", path.name, how, footage.length_s,
                    time.perf_counter() - started)  # fmt: skip
        return path

    def _make(self, cut: Cut, footage: Footage, mark: str, part: Path, picture: Path,
              told: Callable[[float], None]) -> str:  # fmt: skip
        """Make a clip, and say how."""
        container = "wav" if part.name.endswith(".wav.part") else "mov"
        output = recipe.output_arguments(cut, mark, part, container=container)
        if container == "wav":
            output = ["-rf64", "auto", *output]
        run = _Child(cut.name, told, self.stop)
        seek_s = seek_for(footage)
        if footage.media.picture is None:
            run([*recipe.input_arguments(footage, seek_s),
                 *recipe.sound_arguments(cut, footage, source=0), *output])  # fmt: skip
            return "sound"
        free = not (self.options.reencode or self.options.burn_timecode)
        if free and copy_picture(footage, picture):
            sounds = recipe.sound_arguments(cut, footage, source=1)
            source = recipe.input_arguments(footage, seek_s) if sounds else []
            run(["-i", f"file:{picture}", *source, "-map", "0:v", "-c:v", "copy", *sounds, *output])
            return "pictures copied"
        for at_s in dict.fromkeys((seek_s, None)):  # a seek that went astray: from the beginning
            run([
                *("-threads", f"{self.threads}", *recipe.input_arguments(footage, at_s)),
                *recipe.picture_arguments(
                    cut, footage, burn=self.options.burn_timecode, threads=self.threads
                ),
                *recipe.sound_arguments(cut, footage, source=0), *output,
            ])  # fmt: skip
            count = count_pictures(part)
            if footage.num_frames in (None, count):
                return "pictures encoded"
        raise InputError(
            f"{cut.name} has {count} pictures where {footage.num_frames} should be: "
            f"{footage.media.path} is damaged there, or not as it was when it was indexed."
        )


@dataclass(frozen=True)
class _Child:
    """ffmpeg for one cut."""

    name: str
    told: Callable[[float], None]
    stop: threading.Event

    def __call__(self, arguments: list[str]) -> None:
        run_ffmpeg(
            ["-copyts", *arguments], told=self.told, stop=self.stop,
            folder=recipe.font_folder(), name=self.name,
        )  # fmt: skip


def mark_of(cut: Cut, options: Options) -> str:
    """Return what a clip is known by: a hash of all that it is made from."""
    stat = cut.source.local.stat() if cut.source.local.is_file() else None
    inputs = (
        recipe.VERSION, cut.source.title_id, stat and (stat.st_size, stat.st_mtime_ns),
        cut.start_frame, cut.end_frame, f"{cut.start_s:.6f}", f"{cut.end_s:.6f}", cut.source_in,
        cut.source.reel, options.burn_timecode, options.reencode,
    )  # fmt: skip
    return f"trimbin {hashlib.sha256(repr(inputs).encode()).hexdigest()[:32]}"


def _sweep(folder: Path) -> None:
    """Take away what a crash left behind. Raises `CannotRunNow` for a folder not to be written."""
    with part_of(folder / "clips") as part:
        part.touch()
    for part in folder.glob(".*.part"):
        try:
            if time.time() - part.stat().st_mtime > STALE_PART_S:
                part.unlink()
        except FileNotFoundError:  # another export was quicker
            continue
