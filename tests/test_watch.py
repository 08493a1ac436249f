"""`trimbin watch` as people run it: a process that is killed, stopped and started again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from growing import growing, make_recording, wait_until, warm_encoders
from harness import need_offline_profile
from shelf import make_film

from indexer.library import Library
from indexer.manifest import Manifest

COMMAND = """
import json, sys
from dataclasses import asdict
from pathlib import Path
from app.watching import watch_library
folder, root, settled_s, *rest = sys.argv[1:]
ok = watch_library(Path(folder), root=Path(root), profile="offline", settled_s=float(settled_s),
    once="--once" in rest, chosen={"detector": "adaptive", "transcribe": "never"},
    tell=lambda result: print(json.dumps(asdict(result)), flush=True))
sys.exit(not ok)
"""


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need_offline_profile()
    folder = tmp_path_factory.mktemp("recordings")
    make_recording(folder, suffix=".ts")
    warm_encoders(folder)
    return folder


def start(folder: Path, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", COMMAND, folder / "films", folder / "library", *arguments]
    return subprocess.Popen(
        [str(part) for part in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def watching(folder: Path, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    with start(folder, *arguments) as process:
        try:
            yield process
        finally:
            process.kill()


def titles(folder: Path) -> list[Manifest]:
    if not (folder / "library" / "trimbin.toml").exists():
        return []
    return Library.open(folder / "library").titles()


def shots(folder: Path) -> int:
    return sum(manifest.num_shots for manifest in titles(folder))


def test_killed_and_started_again_it_loses_nothing(tmp_path: Path, recordings: Path) -> None:
    films = tmp_path / "films"
    films.mkdir()
    source, target = recordings / "Recording.ts", films / "Recording.ts"
    with growing(source, target, piece_s=0.4):
        with watching(tmp_path, 60) as process:
            wait_until(lambda: shots(tmp_path) >= 2, within_s=90)
            process.send_signal(signal.SIGKILL)
        [live] = titles(tmp_path)
        assert live.live
        with watching(tmp_path, 2) as process:
            fewest = live.num_shots
            while titles(tmp_path)[0].live:
                fewest = min(fewest, shots(tmp_path))
                assert process.poll() is None, process.communicate()
                time.sleep(0.05)
            assert fewest == live.num_shots
            [finished] = titles(tmp_path)
            assert (finished.title_id, finished.num_shots) == (live.title_id, 6)
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=20)
    assert process.returncode == 0, err
    assert '"shots": 6' in out


def test_stopped_it_says_what_goes_on_and_once_ends_by_itself(
    tmp_path: Path, recordings: Path
) -> None:
    films = tmp_path / "films"
    films.mkdir()
    source, target = recordings / "Recording.ts", films / "Recording.ts"
    with growing(source, target, upto=0.6, piece_s=0.2), watching(tmp_path, 600) as process:
        wait_until(lambda: shots(tmp_path) >= 2)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
        assert process.returncode == 0, err
        assert "Recording.ts goes on" in err
    assert titles(tmp_path)[0].live

    finished = make_film(films / "Finished.mp4", seconds=1)
    os.utime(finished, (0, 0))
    target.write_bytes(source.read_bytes())
    with watching(tmp_path, 1, "--once") as process:
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert sorted((m.title, m.num_shots, m.live) for m in titles(tmp_path)) == [
        ("Finished", 1, False),
        ("Recording", 6, False),
    ]
    told = {Path(line["path"]).name: line["shots"] for line in map(json.loads, out.splitlines())}
    assert told == {"Finished.mp4": 1, "Recording.ts": 6}
