"""What people say about titles: the rows of `titles.csv`, at the library's root or by the media."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qdrant.errors import InputError

TITLES_FILE = "titles.csv"
NUMBERS = frozenset({"season", "episode", "year"})
LISTS = frozenset({"genres", "tags", "cast", "territories"})
"""Columns that hold several values, separated by `;` or `,`."""


def metadata_of(path: Path, *, title_id: str | None, library_root: Path) -> dict[str, Any]:
    """Return a title's row of `titles.csv` as JSON values; empty where there is none.

    The library's own file wins over one beside the media. A row names its title by `title_id`, or
    by `path`: whole, relative to the file it stands in, or the file name alone. Raises `InputError`
    for a `titles.csv` that cannot be read.
    """
    for table in (library_root / TITLES_FILE, path.parent / TITLES_FILE):
        for row in _rows(table):
            if _is_about(row, path, title_id, table.parent):
                return _typed(row)
    return {}


def description_of(metadata: Mapping[str, Any]) -> str:
    """Return the words that stand for the whole title: its synopsis and tags, for [GLOBAL]."""
    tags = ", ".join(metadata.get("tags", ()))
    return "\n".join(part for part in (str(metadata.get("synopsis", "")), tags) if part)


def _rows(table: Path) -> list[dict[str, str]]:
    if not table.is_file():
        return []
    try:
        with table.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            names = reader.fieldnames or []
            if not {"path", "title_id"} & set(names):
                raise ValueError("it has neither a `path` nor a `title_id` column")
            return [{k: v or "" for k, v in row.items() if k} for row in reader]
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(f"{table} cannot be read ({error}). Save it as UTF-8 CSV.") from error


def _is_about(row: Mapping[str, str], path: Path, title_id: str | None, folder: Path) -> bool:
    if title_id and row.get("title_id") == title_id:
        return True
    named = row.get("path", "").strip()
    return bool(named) and (folder / named == path or named == path.name)


def _typed(row: Mapping[str, str]) -> dict[str, Any]:
    return {
        name.strip().lower(): _value(name.strip().lower(), value.strip())
        for name, value in row.items()
        if value.strip() and name.strip().lower() not in ("path", "title_id")
    }


def _value(name: str, value: str) -> Any:
    if name in LISTS:
        separator = ";" if ";" in value else ","
        return [part.strip() for part in value.split(separator) if part.strip()]
    if name in NUMBERS and value.lstrip("-").isdigit():
        return int(value)
    return value
