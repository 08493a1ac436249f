"""Decoded pictures made small, plane by plane: a seventh of what converting them costs.

A small picture is kept as I420: (height * 3 // 2, width) uint8, the brightness above, the two
colour planes at half its size below.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import av

Image = NDArray[np.uint8]
Plane = NDArray[Any]
"""(height, width), uint8 or uint16."""

BT601, STUDIO_RANGE = 5, 1
"""libav's AVCOL_SPC_BT470BG and AVCOL_RANGE_MPEG: how OpenCV converts."""
FINE_ENOUGH = 2
"""Linear interpolation looks at two pixels across: beyond this factor, boxes are averaged first."""


@dataclass(frozen=True)
class Size:
    """An image's height and width in pixels, both even."""

    height: int
    width: int

    @classmethod
    def near(cls, height: float, width: float) -> Size:
        """Return the even size nearest to this one."""
        return cls(*(max(2, round(pixels / 2) * 2) for pixels in (height, width)))


@dataclass(frozen=True)
class Still:
    """A picture kept small, with what it takes to show it to people."""

    i420: Image
    colorspace: int  # as libav numbers them
    color_range: int
    quarter_turns: int  # to the left, until it is upright
    pixel_aspect: Fraction  # width of a pixel over its height

    @classmethod
    def of(cls, frame: av.VideoFrame, *, size: Size, pixel_aspect: Fraction) -> Still:
        """Keep a decoded picture."""
        return cls(
            small_i420(frame, size=size, smooth=True),
            int(frame.colorspace),
            int(frame.color_range),
            round(frame.rotation / 90),
            pixel_aspect,
        )

    @classmethod
    def of_rgb(cls, image: Image, *, size: Size) -> Still:
        """Keep an (height, width, 3) uint8 RGB image, upright and of square pixels, in `size`."""
        import cv2

        resized = cv2.resize(image, (size.width, size.height), interpolation=cv2.INTER_LINEAR)
        i420 = cv2.cvtColor(resized, cv2.COLOR_RGB2YUV_I420)
        return cls(np.asarray(i420, np.uint8), BT601, STUDIO_RANGE, 0, Fraction(1))

    def rgb(self, *, width_px: int | None = None) -> Image:
        """Return the picture as seen: square pixels, upright, (height, width, 3) uint8 RGB.

        In its own size, or as wide as `width_px` says, which is quicker than to shrink it later.
        """
        import av

        frame = av.VideoFrame.from_ndarray(self.i420, format="yuv420p")
        frame.colorspace, frame.color_range = self.colorspace, self.color_range
        width = Size.near(2, frame.width * float(self.pixel_aspect)).width
        height = frame.height
        if width_px is not None:
            share = width_px / (height if self.quarter_turns % 2 else width)
            width, height = (max(2, round(side * share)) for side in (width, height))
        image = frame.to_ndarray(format="rgb24", width=width, height=height)
        upright = np.rot90(image.astype(np.uint8, copy=False), k=self.quarter_turns)
        return np.ascontiguousarray(upright)

    @property
    def luma(self) -> Image:
        """The brightness plane, (height, width) uint8, as stored."""
        return self.i420[: self.i420.shape[0] * 2 // 3]


def small_i420(frame: av.VideoFrame, *, size: Size, smooth: bool = False) -> Image:
    """Return a decoded picture in `size`, as I420.

    `smooth` averages boxes of pixels first, for pictures that people or models look at; without it
    only some pixels are looked at, which is all that finding cuts needs.
    """
    import cv2

    planes = _planes(frame)
    if planes is None:
        small = frame.reformat(width=size.width, height=size.height, format="yuv420p")
        planes = _planes(small)
        assert planes is not None
    i420 = np.empty((size.height * 3 // 2, size.width), np.uint8)
    place = 0
    for plane, halved in zip(planes, (1, 2, 2), strict=True):
        height, width = size.height // halved, size.width // halved
        if smooth:
            plane = _averaged(plane, height=height, width=width)
        to = i420.reshape(-1)[place : place + height * width].reshape(height, width)
        if plane.dtype == np.uint8:
            cv2.resize(plane, (width, height), dst=to, interpolation=cv2.INTER_LINEAR)
        else:
            deep = np.asarray(cv2.resize(plane, (width, height), interpolation=cv2.INTER_LINEAR))
            to[:] = deep.astype(np.uint16) >> (frame.format.components[0].bits - 8)
        place += height * width
    return i420


def _averaged(plane: Plane, *, height: int, width: int) -> Plane:
    """Return a plane brought down by a whole factor, so far that the rest is done by halves."""
    import cv2

    factor = min(plane.shape[0] // height, plane.shape[1] // width)
    if factor < FINE_ENOUGH:
        return plane
    size = (plane.shape[1] // factor, plane.shape[0] // factor)
    box = plane[: size[1] * factor, : size[0] * factor]
    return np.asarray(cv2.resize(box, size, interpolation=cv2.INTER_AREA))


def _planes(frame: av.VideoFrame) -> list[Plane] | None:
    """Return a planar YUV picture's three planes without copying, or None for another format."""
    name = frame.format.name
    if not name.startswith(("yuv4", "yuvj4")) or name.endswith("be") or len(frame.planes) != 3:
        return None
    deep = np.dtype(np.uint16 if frame.format.components[0].bits > 8 else np.uint8)
    return [
        np.frombuffer(memoryview(plane), deep).reshape(-1, plane.line_size // deep.itemsize)[
            : plane.height, : plane.width
        ]
        for plane in frame.planes
    ]
