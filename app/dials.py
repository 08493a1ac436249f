"""A question and how its answer is to be, as the command line and the API take them."""

from __future__ import annotations

from typing import Any

from app.parsing import parse
from app.request import Field, Request

MAX_TOP = 1000
"""The most moments an answer has."""
DEFAULT_TOP = 10


def request_of(
    query: str, *, title: str | None = None, before: float | None = None, **dials: Any
) -> Request:
    """Return the request that a line of text makes, of one title, up to a part of each title.

    `dials` are fields of `Request`. Raises `UsageError` as `parse` does.
    """
    guards = [Field("title", (title,))] if title else []
    guards += [Field("position", high=before)] if before else []
    return parse(query, **dials).where(*guards)
