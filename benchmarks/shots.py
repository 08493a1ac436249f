"""Shot boundaries: ours against PySceneDetect's detectors and TransNetV2, exact truth by editing.

F1 on edited reels of seeds that nothing was tuned on (see `edited_reel` and `boundary_score`),
speed on the natural film; decoding is left out of both. Every detector runs in one thread, at its
defaults. Usage: shots.py [--quick] [--media FOLDER] [--tuning]
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))

from app.demo import fetch_film
from benchmarks.boundary_score import Score, Tally, score
from benchmarks.edited_reel import HEIGHT, RATE, WIDTH, Footage, Reel, edit_reel
from benchmarks.figures import report
from indexer.shots.boundaries import BoundaryDetector
from indexer.shots.cascade import CascadeBoundaries
from indexer.shots.strip import Strip, StripMaker
from indexer.shots.transnet import TransNetBoundaries

TUNING_SEEDS = range(100)
"""For whoever changes a detector."""
HELD_OUT_SEEDS = range(1000, 1008)
"""Reported, and never tuned on."""
NUM_SHOTS, QUICK_SHOTS = 40, 16
QUICK_FRAMES = 1000
"""Of the natural film, for speed."""
TOLERANCES = (0, 2)
STRIP_FRAMES = 120
CLEAN_SHOTS = Path(__file__).with_name("clean_shots.json")
SINTEL = "sintel_trailer_720p.mp4"
TARGET_HARD, TARGET_GRADUAL, TARGET_SPEED = 0.97, 0.85, 8.0

Images = NDArray[np.uint8]


def decoded(film: Path) -> Images:
    """Return every frame, (n, 216, 256) I420."""
    images = []
    with av.open(str(film)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        for frame in container.decode(stream):
            planes = []
            for plane, down in zip(frame.planes, (1, 2, 2), strict=True):
                rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
                rows = rows[: -(-frame.height // down), : -(-frame.width // down)]
                size = (WIDTH // down, HEIGHT // down)
                planes.append(cv2.resize(rows, size, interpolation=cv2.INTER_LINEAR).ravel())
            images.append(np.concatenate(planes).reshape(HEIGHT * 3 // 2, WIDTH))
    return np.stack(images)


def footage_of(media: Path | None) -> list[Footage]:
    """Return the footage at hand; what is not there is named on stderr."""
    films = {"Big Buck Bunny": fetch_film()}
    if media and (media / SINTEL).is_file():
        films["Sintel trailer"] = media / SINTEL
    else:
        print(f"{SINTEL} is not in --media: its shots are LEFT OUT of the reels.", file=sys.stderr)
    known = json.loads(CLEAN_SHOTS.read_text())
    found = []
    for name, path in films.items():
        if hashlib.sha256(path.read_bytes()).hexdigest() != known[name]["sha256"]:
            print(f"{path} is another edition: its shots are LEFT OUT.", file=sys.stderr)
            continue
        runs = tuple((start, end) for start, end in known[name]["runs"])
        found.append(Footage(name, decoded(path), runs))
    return found


def strips(images: Images) -> list[Strip]:
    maker, made = StripMaker(), []
    for number, image in enumerate(images):
        maker.see(np.ascontiguousarray(image), time_s=number / RATE)
        if (number + 1) % STRIP_FRAMES == 0 or number + 1 == len(images):
            made.append(maker.take(first_frame=STRIP_FRAMES * len(made)))
    return made


def ours(make: Callable[[], BoundaryDetector], images: Images) -> list[int]:
    """Return the frames a detector of ours names, its strips made here."""
    detector = make()
    found = [boundary for strip in strips(images) for boundary in detector.see(strip)]
    return [boundary.frame for boundary in [*found, *detector.finish()]]


def theirs(name: str, images: Images) -> list[int]:
    """Return the cuts of one of PySceneDetect's detectors at its defaults."""
    import scenedetect

    detector = getattr(scenedetect, name)()
    cuts = []
    for number, image in enumerate(images):
        now = scenedetect.FrameTimecode(number, fps=float(RATE))
        bgr = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_YUV2BGR_I420)
        cuts += [cut.frame_num for cut in detector.process_frame(now, bgr)]
    return cuts + [cut.frame_num for cut in detector.post_process(now)]


DETECTORS: dict[str, Callable[[Images], list[int]]] = {
    "cascade": lambda images: ours(CascadeBoundaries, images),
    "transnet": lambda images: ours(TransNetBoundaries, images),
    **{
        name.removesuffix("Detector").lower(): lambda images, name=name: theirs(name, images)
        for name in ("AdaptiveDetector", "ContentDetector", "ThresholdDetector",
                     "HistogramDetector", "HashDetector")
    },
}  # fmt: skip


def scores(reels: list[Reel]) -> dict[str, dict[int, Score]]:
    """Return each detector's counts over all reels, by tolerance."""
    table = {name: {t: Score(Tally(), Tally()) for t in TOLERANCES} for name in DETECTORS}
    for number, reel in enumerate(reels):
        for name, detect in DETECTORS.items():
            named = detect(reel.images)
            for t in TOLERANCES:
                table[name][t] += score(named, reel.transitions, tolerance=t)
        print(f"reel {number + 1} of {len(reels)}", file=sys.stderr)
    return table


def seconds(detect: Callable[[Images], list[int]], images: Images) -> float:
    detect(images[:200])  # models are loaded, memory is warm
    started = time.perf_counter()
    detect(images)
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--media", type=Path, default=os.environ.get("TRIMBIN_MEDIA"))
    parser.add_argument("--tuning", action="store_true", help="the first tuning seeds instead")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    footage = footage_of(Path(given.media) if given.media else None)
    seeds = (TUNING_SEEDS if given.tuning else HELD_OUT_SEEDS)[: 1 if given.quick else 8]
    num_shots = QUICK_SHOTS if given.quick else NUM_SHOTS
    table = scores([edit_reel(footage, seed=seed, num_shots=num_shots) for seed in seeds])
    film = footage[0].images[: QUICK_FRAMES if given.quick else None]
    took = {name: seconds(DETECTORS[name], film) for name in ("cascade", "transnet")}
    figures: dict[str, dict[str, object]] = {}
    for kind, floor in (("hard", TARGET_HARD), ("gradual", TARGET_GRADUAL)):
        for t in TOLERANCES:
            f1 = {name: getattr(row[t], kind).f1 for name, row in table.items()}
            target = max(floor, *(value for name, value in f1.items() if name != "cascade"))
            for name, value in f1.items():
                aim = target if name == "cascade" else None
                figures[f"{name}_{kind}_f1_tolerance_{t}"] = {
                    "value": round(value, 4), "target": aim and round(aim, 4),
                    "ok": aim is None or value >= aim}  # fmt: skip
                print(
                    f"{name:10} {kind:8} tolerance {t}: {value:.3f} {getattr(table[name][t], kind)}"
                )
    ratio = took["transnet"] / took["cascade"]
    figures["times_transnet_speed"] = {
        "value": round(ratio, 1), "target": TARGET_SPEED, "ok": ratio >= TARGET_SPEED}  # fmt: skip
    for name, wall_s in took.items():
        figures[f"{name}_ms_a_frame"] = {
            "value": round(1000 * wall_s / len(film), 3), "target": None, "ok": True}  # fmt: skip
    report("shots", figures)


if __name__ == "__main__":
    main()
