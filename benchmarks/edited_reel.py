"""Reels edited from real footage by a seed: every transition is known to the frame.

Shots come from the clean insides of real ones and are joined by cuts, dissolves, fades and wipes;
flashes, whip pans and camera shake are put in, which are no boundaries.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 256, 144
RATE = 24

Kind = Literal["cut", "dissolve", "fade", "wipe"]
KINDS: tuple[tuple[Kind, float], ...] = (
    ("cut", 0.5), ("dissolve", 0.25), ("fade", 0.13), ("wipe", 0.12),
)  # fmt: skip
DISSOLVE_FRAMES = (4, 48)
FADE_HALF_FRAMES = (4, 24)
HOLD_FRAMES = (0, 12)
LONG_BLACK_FRAMES = (30, 48)
LONG_BLACK_SHARE = 0.2
WHITE_SHARE = 0.33
WIPE_FRAMES = (8, 32)
WIPE_EDGES_PX = (1, 4, 16)
SHOT_FRAMES = (20, 100)
DISTRACTION_SHARE = 0.6
CLEAR_FRAMES = 10
"""Between a distraction and the ends of its shot."""
FLASH_FRAMES = (1, 4)
PAN_FRAMES = (8, 16)
SHAKE_FRAMES = (12, 40)
SHAKE_PX = (3, 10)
BLACK_LUMA, WHITE_LUMA, GREY_COLOUR = 16, 235, 128

Frames = NDArray[np.uint8]


@dataclass(frozen=True)
class Footage:
    """Decoded film, and the runs `[start, end)` of it inside single shots."""

    name: str
    images: Frames  # (n, 216, 256) I420
    runs: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Transition:
    """Where two shots join: the frames `[start, end)` belong to neither; a cut has none."""

    kind: Kind
    start: int
    end: int


@dataclass(frozen=True)
class Reel:
    """An edited reel and all that is known of it."""

    images: Frames  # (n, 216, 256) I420
    transitions: tuple[Transition, ...]
    distractions: tuple[tuple[str, int, int], ...]  # kind, start, end


def edit_reel(footage: Sequence[Footage], *, seed: int, num_shots: int) -> Reel:
    """Return the reel of a seed."""
    generator = np.random.default_rng(seed)
    strips: list[Frames] = []
    transitions: list[Transition] = []
    distractions: list[tuple[str, int, int]] = []
    place, tail = 0, None  # `tail`: frames of the last shot that its transition is made of
    shots = _shots(footage, generator)
    for _ in range(num_shots):
        kind = str(generator.choice([k for k, _ in KINDS], p=[share for _, share in KINDS]))
        plan = _plan(kind, generator)
        body = int(generator.integers(SHOT_FRAMES[0], SHOT_FRAMES[1] + 1))
        head_frames = 0 if tail is None else tail[0].frames_in
        shot = next(s for s in shots if len(s) >= head_frames + body + plan.frames_out)
        if tail is not None:
            join, found = _joined(*tail, shot[:head_frames], place, generator)
            strips.append(join)
            transitions += found
            place += len(join)
        middle = shot[head_frames : head_frames + body]
        rest = shot[head_frames + body : head_frames + body + plan.frames_out]
        middle, rest, distraction = _distracted(middle, rest, generator)
        if distraction:
            what, start, end = distraction
            distractions.append((what, place + start, place + end))
        strips.append(middle)
        place += len(middle)
        tail = (plan, rest)
    return Reel(np.concatenate(strips), tuple(transitions), tuple(distractions))


@dataclass(frozen=True)
class _Plan:
    """A transition to come: how many frames it takes of the shot before and of the one after."""

    kind: str
    frames_out: int
    frames_in: int
    hold: int = 0


def _plan(kind: str, generator: np.random.Generator) -> _Plan:
    def between(bounds: tuple[int, int]) -> int:
        return int(generator.integers(bounds[0], bounds[1] + 1))

    if kind == "cut":
        return _Plan("cut", 0, 0)
    if kind in ("dissolve", "wipe"):
        frames = between(DISSOLVE_FRAMES if kind == "dissolve" else WIPE_FRAMES)
        return _Plan(kind, frames, frames)
    if generator.random() < WHITE_SHARE:
        return _Plan("white", between(FADE_HALF_FRAMES), between(FADE_HALF_FRAMES),
                     between(HOLD_FRAMES))  # fmt: skip
    is_long = generator.random() < LONG_BLACK_SHARE
    hold = between(LONG_BLACK_FRAMES if is_long else HOLD_FRAMES)
    return _Plan("black", between(FADE_HALF_FRAMES), between(FADE_HALF_FRAMES), hold)


def _shots(footage: Sequence[Footage], generator: np.random.Generator) -> Iterator[Frames]:
    """Return shots without end: each from another run than the last, and not its neighbour."""
    runs = [(film, number) for film in footage for number in range(len(film.runs))]
    before: tuple[str, int] | None = None
    while True:
        film, number = runs[int(generator.integers(len(runs)))]
        if before and film.name == before[0] and abs(number - before[1]) <= 1:
            continue
        before = (film.name, number)
        start, end = film.runs[number]
        longest = SHOT_FRAMES[1] + 2 * DISSOLVE_FRAMES[1]
        if end - start > longest:
            start = int(generator.integers(start, end - longest + 1))
        shot = film.images[start : min(end, start + longest)]
        yield _mirrored(shot) if generator.random() < 0.5 else np.array(shot)


def _joined(plan: _Plan, out: Frames, into: Frames, place: int,
            generator: np.random.Generator) -> tuple[Frames, list[Transition]]:  # fmt: skip
    """Return the frames of a transition that begins at `place`, and what is known of it."""
    if plan.kind == "cut":
        return np.zeros((0, HEIGHT * 3 // 2, WIDTH), np.uint8), [Transition("cut", place, place)]
    if plan.kind == "dissolve":
        shares = _shares(plan.frames_out)
        frames = np.stack([_mix(a, b, s) for a, b, s in zip(out, into, shares, strict=True)])
        return frames, [Transition("dissolve", place, place + len(frames))]
    if plan.kind == "wipe":
        frames = _wiped(out, into, generator)
        return frames, [Transition("wipe", place, place + len(frames))]
    plain = _plain(BLACK_LUMA if plan.kind == "black" else WHITE_LUMA)
    fading = [_mix(a, plain, s) for a, s in zip(out, _shares(len(out)), strict=True)]
    rising = [_mix(plain, b, s) for b, s in zip(into, _shares(len(into)), strict=True)]
    frames = np.stack([*fading, *[plain] * plan.hold, *rising])
    end = place + len(frames)
    if plan.hold >= RATE:  # a black of a second is a shot of its own
        ends = [(place, place + len(fading)), (end - len(rising), end)]
        return frames, [Transition("fade", *span) for span in ends]
    return frames, [Transition("fade", place, end)]


def _distracted(middle: Frames, rest: Frames, generator: np.random.Generator
                ) -> tuple[Frames, Frames, tuple[str, int, int] | None]:  # fmt: skip
    """Put a flash, a whip pan or camera shake into a shot, or nothing."""
    kind = str(generator.choice(["flash", "whip pan", "shake"]))
    bounds = {"flash": FLASH_FRAMES, "whip pan": PAN_FRAMES, "shake": SHAKE_FRAMES}[kind]
    length = int(generator.integers(bounds[0], bounds[1] + 1))
    room = len(middle) - length - 2 * CLEAR_FRAMES
    if generator.random() >= DISTRACTION_SHARE or room <= 0:
        return middle, rest, None
    start = CLEAR_FRAMES + int(generator.integers(room))
    part = middle[start : start + length]
    after = middle[start + length :]
    if kind == "flash":
        part = _flash(part, generator)
    elif kind == "shake":
        part = _shaken(part, generator)
    else:  # the camera stays where the pan ends
        part = _panned(part)
        after, rest = _mirrored(after), _mirrored(rest)
    whole = np.concatenate([middle[:start], part, after])
    return whole, rest, (kind, start, start + length)


def _flash(part: Frames, generator: np.random.Generator) -> Frames:
    white, strength = _plain(WHITE_LUMA), generator.uniform(0.5, 1.0)
    shares = strength * np.linspace(1, 0.5, len(part))
    return np.stack([_mix(image, white, s) for image, s in zip(part, shares, strict=True)])


def _shaken(part: Frames, generator: np.random.Generator) -> Frames:
    reach = generator.uniform(*SHAKE_PX)
    shifts = generator.normal(0, reach / 2, (len(part), 2)).clip(-reach, reach)
    return np.stack([_moved(image, x, y) for image, (x, y) in zip(part, shifts, strict=True)])


def _panned(part: Frames) -> Frames:
    """Whip across a panorama of the picture and its mirror image, blurred as it moves."""
    way = 0.5 - 0.5 * np.cos(np.pi * np.arange(1, len(part) + 1) / (len(part) + 1))
    speed = np.gradient(way)
    return np.stack([_pan(*given) for given in zip(part, way, speed, strict=True)])


def _pan(image: Frames, way: float, speed: float) -> Frames:
    planes = []
    for plane in _planes(image):
        wide = np.hstack([plane, plane[:, ::-1]])
        width = plane.shape[1]
        blur = max(1, round(speed * width))
        wide = cv2.blur(wide, (blur, 1), borderType=cv2.BORDER_REFLECT)
        start = round(way * width)
        planes.append(wide[:, start : start + width])
    return _image(planes)


def _moved(image: Frames, x: float, y: float) -> Frames:
    planes = []
    for plane, down in zip(_planes(image), (1, 2, 2), strict=True):
        shift = np.array([[1, 0, x / down], [0, 1, y / down]])
        size = plane.shape[::-1]
        planes.append(cv2.warpAffine(plane, shift, size, borderMode=cv2.BORDER_REFLECT))
    return _image(planes)


def _wiped(out: Frames, into: Frames, generator: np.random.Generator) -> Frames:
    """Wipe from one side to the other, over an edge hard or soft."""
    edge = int(generator.choice(WIPE_EDGES_PX))
    axis, backwards = int(generator.integers(2)), bool(generator.integers(2))
    frames = []
    for before, after, share in zip(out, into, _shares(len(out)), strict=True):
        planes = []
        for a, b in zip(_planes(before), _planes(after), strict=True):
            length = a.shape[axis]
            soft = edge * length / (WIDTH if axis else HEIGHT)
            line = (share * (length + soft) - np.arange(length)) / soft
            line = np.clip(line[::-1] if backwards else line, 0, 1)
            mask = line[None, :] if axis else line[:, None]
            planes.append(np.rint(a * (1 - mask) + b * mask).astype(np.uint8))
        frames.append(_image(planes))
    return np.stack(frames)


def _shares(num_frames: int) -> NDArray[np.float64]:
    """Return how much of the new picture each frame of a transition shows."""
    return np.arange(1, num_frames + 1) / (num_frames + 1)


def _mix(a: Frames, b: Frames, share: float) -> Frames:
    return np.asarray(cv2.addWeighted(a, 1 - share, b, share, 0), dtype=np.uint8)


def _mirrored(images: Frames) -> Frames:
    if not len(images):
        return images
    return np.stack([_image([plane[:, ::-1] for plane in _planes(image)]) for image in images])


def _plain(luma: int) -> Frames:
    image = np.full((HEIGHT * 3 // 2, WIDTH), GREY_COLOUR, np.uint8)
    image[:HEIGHT] = luma
    return image


def _planes(image: Frames) -> list[Frames]:
    flat, half = np.ascontiguousarray(image[HEIGHT:]).reshape(2, -1), (HEIGHT // 2, WIDTH // 2)
    return [image[:HEIGHT], flat[0].reshape(half), flat[1].reshape(half)]


def _image(planes: list[Frames]) -> Frames:
    return np.concatenate([plane.ravel() for plane in planes]).reshape(HEIGHT * 3 // 2, WIDTH)
