"""The book of labels: what people said of which shots, kept answer by answer.

Nothing is overwritten: who changes their mind answers again, and their last word counts. Any
number of processes may write at once (`app/shared_file.py`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from app.shared_file import Layout, reading, run_all, writing
from indexer.library import Library
from indexer.probes.label import Label
from qdrant.errors import UsageError

LABELS_FILE = "labels.sqlite"
MAX_NAME_CHARACTERS = 80
YES, NO, HALF = 1.0, 0.0, 0.5

TABLES = """
CREATE TABLE labels (
    label_id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    begun_at TEXT NOT NULL,
    deleted_at TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX live_labels ON labels (name COLLATE NOCASE) WHERE deleted_at = '';
CREATE TABLE answers (
    answer_id INTEGER PRIMARY KEY AUTOINCREMENT,
    label_id INTEGER NOT NULL REFERENCES labels,
    title_id TEXT NOT NULL,
    start_frame INTEGER NOT NULL,
    end_frame INTEGER NOT NULL,
    value REAL NOT NULL,
    by TEXT NOT NULL,
    at TEXT NOT NULL,
    is_taken_back INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX answers_of ON answers (label_id, is_taken_back)
"""
LAYOUT = Layout("labels", 1, lambda connection, found: run_all(connection, TABLES))

LAST_WORDS = """
SELECT title_id, start_frame, end_frame, value, by FROM answers
WHERE answer_id IN (
    SELECT max(answer_id) FROM answers WHERE label_id = ? AND NOT is_taken_back
    GROUP BY title_id, start_frame, end_frame, by
) ORDER BY answer_id
"""
"""What each person said last of each stretch, in the order it was said."""


@dataclass(frozen=True)
class Named:
    """A label, and how much has been said of it."""

    name: str
    description: str
    num_yes: int
    num_no: int
    people: int

    @property
    def num_answers(self) -> int:
        """How many answers count."""
        return self.num_yes + self.num_no


@dataclass(frozen=True)
class Labels:
    """A library's labels, in one SQLite file that any number of processes may write.

    What names a label that is not there raises `UsageError`; a file that cannot be read or written
    raises `StoreUnavailable`.
    """

    path: Path
    who: str = ""  # whose answers these are

    @classmethod
    def of(cls, library: Library, *, who: str = "") -> Labels:
        """Return the labels of a library."""
        return cls(library.root / LABELS_FILE, " ".join(who.split())[:MAX_NAME_CHARACTERS])

    def names(self) -> list[str]:
        """Return the names of the labels, in the order they were begun."""
        with reading(self.path, LAYOUT) as connection:
            if connection is None:
                return []
            found = "SELECT name FROM labels WHERE deleted_at = '' ORDER BY label_id"
            return [row["name"] for row in connection.execute(found)]

    def look(self, name: str) -> Named | None:
        """Return a label and how much has been said of it; None where there is none."""
        with reading(self.path, LAYOUT) as connection:
            found = _find(connection, name) if connection else None
            if connection is None or found is None:
                return None
            said = connection.execute(LAST_WORDS, (found["label_id"],)).fetchall()
        yes = sum(row["value"] > NO for row in said)
        people = len({row["by"] for row in said})
        return Named(found["name"], found["description"], yes, len(said) - yes, people)

    def answers(self, name: str) -> list[Label]:
        """Return what each person said last of each stretch of a title, oldest first."""
        with reading(self.path, LAYOUT) as connection:
            found = _find(connection, name) if connection else None
            if connection is None or found is None:
                raise _unknown(name)
            rows = connection.execute(LAST_WORDS, (found["label_id"],)).fetchall()
        return [
            Label(row["title_id"], row["start_frame"], row["end_frame"], found["name"],
                  row["value"], row["by"])
            for row in rows
        ]  # fmt: skip

    def begin(self, name: str, description: str = "") -> str:
        """Begin a label. Returns its name; raises `UsageError` where it is taken, or no name."""
        name = label_name(name)
        with writing(self.path, LAYOUT) as connection:
            if _find(connection, name):
                raise UsageError(f"There is a label {name!r} already. Choose another name.")
            _begin(connection, name, description)
        return name

    def delete(self, name: str) -> None:
        """Delete a label; its answers stay in the file, and a label begun anew has none of them."""
        with writing(self.path, LAYOUT) as connection:
            connection.execute(
                "UPDATE labels SET deleted_at = ? WHERE label_id = ?",
                (_now(), _need(connection, name)["label_id"]),
            )

    def answer(self, name: str, title_id: str, span: tuple[int, int], *, holds: bool) -> None:
        """Write down that a label holds of the frames `[start, end)` of a title, or does not."""
        self.take_over([Label(title_id, *span, name, YES if holds else NO, self.who)])

    def take_over(self, answers: Iterable[Label]) -> int:
        """Write answers of anybody down, in one step. Returns how many there were.

        A value above a half is a yes, any other a no. A label that is not there is begun. Raises
        `UsageError` for an empty stretch or name.
        """
        told = [(label_name(one.label), one) for one in answers]
        with writing(self.path, LAYOUT) as connection:
            ids: dict[str, int] = {}
            for name, one in told:
                if not 0 <= one.start_frame < one.end_frame:
                    raise UsageError(
                        f"A label cannot hold from frame {one.start_frame} to {one.end_frame}."
                    )
                found = ids.get(name) or (_find(connection, name) or _begin(connection, name))[0]
                ids[name] = found
                connection.execute(
                    "INSERT INTO answers (label_id, title_id, start_frame, end_frame, value, by, "
                    "at) VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (found, one.title_id, one.start_frame, one.end_frame,
                     YES if one.value > HALF else NO,
                     one.by or self.who, _now()),
                )  # fmt: skip
        return len(told)

    def take_back(self, name: str) -> Label | None:
        """Take one's own last answer back; what was said before of the stretch counts again.

        Returns it; None where there is none left.
        """
        with writing(self.path, LAYOUT) as connection:
            found = _need(connection, name)
            last = connection.execute(
                "SELECT * FROM answers WHERE label_id = ? AND by = ? AND NOT is_taken_back "
                "ORDER BY answer_id DESC LIMIT 1",
                (found["label_id"], self.who),
            ).fetchone()
            if last is None:
                return None
            connection.execute(
                "UPDATE answers SET is_taken_back = 1 WHERE answer_id = ?", (last["answer_id"],)
            )
        span = (last["start_frame"], last["end_frame"])
        return Label(last["title_id"], *span, found["name"], last["value"], last["by"])


def settled(answers: Sequence[Label]) -> list[Label]:
    """Return one answer a stretch: what most people say of it. Where they are even, none."""
    said: dict[tuple[str, int, int], list[float]] = {}
    for one in answers:
        said.setdefault((one.title_id, one.start_frame, one.end_frame), []).append(one.value)
    means = {span: sum(values) / len(values) for span, values in said.items()}
    name = answers[0].label if answers else ""
    return [
        Label(*span, name, YES if mean > HALF else NO)
        for span, mean in means.items()
        if mean != HALF
    ]


def label_name(name: str) -> str:
    """Return a label's name as it is kept. Raises `UsageError` for one that is none."""
    plain = " ".join(name.split())
    if not plain or len(plain) > MAX_NAME_CHARACTERS:
        raise UsageError(f"A label's name has 1 to {MAX_NAME_CHARACTERS} characters.")
    return plain


def _find(connection: sqlite3.Connection, name: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = connection.execute(
        "SELECT * FROM labels WHERE name = ? COLLATE NOCASE AND deleted_at = ''", (name,)
    ).fetchone()
    return row


def _need(connection: sqlite3.Connection, name: str) -> sqlite3.Row:
    found = _find(connection, name)
    if found is None:
        raise _unknown(name)
    return found


def _begin(connection: sqlite3.Connection, name: str, description: str = "") -> sqlite3.Row:
    row: sqlite3.Row = connection.execute(
        "INSERT INTO labels (name, description, begun_at) VALUES (?, ?, ?) RETURNING *",
        (name, " ".join(description.split()), _now()),
    ).fetchone()
    return row


def _unknown(name: str) -> UsageError:
    return UsageError(f"There is no label {name!r}. `trimbin label` lists those there are.")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
