"""The truth that search is measured with on a real film, and its arithmetic."""

from itertools import combinations
from types import SimpleNamespace

import pytest

from app.parsing import parse
from benchmarks.film_asking import QUERIES
from benchmarks.film_queries import (
    KINDS,
    TOP,
    Found,
    chance_recall,
    chance_reciprocal_rank,
    is_right,
    mean_reciprocal_rank,
    read_entries,
    recall,
)

FILM_S = 596.5
ENTRIES = read_entries()


@pytest.mark.parametrize("kind", KINDS)
def test_half_of_each_kind_is_kept_back(kind: str) -> None:
    kept_back = [entry.kept_back for entry in ENTRIES if entry.kind == kind]
    assert sum(kept_back) == len(kept_back) // 2


def test_true_spans_lie_in_the_film_in_order_and_only_what_is_absent_has_none() -> None:
    for entry in ENTRIES:
        assert bool(entry.spans) == (entry.kind != "absent"), entry
        assert all(0 <= start < end <= FILM_S for start, end in entry.spans), entry


def test_a_range_that_asks_is_no_answer_to_itself() -> None:
    for entry in ENTRIES:
        if entry.range_s:
            start, end = entry.range_s
            assert all(e <= start or s >= end for s, e in entry.spans), entry


def test_no_question_is_asked_twice() -> None:
    assert len({(e.kind, e.asked, e.range_s) for e in ENTRIES}) == len(ENTRIES)


def test_questions_mean_in_the_query_language_what_they_are_meant_to() -> None:
    film = SimpleNamespace(manifest=SimpleNamespace(title="A Film"))
    for entry in ENTRIES:
        request = parse(QUERIES[entry.kind](entry, film))  # type: ignore[arg-type]
        unwanted = [term for step in request.steps for term in step.terms if term.is_unwanted]
        assert len(request.steps) == (len(entry.asked) if entry.kind == "then" else 1), entry
        assert len(unwanted) == (entry.kind == "without"), entry


SPANS = ((10.0, 20.0), (30.0, 40.0))


@pytest.mark.parametrize(
    ("span", "middles", "right"),
    [
        ((0, 100), (15,), True),  # the best shot's middle
        ((0, 100), (20,), False),  # half-open
        ((15, 25), (22,), True),  # half of it
        ((15, 26), (22,), False),  # less
        ((15, 35), (25,), False),  # half, but of two spans together
    ],
)
def test_a_moment_is_right(
    span: tuple[float, float], middles: tuple[float, ...], right: bool
) -> None:
    assert is_right(Found(span, middles), SPANS) == right


def test_a_sequence_is_right_when_all_its_steps_are_in_one_span() -> None:
    assert is_right(Found((9, 21), (11, 19), is_sequence=True), SPANS)
    assert not is_right(Found((11, 19), (11, 25), is_sequence=True), SPANS)
    assert not is_right(Found((11, 39), (15, 35), is_sequence=True), SPANS)


def test_recall_and_reciprocal_rank_of_first_right_answers() -> None:
    firsts = [1, 4, None, 10]
    assert recall(firsts, 1) == 0.25
    assert recall(firsts, 5) == 0.5
    assert recall(firsts, 10) == 0.75
    assert mean_reciprocal_rank(firsts) == pytest.approx((1 + 1 / 4 + 1 / 10) / 4)


def test_chance_is_that_of_every_draw_counted() -> None:
    right, of = 3, 12
    for depth in (1, 5, 10):
        draws = list(combinations(range(of), depth))
        hits = sum(any(one < right for one in draw) for draw in draws)
        assert chance_recall(right, of, depth) == pytest.approx(hits / len(draws))
    placed = list(combinations(range(of), right))  # the ranks, from 0, that right ones have
    ranks = [ranks[0] + 1 for ranks in placed]
    expected = sum(1 / rank for rank in ranks if rank <= TOP) / len(placed)
    assert chance_reciprocal_rank(right, of) == pytest.approx(expected)


def test_nothing_is_right_where_the_film_has_nothing() -> None:
    assert not is_right(Found((0, 10), (5,)), ())
    assert chance_reciprocal_rank(0, 20) == 0
