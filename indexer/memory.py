"""Memory that nobody needs any more, given back."""

from __future__ import annotations

import ctypes
import gc


def give_back() -> None:
    """Give what was freed back to the system, where the C library keeps it (glibc); else nothing.

    After a long film that was some 200 MB.
    """
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
