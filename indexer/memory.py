"""Memory and cores that nobody needs, given back or never taken."""

from __future__ import annotations

import ctypes
import os

KERNELS_KEPT = 16
"""oneDNN, which multiplies torch's matrices, keeps a kernel and its working memory for each of the
last 1024 sizes it met. Training meets a new size at most steps: 70 MB more in 120 of them. With
few kernels it is no slower."""


def keep_few_kernels() -> None:
    """Keep few of oneDNN's kernels in this process, which must not have used it yet."""
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", str(KERNELS_KEPT))


def multiply_in_one_thread() -> None:
    """Keep NumPy's products in the thread that asks; NumPy must not have been imported yet.

    All that indexing multiplies is small, and decoders want the other cores: on two busy ones the
    context model read a title in a third of the CPU time and of the wall time.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def give_back() -> None:
    """Give what was freed back to the system, where the C library keeps it (glibc); takes 5 ms.

    After a long film that was some 200 MB.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
