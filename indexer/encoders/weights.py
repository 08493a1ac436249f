"""Getting models into memory: quietly, undisturbed, and with one sentence where it cannot be."""

from __future__ import annotations

import contextlib
import logging
import random
import warnings
from collections.abc import Iterator
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from qdrant.errors import TrimbinError, UsageError, WeightsUnavailable

if TYPE_CHECKING:
    import torch

Device = Literal["auto", "cpu", "cuda", "mps"]
DEVICES = ("auto", "cpu", "cuda", "mps")

HUB_PROBE_TIMEOUT_S = 4.0
"""The hub's own client retries an unreachable name for 23 seconds a file."""

ERRORS = 3
"""onnxruntime's ORT_LOGGING_LEVEL_ERROR."""

OFFLINE_EXTRA = "pip install 'trimbin[offline]'"
MAX_REASON = 160  # characters
NOISY_LOGGERS = ("", "huggingface_hub", "transformers", "open_clip", "httpx")


def pick_device(device: str) -> torch.device:
    """Return the torch device for `auto|cpu|cuda|mps`; raise `UsageError` where it is not here."""
    import torch

    here = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if device == "auto":
        return torch.device(next(name for name in ("cuda", "mps", "cpu") if here[name]))
    if not here.get(device, False):
        able = ", ".join(name for name, is_here in here.items() if is_here)
        raise UsageError(f"There is no device {device!r} here; choose auto, or one of {able}.")
    return torch.device(device)


@contextlib.contextmanager
def single_threaded() -> Iterator[None]:
    """Run torch in one thread: for a few words, where waiting for the others costs more.

    On two busy cores a question took 50 ms in one thread and 1,200 in two, which spin at every
    barrier; and people search while the machine indexes.
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def onnx_session(model: str | bytes, *, threads: int | None = None) -> Any:
    """Return an onnxruntime session on the CPU, for a path or for a model's bytes.

    With `threads` it uses so many, else one a core. They sleep while they wait: spinning, they use
    twice the CPU, and decoding wants it.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    if threads is not None:
        options.intra_op_num_threads = threads
    options.log_severity_level = ERRORS  # else it tells what it folds away
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Leave every global random state as it was: building a model draws its weights first."""
    import torch

    own, of_numpy = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        try:
            yield
        finally:
            random.setstate(own)
            np.random.set_state(of_numpy)


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Hold back what loading libraries write; a download from the hub keeps its progress bar."""
    loggers = [logging.getLogger(name) for name in NOISY_LOGGERS]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings(), _no_bars():
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.setLevel(logging.CRITICAL)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


@contextlib.contextmanager
def _no_bars() -> Iterator[None]:
    from huggingface_hub.utils.tqdm import are_progress_bars_disabled, enable_progress_bars
    from transformers.utils import logging

    of_transformers: Any = logging  # its switches carry no types
    hub_shows = not are_progress_bars_disabled()
    were_shown = of_transformers.is_progress_bar_enabled()
    of_transformers.disable_progress_bar()
    if hub_shows:
        enable_progress_bars()
    try:
        yield
    finally:
        if were_shown:
            of_transformers.enable_progress_bar()


@contextlib.contextmanager
def from_hub(model: str) -> Iterator[None]:
    """Load a model whose weights are in the local cache, or come from the hub.

    Where the hub does not answer, the cache alone is asked, so that a machine without network
    starts at once and fails at once. Raises `WeightsUnavailable`, which names the model.
    """
    from huggingface_hub import constants

    was_offline = constants.HF_HUB_OFFLINE
    with undisturbed(), quietly():
        try:
            constants.HF_HUB_OFFLINE = was_offline or not hub_answers()
            yield
        except TrimbinError:
            raise
        # Each library raises its own: OSError, RuntimeError, ValueError, errors of safetensors.
        except Exception as error:
            why = "the hub does not answer" if constants.HF_HUB_OFFLINE else _in_short(error)
            raise WeightsUnavailable(
                f"The weights of {model} can be had neither from the local cache nor from the hub "
                f"({why}). Connect once to fetch them, or use `--profile offline`, whose weights "
                "come with pip."
            ) from error
        finally:
            constants.HF_HUB_OFFLINE = was_offline


@lru_cache(maxsize=1)
def hub_answers() -> bool:
    """Whether the hub can be reached; asked once a process, and for a few seconds at most."""
    import httpx
    from huggingface_hub import constants

    try:
        httpx.head(constants.ENDPOINT, timeout=HUB_PROBE_TIMEOUT_S)
    except (httpx.HTTPError, OSError):
        return False
    return True


def missing_on_disk(repository: str, *, files: tuple[str, ...]) -> str | None:
    """Return why a hub model cannot be loaded without network: None where one of its files is here.

    `repository` may be a folder. Nothing is loaded and nobody is asked.
    """
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    if Path(repository).exists():
        return None
    try:
        if any(isinstance(try_to_load_from_cache(repository, name), str) for name in files):
            return None
    except HFValidationError:
        return f"{repository!r} is neither a folder nor a name the hub can have"
    return f"the weights of {repository} are not in the local cache; they come from the hub"


def absent_wheels(*packages: str) -> str | None:
    """Return why an encoder whose weights come in wheels cannot load, or None where it can."""
    absent = [name for name in packages if find_spec(name) is None]
    return f"{', '.join(absent)} is not installed; {OFFLINE_EXTRA}" if absent else None


def package_folder(package: str) -> Path:
    """Return a package's folder without importing it; raise `WeightsUnavailable` without it."""
    found = find_spec(package)
    if found is None or found.origin is None:
        raise WeightsUnavailable(f"The package {package} is not installed; {OFFLINE_EXTRA}.")
    return Path(found.origin).parent


def _in_short(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return (
        shorten(lines[0], width=MAX_REASON, placeholder=" ...") if lines else type(error).__name__
    )
