"""The last line of every benchmark: what was measured, at which commit, against which targets."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from typing import Any


def report(benchmark: str, figures: Mapping[str, Mapping[str, Any]]) -> None:
    """Print a benchmark's figures, each `{"value", "target", "ok"}`, as one line of JSON."""
    head = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(head, capture_output=True, text=True, check=False).stdout.strip()
    print(json.dumps({"benchmark": benchmark, "commit": commit, "figures": figures}))
