"""What the four feeds are called where people read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from indexer.labelling.feeds import Feed

FEED_TITLES: Mapping[Feed, str] = {
    "likely": "Most likely",
    "borderline": "Undecided",
    "unlikely": "Least likely",
    "chance": "By chance",
}
