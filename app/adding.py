"""Films indexed from the page: a child process of its own, so that searching goes on.

The process belongs to the server, not to a visit: a page that is loaded again finds it as it is.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qdrant.errors import CannotRunNow

STOP_WITHIN_S = 10.0
"""How long a child gets to put its work away."""
SENTENCES_KEPT = 20
"""Lines of its stderr that are kept for the case that it fails."""


@dataclass
class Work:
    """A Trimbin command under way in a child process, which reports as lines of JSON."""

    what: str  # for people: "2 paths"
    process: subprocess.Popen[str]
    stage: str = ""
    share: float = 0.0  # 0..1 of the stage
    results: list[dict[str, Any]] = field(default_factory=list)
    was_stopped: bool = False
    _said: deque[str] = field(default_factory=lambda: deque(maxlen=SENTENCES_KEPT))
    _readers: list[threading.Thread] = field(default_factory=list)

    @classmethod
    def start(cls, what: str, arguments: Sequence[object]) -> Work:
        """Start `trimbin ARGUMENTS`. Raises `CannotRunNow` where no process can be had."""
        command = [sys.executable, "-m", "app", *map(str, arguments)]
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                errors="replace",
                env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"},
                start_new_session=os.name != "nt",  # Ctrl-C at the page's terminal: we stop it
            )
        except OSError as error:
            raise CannotRunNow(f"No process can be started ({error}). Try again later.") from error
        work = cls(what, process)
        for follow in (work._follow_results, work._follow_sentences):
            thread = threading.Thread(target=follow, name="adding", daemon=True)
            thread.start()
            work._readers.append(thread)
        return work

    @property
    def is_running(self) -> bool:
        """Whether it is still under way, or has more to tell."""
        return self.process.poll() is None or any(reader.is_alive() for reader in self._readers)

    @property
    def trouble(self) -> str | None:
        """What went wrong as a whole, as its sentence; None while it runs and when all is well."""
        if self.is_running or self.was_stopped or self.process.returncode == 0:
            return None
        if any(result.get("status") == "failed" for result in self.results):
            return None  # told file by file
        said = [line.removeprefix("trimbin: ") for line in self._said]
        return said[-1] if said else f"It ended with exit code {self.process.returncode}."

    def stop(self) -> None:
        """Ask it to end, and see that it does. What was finished stays."""
        if self.process.poll() is not None:
            return
        self.was_stopped = True
        self.process.terminate()  # a title is there whole or not at all, so nothing is lost
        try:
            self.process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _follow_results(self) -> None:
        assert self.process.stdout
        with self.process.stdout as stream:
            for line in stream:
                try:
                    told = json.loads(line)
                except ValueError:
                    continue
                if "stage" in told:
                    self.stage, total = str(told["stage"]), told.get("total") or 0
                    self.share = min(told.get("done", 0) / total, 1.0) if total else 0.0
                else:
                    self.results.append(told)
                    self.stage, self.share = "", 0.0

    def _follow_sentences(self) -> None:
        assert self.process.stderr
        with self.process.stderr as stream:
            self._said.extend(line.strip() for line in stream if line.strip())


class Adding:
    """The one piece of work of a kind that a server has; the last one stays to be read."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._work: Work | None = None

    @property
    def work(self) -> Work | None:
        """The work under way, or the last one until it is put away."""
        return self._work

    def begin(self, what: str, arguments: Sequence[object]) -> Work:
        """Start work. Raises `CannotRunNow` while there is some under way."""
        with self._turn:
            if self._work and self._work.is_running:
                raise CannotRunNow("Something is being added already; wait for it, or stop it.")
            self._work = Work.start(what, arguments)
            return self._work

    def put_away(self) -> None:
        """Forget work that has ended."""
        with self._turn:
            if self._work and not self._work.is_running:
                self._work = None

    def stop(self) -> None:
        """End the work under way."""
        work = self._work
        if work:
            work.stop()


adding = Adding()
"""What the page of this process adds."""


def add_videos(paths: Sequence[Path], library_root: Path) -> Work:
    """Index files and folders in a child process. Raises `CannotRunNow` while another one runs.

    What `trimbin index` would not take is told as it tells it.
    """
    what = str(paths[0]) if len(paths) == 1 else f"{len(paths)} paths"
    options = ["--library", library_root, "--json", "--tell-progress"]
    return adding.begin(what, ["index", *options, "--", *paths])
