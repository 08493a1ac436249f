"""What a marker says of a kept moment, the same in every format that has markers."""

from __future__ import annotations

from app.export.carried import carried
from app.export.cutlist import Cut


def is_marked(cut: Cut) -> bool:
    """Whether anybody said anything of a moment: a note, stars or a colour."""
    return bool(cut.item.note or cut.item.stars or cut.item.colour)


def marker_name(cut: Cut) -> str:
    """Return what a marker is called: its stars, then its title."""
    return carried(f"{'★' * cut.item.stars} {cut.source.title}".strip())
