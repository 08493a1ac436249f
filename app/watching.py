"""What `trimbin watch` does: it indexes what is finished and follows what grows."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType, MappingProxyType
from typing import Any

from indexer.learning import bring_into_context, context_due, learn_context
from indexer.library import Library
from indexer.live.folder import Look, WatchedFolder
from indexer.live.follow import Followed, NotYet, follow
from indexer.pipeline import TitleResult, index
from indexer.progress import Progress
from indexer.studio import Studio
from qdrant.errors import CannotRunNow, InputError, TrimbinError, UsageError

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
MAX_FOLLOWED = 3
"""Recordings followed at once: each keeps a decoder busy."""
TRY_AGAIN_S = 10.0
"""How long something that cannot be done now is left alone."""

Tell = Callable[[TitleResult], None]


class Stopped(BaseException):
    """Somebody asked the command to end: no failure of what it was doing."""


class Watcher:
    """Watches one folder: one thread indexes what is finished, one a recording follows it."""

    def __init__(
        self, folder: Path, studio: Studio, *, settled_s: float, stop: threading.Event, tell: Tell
    ) -> None:
        if not folder.is_dir():
            raise UsageError(f"There is no folder {folder} to watch.")
        self._folder = WatchedFolder(folder, settled_s=settled_s)
        self._settled_s = settled_s
        self._stop = stop
        self._tell = tell
        # The stages report how far they are again and again: there they can be stopped.
        self._studio = replace(studio, progress=_stoppable(studio.progress, stop))
        self._threads: dict[Path | None, threading.Thread] = {}  # None: the one that indexes
        self._stops: dict[Path, threading.Event] = {}  # of those that follow
        self._unreadable: set[Path] = set()  # until they are finished
        self._not_before: dict[Path, float] = {}  # what failed is left alone for a while
        self._complaints: set[str] = set()
        self.left: list[Followed] = []  # what goes on after we have stopped

    @property
    def has_failed(self) -> bool:
        """Whether something could not be taken."""
        return bool(self._complaints)

    def run(self, *, once: bool = False) -> None:
        """Watch until `stop` is set; `once`: until nothing grows any more."""
        waiting: list[Path] = []
        while not self._stop.is_set():
            look = self._folder.look(followed=self._followed())
            for sentence in look.refused:
                self._complain(sentence)
            waiting += look.settled
            self._unreadable -= set(look.settled)
            if waiting and None not in self._living():
                self._start(None, self._index, tuple(waiting))
                waiting = []
            busy = self._follow_all(look)
            if once and not (busy or waiting or look.undecided or self._living()):
                return
            self._stop.wait(LOOK_EVERY_S)
        for event in self._stops.values():
            event.set()
        for thread in self._threads.values():
            thread.join()

    def _follow_all(self, look: Look) -> bool:
        """Follow what grows, as many as may be; whether there is something left to do."""
        for path in look.segments & set(self._stops):
            self._stops[path].set()  # it is a piece of a longer recording
        todo = [path for path in look.growing if not self._is_known(path)]
        for path in todo:
            waits = path in self._unreadable or time.monotonic() < self._not_before.get(path, 0)
            if waits or len(self._followed()) >= MAX_FOLLOWED:
                continue
            self._stops[path] = threading.Event()
            self._start(path, self._follow, path, self._stops[path])
        return bool(todo)

    def _is_known(self, path: Path) -> bool:
        """Whether a recording has been followed to its end, and is as it was then."""
        titles = self._studio.library.titles()
        is_known = any(title.describes(path) and not title.live for title in titles)
        if is_known:
            self._folder.done_with(path)
        return is_known

    def _living(self) -> list[Path | None]:
        return [path for path, thread in self._threads.items() if thread.is_alive()]

    def _followed(self) -> list[Path]:
        return [path for path in self._living() if path is not None]

    def _start(self, key: Path | None, work: Callable[..., None], *arguments: object) -> None:
        name = key.name if key else "indexing"
        thread = threading.Thread(target=work, args=arguments, name=name, daemon=True)
        self._threads[key] = thread
        thread.start()

    def _index(self, paths: Sequence[Path]) -> None:
        try:
            for result in index(paths, self._studio):
                if result.status == "failed":
                    self._complain(result.reason)
                elif result.status != "unchanged":
                    self._tell(result)
        except Stopped:
            return
        except TrimbinError as error:
            self._complain(str(error))

    def _follow(self, path: Path, stop: threading.Event) -> None:
        try:
            followed = follow(path, self._studio, settled_s=self._settled_s, stop=stop)
        except Stopped:
            return
        except NotYet as error:
            self._unreadable.add(path)
            self._studio.say(str(error))
        except Exception as error:
            ours = isinstance(error, TrimbinError)
            self._complain(str(error) if ours else f"{path} cannot be followed ({error!r}).")
            logger.info("%s failed", path, exc_info=error)
            self._not_before[path] = time.monotonic() + TRY_AGAIN_S
            if isinstance(error, InputError):
                self._folder.done_with(path)
        else:
            self._ended(followed, was_stopped=stop.is_set())

    def _ended(self, followed: Followed, *, was_stopped: bool) -> None:
        if followed.is_finished:
            self._folder.done_with(followed.path)
            self._tell(_result(followed))
            self._learn()
        elif not was_stopped:
            self._complain(f"{followed.path.name}: {followed.reason}")
            self._folder.done_with(followed.path)
        elif self._stop.is_set():
            self.left.append(followed)
        elif followed.title_id and followed.shots:  # a piece of a longer recording
            shutil.rmtree(self._studio.library.folder(followed.title_id), ignore_errors=True)
            self._studio.published()

    def _learn(self) -> None:
        """Learn the library's first context model where it is due, as `trimbin index` does."""
        try:
            if context_due(self._studio.library) == "first":
                learn_context(self._studio)
                bring_into_context(self._studio)
                self._studio.published()
        except CannotRunNow as error:
            self._studio.say(f"The context model is still to be learned: {error}")

    def _complain(self, sentence: str) -> None:
        if sentence not in self._complaints:
            self._complaints.add(sentence)
            self._studio.say(f"trimbin: {sentence}")


