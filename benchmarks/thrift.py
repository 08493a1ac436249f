"""What the decoder leaves out, and what it does to the boundaries: the cascade with and without.

Edited reels of held-out seeds (see `edited_reel`), encoded by x264 in ways that films come in, and
the natural film: F1 with every picture decoded and with the needless ones left out, and the CPU
time of the whole pass over the pictures. Usage: thrift.py [--quick] [--media FOLDER]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from app.demo import fetch_film
from benchmarks.boundary_score import Score, Tally, score
from benchmarks.edited_reel import RATE, Reel, edit_reel
from benchmarks.figures import report
from benchmarks.shots import HELD_OUT_SEEDS, TOLERANCES, footage_of
from indexer.media.decode import Decoding
from indexer.media.probe import probe
from indexer.shots.boundaries import BoundaryDetector
from indexer.shots.detect import detector_of
from indexer.shots.strip import Strip
from indexer.shots.watch import watch

NUM_SHOTS, QUICK_SHOTS = 40, 16
ENCODINGS = {
    "x264's defaults": {"preset": "medium", "crf": "23"},
    "keyframes by the clock, no scene cuts": {"preset": "medium", "crf": "23", "g": "48",
                                              "sc_threshold": "0"},
    "eight pictures between two, small": {"preset": "medium", "crf": "30", "bf": "8"},
    "no pyramid of pictures": {"preset": "medium", "crf": "23", "x264-params": "b-pyramid=none"},
    "a steady rate, starved": {"preset": "veryfast", "b": "150k", "maxrate": "150k",
                               "bufsize": "75k"},
}  # fmt: skip
NOISE_F1 = 0.01
"""Of some 150 transitions of a kind, one or two."""


@dataclass(frozen=True)
class Seen:
    """What a pass over a film's pictures gave, and took."""

    cuts: list[int]
    num_frames: int
    num_left_out: int
    cpu_s: float


class Counting:
    """The cascade, and how many of the frames it sees were filled in."""

    def __init__(self, *, bears_gaps: bool) -> None:
        self._detector = detector_of("cascade")
        self.wants_images, self.missing = False, self._detector.missing
        self.bears_gaps = bears_gaps
        self.num_filled = 0

    @property
    def settled_frame(self) -> int:
        return self._detector.settled_frame

    def see(self, strip: Strip) -> list[Any]:
        self.num_filled += int(strip.filled.sum()) if strip.filled is not None else 0
        return self._detector.see(strip)

    def finish(self) -> list[Any]:
        return self._detector.finish()


def seen(film: Path, *, bears_gaps: bool) -> Seen:
    detector: Any = Counting(bears_gaps=bears_gaps)
    checked: BoundaryDetector = detector
    decoding, started = Decoding(), time.process_time()
    shots = list(watch(probe(film), detector=checked, report=decoding))
    cpu_s = time.process_time() - started
    cuts = [shot.opening.frame for shot in shots if shot.opening]
    return Seen(cuts, decoding.num_frames, detector.num_filled, cpu_s)


def encoded(reel: Reel, path: Path, options: dict[str, str]) -> Path:
    """Write a reel's pictures as H.264."""
    with av.open(str(path), "w") as container:
        given = dict(options)
        stream = container.add_stream("libx264", rate=RATE)
        assert isinstance(stream, av.VideoStream)
        if "b" in given:
            stream.bit_rate = int(given.pop("b").removesuffix("k")) * 1000
        stream.height, stream.width = reel.images.shape[1] * 2 // 3, reel.images.shape[2]
        stream.pix_fmt, stream.options = "yuv420p", given
        for image in reel.images:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="yuv420p")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def of_reels(reels: list[Reel], folder: Path) -> dict[str, dict[str, Any]]:
    """Return figures of each way of encoding."""
    figures = {}
    for name, options in ENCODINGS.items():
        table = {gaps: {t: Score(Tally(), Tally()) for t in TOLERANCES} for gaps in (False, True)}
        left_out = frames = 0
        cpu_s = {False: 0.0, True: 0.0}
        for reel in reels:
            path = encoded(reel, folder / "reel.mp4", options)
            for gaps, scores in table.items():
                found = seen(path, bears_gaps=gaps)
                for t in TOLERANCES:
                    scores[t] += score(found.cuts, reel.transitions, tolerance=t)
                cpu_s[gaps] += found.cpu_s
                left_out, frames = left_out + found.num_left_out, frames + found.num_frames
        figures[f"{name}: left out"] = fact(2 * left_out / frames)
        figures[f"{name}: cpu ratio"] = fact(cpu_s[True] / cpu_s[False])
        for kind in ("hard", "gradual"):
            for t in TOLERANCES:
                whole, thrifty = (getattr(table[gaps][t], kind).f1 for gaps in (False, True))
                figures[f"{name}: {kind} f1, tolerance {t}, whole"] = fact(whole)
                figures[f"{name}: {kind} f1, tolerance {t}, thrifty"] = {
                    **fact(thrifty),
                    "target": round(whole - NOISE_F1, 4),
                    "ok": thrifty >= whole - NOISE_F1,
                }
        print(name, *(f"{k.rsplit(':')[-1]} {v['value']}" for k, v in figures.items()
                      if k.startswith(name)), sep="\n  ", file=sys.stderr)  # fmt: skip
    return figures


def of_film(film: Path) -> dict[str, dict[str, Any]]:
    """Return what is left out of the natural film, and what becomes of its shots."""
    whole, thrifty = (seen(film, bears_gaps=gaps) for gaps in (False, True))
    near = [c for c in whole.cuts if any(abs(c - other) <= 2 for other in thrifty.cuts)]
    same = set(whole.cuts) & set(thrifty.cuts)
    extra = len(thrifty.cuts) - len(near)
    return {
        "film: left out": fact(thrifty.num_left_out / thrifty.num_frames),
        "film: cpu ratio": fact(thrifty.cpu_s / whole.cpu_s),
        "film: boundaries": fact(len(whole.cuts)),
        "film: at the same frame": fact(len(same)),
        "film: within two frames": {**fact(len(near)), "target": len(whole.cuts),
                                    "ok": len(near) == len(whole.cuts)},
        "film: more than there were": {**fact(extra), "target": 0, "ok": extra == 0},
    }  # fmt: skip


def fact(value: float) -> dict[str, Any]:
    return {"value": round(value, 4), "target": None, "ok": True}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--media", type=Path, default=os.environ.get("TRIMBIN_MEDIA"))
    given = parser.parse_args()
    footage = footage_of(Path(given.media) if given.media else None)
    seeds = HELD_OUT_SEEDS[: 1 if given.quick else 4]
    num_shots = QUICK_SHOTS if given.quick else NUM_SHOTS
    reels = [edit_reel(footage, seed=seed, num_shots=num_shots) for seed in seeds]
    del footage
    with tempfile.TemporaryDirectory(prefix="trimbin-bench-") as name:
        figures = of_reels(reels, Path(name))
    report("thrift", {**figures, **of_film(fetch_film())})


if __name__ == "__main__":
    main()
