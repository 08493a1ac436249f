"""Re-cuts of a film, made by a seed: what each second of one shows is known."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import imageio_ffmpeg
import numpy as np

Kind = Literal["shots dropped", "highlights", "blocks reordered", "shuffled", "another opening"]
KINDS: tuple[Kind, ...] = get_args(Kind)
ANY_ORDER: tuple[Kind, ...] = ("blocks reordered", "shuffled")
"""The kinds that go back in their film."""

Span = tuple[float, float]

STRETCH_SHOTS = 40
DROPPED_SHARE = 0.35
HIGHLIGHTS = 22
BLOCKS = 5
SHORTEST_S, LONGEST_S = 0.6, 6.0
TRIMMED_SHARE = 0.15
"""At most so much of a shot goes at either end, half of the time."""
FOREIGN_S = 2.5
OPENING_S = 8.0
FOREIGN_FROM_S, FOREIGN_TO_S = 12.0, 40.0
"""Where the other film shows pictures, not titles."""
SIZE, RATE, SAMPLE_RATE_HZ = (640, 360), 24, 44_100
CRF = 28


@dataclass(frozen=True)
class Piece:
    """A span of one of the two films as it stands in the re-cut, half-open, in seconds."""

    source: Span
    start_s: float  # in the re-cut
    is_foreign: bool = False

    @property
    def seconds(self) -> float:
        return self.source[1] - self.source[0]

    @property
    def end_s(self) -> float:
        return self.start_s + self.seconds


@dataclass(frozen=True)
class Recut:
    """Which pieces follow one another."""

    kind: Kind
    pieces: tuple[Piece, ...]

    @property
    def is_in_order(self) -> bool:
        return self.kind not in ANY_ORDER

    def film_s(self, time_s: float) -> float | None:
        """Return the second of the film that is seen at one of the re-cut; None: another film."""
        for piece in self.pieces:
            if piece.start_s <= time_s < piece.end_s:
                return None if piece.is_foreign else piece.source[0] + time_s - piece.start_s
        return None


def plan(kind: Kind, shots: Sequence[Span], *, seed: int) -> Recut:
    """Return the re-cut of a seed, out of a film's shots and one or two foreign spans."""
    generator = np.random.default_rng([seed, KINDS.index(kind)])
    spread = kind in ("highlights", "shuffled")
    long_enough = [i for i, (start_s, end_s) in enumerate(shots) if end_s - start_s >= SHORTEST_S]
    if spread:
        chosen = sorted(generator.choice(long_enough, HIGHLIGHTS, replace=False).tolist())
    else:
        first = int(generator.integers(len(long_enough) - STRETCH_SHOTS))
        stretch = long_enough[first : first + STRETCH_SHOTS]
        chosen = [shot for shot in stretch if generator.random() >= DROPPED_SHARE]
    if kind == "shuffled":
        generator.shuffle(chosen)
    if kind == "blocks reordered":
        blocks = np.array_split(np.array(chosen), BLOCKS)
        chosen = [int(shot) for number in generator.permutation(BLOCKS) for shot in blocks[number]]
    sources = [(_trimmed(shots[shot], generator), False) for shot in chosen]
    inserted = int(generator.integers(len(sources) // 4, 3 * len(sources) // 4))
    sources.insert(inserted, (_foreign(FOREIGN_S, generator), True))
    if kind == "another opening":
        sources.insert(0, (_foreign(OPENING_S, generator), True))
    pieces, at_s = [], 0.0
    for source, is_foreign in sources:
        pieces.append(Piece(source, at_s, is_foreign))
        at_s = pieces[-1].end_s
    return Recut(kind, tuple(pieces))


def make(recut: Recut, path: Path, *, film: Path, foreign: Path) -> Path:
    """Write a re-cut, smaller than its film and encoded anew."""
    inputs, chains, joined = [], [], ""
    width, height = SIZE
    for number, piece in enumerate(recut.pieces):
        source = foreign if piece.is_foreign else film
        inputs += ["-ss", f"{piece.source[0]:.6f}", "-t", f"{piece.seconds:.6f}", "-i", str(source)]
        chains.append(
            f"[{number}:v]scale={width}:{height}:force_original_aspect_ratio=decrease,"
            f"pad={width}:{height}:-1:-1,fps={RATE},setsar=1[v{number}];"
            f"[{number}:a]aresample={SAMPLE_RATE_HZ},aformat=channel_layouts=stereo[a{number}];"
        )
        joined += f"[v{number}][a{number}]"
    graph = "".join(chains) + f"{joined}concat=n={len(recut.pieces)}:v=1:a=1[v][a]"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-y", *inputs,
               "-filter_complex", graph, "-map", "[v]", "-map", "[a]", "-c:v", "libx264",
               "-preset", "veryfast", "-crf", str(CRF), "-threads", "1", "-c:a", "aac",
               str(path)]  # fmt: skip
    subprocess.run(command, check=True)
    return path


def _trimmed(shot: Span, generator: np.random.Generator) -> Span:
    """Return a shot without some of its ends, on the frames of the re-cut, no longer than most."""
    start_s, end_s = shot
    off = generator.uniform(0, TRIMMED_SHARE, 2) * (generator.random(2) < 0.5) * (end_s - start_s)
    start_s, end_s = start_s + off[0], min(end_s - off[1], start_s + off[0] + LONGEST_S)
    frames = max(1, round((end_s - start_s) * RATE))
    start_s = round(start_s * RATE) / RATE
    return start_s, start_s + frames / RATE


def _foreign(seconds: float, generator: np.random.Generator) -> Span:
    start_s = round(generator.uniform(FOREIGN_FROM_S, FOREIGN_TO_S - seconds) * RATE) / RATE
    return start_s, start_s + seconds
