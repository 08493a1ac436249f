"""The most memory that indexing a long film takes: Big Buck Bunny over and over, for two hours.

Counted for the process as Linux counts it, every tenth of a second: all resident pages, and those
that are not a file's. Usage: memory.py [--quick]
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import imageio_ffmpeg
from figures import report

from app.demo import fetch_film

HOURS_REPEATS, QUICK_SECONDS = 12, 60  # 12 times 596 s; --quick: a minute of the film
TARGET_GB = 2.0
LOOK_EVERY_S = 0.1
TIME_BOUND_S = 3600


def long_film(folder: Path, *, quick: bool) -> Path:
    """Write the film, its packets copied again and again."""
    path = folder / "long.mp4"
    repeat = ["-t", str(QUICK_SECONDS)] if quick else []
    loops = "0" if quick else str(HOURS_REPEATS - 1)
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-loglevel", "error",
               "-stream_loop", loops, "-i", fetch_film(), *repeat, "-c", "copy", path]  # fmt: skip
    subprocess.run([str(part) for part in command], check=True, timeout=600)
    return path


def resident_gb(pid: int) -> tuple[float, float]:
    """Return all resident memory of a process, and what of it is no file's, in GB."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return 0.0, 0.0
    kilobytes = {name: int(kb) for name, kb in re.findall(r"(VmRSS|RssAnon):\s+(\d+) kB", status)}
    return kilobytes.get("VmRSS", 0) / 1e6, kilobytes.get("RssAnon", 0) / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory(prefix="trimbin-bench-") as name:
        film = long_film(Path(name), quick=quick)
        command = [sys.executable, "-m", "app", "index", film, "--library", Path(name, "library"),
                   "--profile", "offline", "--json"]  # fmt: skip
        started = time.perf_counter()
        process = subprocess.Popen([str(part) for part in command], text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)  # fmt: skip
        peak_gb = peak_own_gb = 0.0
        while process.poll() is None and time.perf_counter() - started < TIME_BOUND_S:
            resident, own = resident_gb(process.pid)
            peak_gb, peak_own_gb = max(peak_gb, resident), max(peak_own_gb, own)
            time.sleep(LOOK_EVERY_S)
        process.kill()
        said, _ = process.communicate()
        took_s = time.perf_counter() - started
    result = json.loads(said.splitlines()[-1])
    figures = {
        "peak_gb": {"value": round(peak_gb, 3), "target": TARGET_GB, "ok": peak_gb < TARGET_GB},
        "peak_without_files_gb": {"value": round(peak_own_gb, 3), "target": None, "ok": True},
        "film_s": {"value": result["seconds"], "target": None, "ok": True},
        "shots": {"value": result["shots"], "target": None, "ok": True},
        "wall_s": {"value": round(took_s, 1), "target": None, "ok": True},
    }
    report("memory", figures)


if __name__ == "__main__":
    main()
