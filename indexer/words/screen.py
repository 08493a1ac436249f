"""Text on screen: titles, captions, signs and credits, by RapidOCR out of its wheel (Apache-2.0).

Its models are PP-OCRv4 (arXiv 2206.03001 and after). The recogniser knows 6,280 Chinese characters,
the letters of English, digits and punctuation; of other scripts and of accents it has but a few.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import packages_distributions
from importlib.util import find_spec
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from indexer.words.screen_lines import ScreenLine, each_once, in_reading_order
from qdrant.errors import WeightsUnavailable

if TYPE_CHECKING:
    from rapidocr_onnxruntime import RapidOCR

__all__ = ["ScreenLine", "ScreenReader", "cv2_owners", "obstacle", "text_of_shot"]

PACKAGE = "rapidocr_onnxruntime"
NEEDS = (PACKAGE, "onnxruntime", "cv2", "pyclipper", "shapely", "PIL", "yaml")
HOW_TO_GET_IT = (
    "pip install 'trimbin[ocr]', then pip install --no-deps rapidocr-onnxruntime==1.4.4 "
    "(with its dependencies it would put a second OpenCV over the first)"
)

Pixels = NDArray[np.uint8]
Corners = NDArray[np.float32]  # (4, 2) in pixels, clockwise from the top left

GLANCE_SIDE = 288
"""The short side at which a frame is looked at for any text: 40 ms, where reading takes 0.4 s.

On Big Buck Bunny, a frame every 4 s, it took two or three pictures for text.
"""
READING_SIDE = 736  # short side, smaller frames are enlarged: as upstream
LARGEST_SIDE = 736  # of a frame; larger ones were not tried
GLIMPSED_LINES = 4  # read to see whether it is text

LEAST_CONFIDENCE = 0.6
LEAST_LETTERS = 2
"""Fewer are a lamp post or a window bar."""
READING_BUDGET = 240.0
"""Widths of lines, in their own heights, read in one frame, the tallest first.

A page of about thirty long lines, read whole, took 19 to 26 s.
"""
FEW_FRAMES, MANY_FRAMES = 3, 8
PATCHES = (36, 64)
CHANGED = 16  # grey levels by which one patch must differ for two frames to be two pictures

CJK_FROM = 0x2E80
STACKED_HEIGHT = 0.15  # of the picture's
STACKED_WIDTH = 3.0
"""Heights: a tall box no wider than this may be two lines set so tight that they were taken as one.

Such is the title of Big Buck Bunny: as one line it read "BOBKSY", as two it is right.
"""
SPACE_FROM, WIDE_SPACE_FROM = 0.04, 0.01
"""The probability from which a space is one between letters as far apart as most, and farther.