def watch_folder(
    folder: Path,
    studio: Studio,
    *,
    settled_s: float,
    once: bool = False,
    tell: Tell = lambda result: None,
) -> bool:
    """Watch a folder until the process is asked to end; return whether all of it could be taken.

    What goes on is told: its shots so far are in the library, and the next run continues.
    """
    folder = Path(os.path.normpath(folder.expanduser().absolute()))
    stop = threading.Event()
    watcher = Watcher(folder, studio, settled_s=settled_s, stop=stop, tell=tell)
    with _ended_by_signals(stop):
        studio.say(f"Watching {folder}. Ctrl-C ends it.")
        watcher.run(once=once)
    for followed in watcher.left:
        studio.say(
            f"{followed.path.name} goes on; {followed.shots} shots of it are in the library at "
            f"{studio.library.root}, and the next `trimbin watch` follows it further."
        )
    return not watcher.has_failed


def watch_library(
    folder: Path,
    *,
    root: Path,
    profile: str | None,
    settled_s: float,
    once: bool = False,
    device: str = "auto",
    chosen: Mapping[str, Any] = MappingProxyType({}),
    tell: Tell = lambda result: None,
) -> bool:
    """Watch a folder into the library at `root`, as `watch_folder` does; open both first."""
    from app.studio import open_studio, publishing

    library = Library.open(root, create=True, profile=profile)
    with open_studio(library, device=device) as studio:
        studio.chosen = chosen
        with publishing(studio, command="trimbin watch"):
            return watch_folder(folder, studio, settled_s=settled_s, once=once, tell=tell)


@contextmanager
def _ended_by_signals(stop: threading.Event) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM set `stop`; the second one interrupts."""

    def ask(number: int, frame: FrameType | None) -> None:
        for name in before:
            signal.signal(name, before[name])
        # Not here: the thread that is interrupted may hold the event's lock.
        threading.Thread(target=stop.set).start()

    names = (signal.SIGINT, signal.SIGTERM)
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {name: signal.getsignal(name) for name in names}
    for name in names:
        signal.signal(name, ask)
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


def _stoppable(progress: Progress, stop: threading.Event) -> Progress:
    def report(stage: str, done: float, total: float) -> None:
        if stop.is_set():
            raise Stopped
        progress(stage, done, total)

    return report


def _result(followed: Followed) -> TitleResult:
    return TitleResult(
        title_id=followed.title_id,
        path=str(followed.path),
        shots=followed.shots,
        seconds=followed.seconds,
        status="indexed",
        reason=followed.reason,
    )
