"""Where vectors crowd, what they all share is taken away: the centre.

Sounds resemble each other in most of what a speech model says of them, so that any two have a
cosine near one. A centre belongs to the encoder's version: it is the same for every title and
every library, or stands in the profile as text, so that vectors can always be made again.
"""

from __future__ import annotations

import base64
import binascii

import numpy as np

from indexer.encoders.protocol import Vectors, unit
from qdrant.errors import UsageError

ORDINARY = "ordinary"
"""The setting for the mean over sounds that are made by a seed, `indexer.encoders.ordinary`."""
NONE = "none"
STORED = np.dtype("<f2")
"""A centre of 768 numbers is 2,048 letters of a profile."""


def centred(vectors: Vectors, centre: Vectors | None) -> Vectors:
    """Return (num_items, dim) float32 unit vectors less the centre; zero rows stay zero.

    Lengths say how loud, not what: rows are brought to unit length before and after.
    """
    rows = unit(vectors)
    if centre is None:
        return rows
    return unit(np.where(rows.any(axis=1, keepdims=True), rows - centre, 0))


def centre_of(vectors: Vectors) -> Vectors:
    """Return (dim,) float32, the mean of the rows at unit length; rows of zeros do not count."""
    rows = unit(vectors)
    present = rows[rows.any(axis=1)]
    if not len(present):
        raise UsageError("A centre needs at least one shot with sound; choose others.")
    return np.asarray(present.mean(axis=0), np.float32)


def to_text(centre: Vectors) -> str:
    """Return a centre as a profile holds it: base64 of 16-bit floats, little-endian."""
    return base64.b64encode(centre.astype(STORED).tobytes()).decode("ascii")


def from_text(text: str, *, dim: int) -> Vectors:
    """Return the (dim,) float32 centre that a profile holds. Raises `UsageError`."""
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _unreadable(f"it is not base64 ({error})") from error
    if len(content) != dim * STORED.itemsize:
        raise _unreadable(f"it holds {len(content)} bytes, not {dim * STORED.itemsize}")
    centre = np.frombuffer(content, STORED).astype(np.float32)
    if not np.isfinite(centre).all():
        raise _unreadable("it holds numbers that are none")
    return centre


def _unreadable(why: str) -> UsageError:
    return UsageError(
        f"The profile's centre cannot be read ({why}). Give {ORDINARY!r}, {NONE!r}, or what "
        "`trimbin finetune --centre-sound` wrote."
    )