The recogniser prefers none: "ANDREASGORALCZYK", its space at .12. Inside a word it stays below .02,
or .08 in a widely set title, whose letters are no farther apart there than elsewhere.
"""
WIDE = 1.2  # of the usual distance of two letters


class ScreenReader:
    """Finds and reads text in pictures, in one thread. Not to be shared by threads."""

    name = "RapidOCR (PP-OCRv4 mobile)"
    version = "rapidocr-1.4.4-1"
    languages: tuple[str, ...] = ("zh", "en")

    def __init__(self) -> None:
        """Load the networks. Raises `WeightsUnavailable` where they are not installed."""
        reason = obstacle()
        if reason is not None:
            raise WeightsUnavailable(f"Text on screen cannot be read: {reason}.")
        from rapidocr_onnxruntime import RapidOCR

        self._engine: RapidOCR = RapidOCR(intra_op_num_threads=1, inter_op_num_threads=1)
        # One by one, a line is not padded to its neighbours' width, and reads the same beside any.
        self._engine.text_rec.rec_batch_num = 1
        decoder = self._engine.text_rec.postprocess_op
        self._engine.text_rec.postprocess_op = _Decoder(decoder.character)

    def read(self, image: Pixels) -> tuple[ScreenLine, ...]:
        """Return the lines of a picture, (h, w, 3) RGB, in reading order.

        A picture without text costs a glance. Where there is more than can be read in about two
        seconds, the smallest print is left out; so is text below 3 % of the picture's height.
        """
        picture = _at_most(_bgr(image), LARGEST_SIDE)
        small = _at_most(picture, GLANCE_SIDE)
        glimpsed = [box * (len(picture) / len(small)) for box in self._boxes(small, GLANCE_SIDE)]
        # At a glance leaves and windows look like text, and finding all text costs ten times that.
        if not self._lines(picture, _within_budget(glimpsed)[:GLIMPSED_LINES]):
            return ()
        found = self._boxes(picture, READING_SIDE)
        return tuple(in_reading_order(self._lines(picture, _within_budget(found))))

    def _boxes(self, picture: Pixels, short_side: int) -> list[Corners]:
        """Return the corners of each line, found at a short side."""
        detector = self._engine.text_det
        detector.limit_side_len = short_side
        found, _ = detector(picture)
        return [] if found is None else list(found)

    def _lines(self, picture: Pixels, boxes: Sequence[Corners]) -> list[ScreenLine]:
        """Return what stands in the boxes, where that is text."""
        lines = []
        for box in boxes:
            readings = [self._reading(picture, [box])]
            if _may_be_two(box, picture):
                readings.append(self._reading(picture, _halves(box)))
            lines.extend(max(readings, key=lambda lines: min(line.confidence for line in lines)))
        return [
            line
            for line in lines
            if line.confidence >= LEAST_CONFIDENCE and len(line.letters) >= LEAST_LETTERS
        ]

    def _reading(self, picture: Pixels, boxes: Sequence[Corners]) -> list[ScreenLine]:
        texts, _ = self._engine.text_rec(self._engine.get_crop_img_list(picture, boxes))
        size = np.array(picture.shape[1::-1], np.float32)
        return [
            ScreenLine(text.strip(), confidence, _edges(box / size))
            for box, (text, confidence) in zip(boxes, texts, strict=True)
        ]


def obstacle() -> str | None:
    """Return why text on screen cannot be read here, in a clause, or None. Loads nothing."""
    absent = [name for name in NEEDS if find_spec(name) is None]
    return f"{', '.join(absent)} is not installed; {HOW_TO_GET_IT}" if absent else None


def cv2_owners() -> list[str]:
    """Return the installed distributions that bring a `cv2`, in order.

    With more than one, files of the later lie over the earlier's, and uninstalling either breaks
    both.
    """
    return sorted(set(packages_distributions().get("cv2", ())))


def text_of_shot(frames: NDArray[np.uint8], reader: ScreenReader) -> tuple[ScreenLine, ...]:
    """Return the lines of a shot's sampled frames, (num_frames, h, w, 3) RGB, each once.

    Three frames are read, spread over the shot, and up to eight where all three show text, as
    credits do; and only frames that differ from the one before. Lines stand in the order in which
    they come, and in reading order in a frame.
    """
    pictures = {at: reader.read(frames[at]) for at in _differing(frames, FEW_FRAMES)}
    if len(pictures) >= FEW_FRAMES and all(pictures.values()):
        more = set(_differing(frames, MANY_FRAMES)) - set(pictures)
        pictures |= {at: reader.read(frames[at]) for at in more}
    return each_once([pictures[at] for at in sorted(pictures)])


def _differing(frames: NDArray[np.uint8], num: int) -> list[int]:
    """Return which frames to read: the middles of equal parts of a shot, for its edges may fade."""
    import cv2

    num = min(num, len(frames))
    chosen: list[int] = []
    before: NDArray[np.int16] | None = None
    for part in range(num):
        at = (2 * part + 1) * len(frames) // (2 * num)
        small = cv2.resize(frames[at], PATCHES[::-1], interpolation=cv2.INTER_AREA)
        patches = small.astype(np.int16)
        if before is None or np.abs(patches - before).max() > CHANGED:
            chosen.append(at)
            before = patches
    return chosen


class _Decoder:
    """RapidOCR's decoding of the recogniser's output, and spaces from a low probability up.

    Called in the place of its `CTCLabelDecode`: class 0 is no character, the last one a space.
    """

    def __init__(self, characters: Sequence[str]) -> None:
        self.character = characters

    def __call__(
        self, probabilities: NDArray[np.float32], *_: Any, **__: Any
    ) -> list[tuple[str, float]]:
        """Return text and confidence of each of (num_lines, num_columns, num_characters)."""
        return [self._line(columns) for columns in probabilities]

    def _line(self, columns: NDArray[np.float32]) -> tuple[str, float]:
        best = columns.argmax(axis=1)
        at = np.flatnonzero((best != 0) & (best != np.concatenate([[0], best[:-1]])))
        if not len(at):
            return "", 0.0
        text = self.character[best[at[0]]]
        common = np.median(np.diff(at)) if len(at) > 1 else 0
        for before, here in pairwise(at):
            pair = self.character[best[before]] + self.character[best[here]]
            space = columns[before + 1 : here, -1].max(initial=0.0)
            distance = here - before
            is_apart = (space >= SPACE_FROM and distance >= common) or (
                space >= WIDE_SPACE_FROM and distance >= WIDE * common
            )
            if is_apart and " " not in pair and ord(max(pair)) < CJK_FROM:
                text += " "
            text += self.character[best[here]]
        return text, float(columns[at, best[at]].mean())


def _within_budget(boxes: list[Corners]) -> list[Corners]:
    """Return the tallest lines whose widths, in their heights, sum to no more than the budget."""
    kept, left = [], READING_BUDGET
    for box in sorted(boxes, key=_height, reverse=True):
        left -= _width(box) / _height(box)
        if left < 0:
            break
        kept.append(box)
    return kept


def _may_be_two(box: Corners, picture: Pixels) -> bool:
    is_tall = _height(box) >= STACKED_HEIGHT * len(picture)
    return is_tall and _width(box) <= STACKED_WIDTH * _height(box)


def _halves(box: Corners) -> list[Corners]:
    """Return the upper and the lower half of a box."""
    top_left, top_right, bottom_right, bottom_left = box
    left, right = (top_left + bottom_left) / 2, (top_right + bottom_right) / 2
    return [
        np.stack([top_left, top_right, right, left]),
        np.stack([left, right, bottom_right, bottom_left]),
    ]


def _width(box: Corners) -> float:
    return float(np.linalg.norm(box[1] - box[0]))


def _height(box: Corners) -> float:
    return max(1.0, float(np.linalg.norm(box[3] - box[0])))


def _edges(shares: Corners) -> tuple[float, float, float, float]:
    left, top = shares.min(axis=0).tolist()
    right, bottom = shares.max(axis=0).tolist()
    return left, top, right, bottom


def _bgr(image: Pixels) -> Pixels:
    return np.ascontiguousarray(image[:, :, ::-1])


def _at_most(picture: Pixels, short_side: int) -> Pixels:
    """Return a picture made smaller to a short side; a smaller one as it is."""
    import cv2

    height, width = picture.shape[:2]
    share = short_side / min(height, width)
    if share >= 1:
        return picture
    size = (round(width * share), round(height * share))
    smaller = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return smaller.astype(np.uint8, copy=False)
