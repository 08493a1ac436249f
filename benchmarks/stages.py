"""Where indexing's time goes: each layer of the passes over pictures and sound, one on the other.

Wall and CPU seconds of this process, nothing else running. Usage: stages.py [--quick]
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import av
import numpy as np
from figures import report
from index_speed import decode_floor, excerpt

from app.demo import fetch_film
from indexer.encoders.load import load_encoders
from indexer.media.decode import Decoding, observed
from indexer.media.probe import Media, probe
from indexer.profiles import load_profile
from indexer.shots.boundaries import Boundary, BoundaryDetector, hard_cut
from indexer.shots.detect import detector_of
from indexer.shots.look import STILLS_A_SECOND, Looker
from indexer.shots.strip import Strip
from indexer.shots.watch import watch
from indexer.sound import voice
from indexer.sound.music import music_spans
from indexer.sound.recording import Recording, recording

EVERY = 112  # frames, as long as the film's shots are in the mean


class Blind:
    """Sees nothing of what is decoded."""

    def see(self, frame: av.VideoFrame, *, time_s: float) -> None:
        pass

    def pass_over(self, *, time_s: float) -> None:
        pass

    def take(self) -> int:
        return 0


class EveryFewSeconds:
    """A detector that costs nothing: as many shots as there are, anywhere."""

    wants_images = False
    bears_gaps = True
    missing: str | None = None
    settled_frame = 0

    def see(self, strip: Strip) -> list[Boundary]:
        frames = range(max(1, strip.first_frame), strip.end_frame)
        return [hard_cut(frame, confidence=1.0) for frame in frames if frame % EVERY == 0]

    def finish(self) -> list[Boundary]:
        return []


def timed(task: Callable[[], object]) -> dict[str, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    task()
    return {
        "wall_s": round(time.perf_counter() - wall, 2),
        "cpu_s": round(time.process_time() - cpu, 2),
    }


def exhaust(items: object) -> None:
    for _ in items:  # type: ignore[attr-defined]
        pass


def watched(media: Media, detector: BoundaryDetector) -> list[np.ndarray]:
    shots = watch(media, detector=detector, report=Decoding())
    return [shot.samples for shot in shots]


def of_pictures(media: Media, folder: Path) -> dict[str, dict[str, float]]:
    looker = partial(Looker, media, keep_images=False)
    samples: list[np.ndarray] = []
    layers: dict[str, Callable[[], object]] = {
        "decode every picture": lambda: exhaust(observed(media, observer=Blind, report=Decoding())),
        "decode what is needed": lambda: exhaust(
            observed(media, observer=Blind, report=Decoding(), whole_a_second=STILLS_A_SECOND)
        ),
        "the same, measure, keep stills": lambda: exhaust(
            observed(media, observer=looker, report=Decoding(), whole_a_second=STILLS_A_SECOND)
        ),
        "the same, and shots of any kind with their looks": lambda: watched(
            media, EveryFewSeconds()
        ),
        "the same, cut by the cascade": lambda: samples.extend(
            watched(media, detector_of("cascade"))
        ),
    }
    times = {name: timed(layer) for name, layer in layers.items()}
    video = load_encoders(load_profile("offline"), device="cpu", cache_dir=folder).video
    assert video is not None
    times["encode the pictures, alone"] = timed(lambda: video.encode(samples))
    return times


def of_sound(media: Media, folder: Path) -> dict[str, dict[str, float]]:
    audio = load_encoders(load_profile("offline"), device="cpu", cache_dir=folder).audio
    assert audio is not None

    def sounds(sound: Recording) -> list[np.ndarray]:
        edges = np.arange(0, sound.duration_s, EVERY / 24)
        return [sound.between(a, b) for a, b in itertools.pairwise(edges)]

    times = {"sound: decode, measure loudness": timed(lambda: recording(media).__enter__())}
    with recording(media) as sound:
        times["sound: where people speak"] = timed(lambda: voice.speech_spans(sound.samples))
        times["sound: where music plays"] = timed(lambda: music_spans(sound.samples))
        times["sound: encode"] = timed(lambda: audio.encode(sounds(sound)))
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory(prefix="trimbin-bench-") as name:
        folder = Path(name)
        film = excerpt(fetch_film(), folder) if quick else fetch_film()
        floor = decode_floor(film)
        media = probe(film)
        times = {
            "ffmpeg, decoding alone, two threads": {
                "wall_s": round(floor.wall_s, 2),
                "cpu_s": round(floor.cpu_s, 2),
            },
            **of_pictures(media, folder),
            **of_sound(media, folder),
        }
    for layer, seconds in times.items():
        print(f"{layer:52} {seconds['wall_s']:7.2f} wall {seconds['cpu_s']:7.2f} CPU")
    figures = {
        f"{layer}, {kind}": {"value": value, "target": None, "ok": True}
        for layer, seconds in times.items()
        for kind, value in seconds.items()
    }
    report("stages", figures)


if __name__ == "__main__":
    main()
