"""Searches that were given a name, kept in the library: `searches.json`, a small file."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from indexer.disk import explained, write_atomically
from indexer.library import Library
from qdrant.errors import StoreUnavailable, UsageError

SEARCHES_FILE = "searches.json"
MAX_NAME_CHARACTERS = 80
MAX_SEARCHES = 200

Search = Mapping[str, str]
"""What the page's address says: `q` and how the answer is to be."""


@dataclass(frozen=True)
class SavedSearches:
    """A library's saved searches, which any number of processes may change."""

    root: Path

    @classmethod
    def of(cls, library: Library) -> SavedSearches:
        """Return the saved searches of a library."""
        return cls(library.root)

    def all(self) -> dict[str, Search]:
        """Return name -> search, in the order of the alphabet.

        Raises `StoreUnavailable` where the file cannot be read.
        """
        path = self.root / SEARCHES_FILE
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise StoreUnavailable(
                f"The saved searches in {path} cannot be read ({error}). Correct or delete it."
            ) from error
        found = {
            str(name): {str(key): str(value) for key, value in search.items()}
            for name, search in (told.items() if isinstance(told, dict) else ())
            if isinstance(search, dict)
        }
        return dict(sorted(found.items(), key=lambda item: item[0].casefold()))

    def save(self, name: str, search: Search) -> None:
        """Keep a search; one of the same name is replaced.

        Raises `UsageError` for a name that is none and for one search too many.
        """
        tidy = " ".join(name.split())
        if not 0 < len(tidy) <= MAX_NAME_CHARACTERS:
            raise UsageError(
                f"A saved search needs a name, of at most {MAX_NAME_CHARACTERS} characters."
            )
        self._change(lambda known: {**known, tidy: dict(search)})

    def remove(self, name: str) -> None:
        """Let a search go, if it is there."""
        self._change(lambda known: {n: search for n, search in known.items() if n != name})

    def _change(self, change: Callable[[dict[str, Search]], dict[str, Search]]) -> None:
        with explained(self.root), FileLock(self.root / ".searches.lock"):
            changed = change(self.all())
            if len(changed) > MAX_SEARCHES:
                raise UsageError(f"{MAX_SEARCHES} searches can be saved; delete one first.")
            text = json.dumps(changed, indent=1, ensure_ascii=False)
            write_atomically(self.root / SEARCHES_FILE, text.encode())
