"""Imports run one way, and each dependency has one house."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HOUSES = ("app", "indexer", "qdrant")
MAY_IMPORT = {"app": {"app", "indexer", "qdrant"}, "indexer": {"indexer", "qdrant"},
              "qdrant": {"qdrant"}}  # fmt: skip
SPOKEN_ONLY_IN = {
    "qdrant_client": "qdrant",
    "qdrant_edge": "qdrant",
    "torch": "indexer",
    "open_clip": "indexer",
    "transformers": "indexer",
    "scenedetect": "indexer",
    "openai": "indexer",
    "sklearn": "indexer",
    "streamlit": "app",
}
MODULES = sorted(path for house in HOUSES for path in (ROOT / house).rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_stays_within_its_walls(path: Path) -> None:
    house = path.relative_to(ROOT).parts[0]
    for name in imported(path):
        if name in HOUSES:
            assert name in MAY_IMPORT[house], f"{house} must not import {name}"
        assert SPOKEN_ONLY_IN.get(name, house) == house, (
            f"only {SPOKEN_ONLY_IN[name]} speaks {name}"
        )


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_is_named_after_a_dependency_or_a_standard_module(path: Path) -> None:
    taken = {*SPOKEN_ONLY_IN, "av", "cv2", "numpy", "pandas", "click", "rich"}
    taken |= sys.stdlib_module_names - {"__main__"}
    assert path.stem not in taken or path.stem in ("__init__", "__main__")
