"""A picture as a question: a file of one of the usual kinds becomes a vector of the video space."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np

from indexer.encoders.load import EncoderSet
from qdrant.errors import InputError, UsageError
from qdrant.language import Question
from qdrant.schema import VIDEO

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF")
MAX_PIXELS = 100_000_000
"""A picture of more is none that anybody searches with: small files can claim to be huge."""
LONGEST_SIDE_PX = 1024
"""More than any of the models looks at."""


def encode_image(path: Path, encoders: EncoderSet) -> Question:
    """Return the question that a picture makes.

    Raises `InputError` naming a file that is no picture or too large a one, and `UsageError` where
    the profile has no pictures.
    """
    encoder = encoders.of(VIDEO)
    if encoder is None:
        raise UsageError("A picture cannot be searched with here: no encoder reads pictures.")
    vector = encoder.encode([_frames(path)])[0]
    if not vector.any():
        raise InputError(f"{path} shows nothing that could be compared; give another picture.")
    return Question({VIDEO: vector}, band="likeness")


def _frames(path: Path) -> np.ndarray:
    """Return (1, height, width, 3) uint8 RGB, upright."""
    from PIL import Image, ImageOps

    if not path.is_file():
        raise InputError(f"There is no picture {path}.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as picture:
                width, height = picture.size
                if width * height > MAX_PIXELS:
                    raise InputError(
                        f"{path} claims {width} x {height} pixels, which is too many; make it "
                        "smaller."
                    )
                picture.draft("RGB", (LONGEST_SIDE_PX, LONGEST_SIDE_PX))
                upright = ImageOps.exif_transpose(picture).convert("RGB")
        upright.thumbnail((LONGEST_SIDE_PX, LONGEST_SIDE_PX))
    except InputError:
        raise
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(
            f"{path} cannot be read as a picture ({', '.join(FORMATS)}): {error}."
        ) from error
    return np.asarray(upright, np.uint8)[None]
