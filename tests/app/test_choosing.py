"""Which of the found moments an answer has."""

from __future__ import annotations

from pathlib import Path

from app.choosing import POOL, choose
from app.parsing import parse
from indexer.catalogue import Catalogue
from indexer.library import Library
from qdrant.language import ShotHit
from qdrant.moments import Moment
from qdrant.ranking import ScoredShot


def moment(title: str, shot: int) -> Moment:
    scored = ScoredShot(title, shot, 0.9, {}, ShotHit(title, shot, ({},), {}))
    return Moment(title, shot, shot + 1, 0.9, {}, (scored,), scored)


def test_other_titles_are_shown_however_far_behind_one_puts_them(tmp_path: Path) -> None:
    catalogue = Catalogue(Library.open(tmp_path, create=True, profile="offline"), "test")
    top = 2
    found = [*(moment("alpha", shot) for shot in range(3 * POOL * top)), moment("bravo", 1)]
    shown = choose(found, parse("a", top=top, per_title=1), catalogue)
    assert [(m.title_id, m.first) for m in shown] == [("alpha", 0), ("bravo", 1)]
    assert choose(found, parse("a", top=top), catalogue) == found[:top]
