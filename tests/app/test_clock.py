"""One clock for the page and the terminal."""

import pytest

from app.tell import clock
from app.views import cards, library_page, shortlist_page


@pytest.mark.parametrize(
    "seconds, told",
    [(0, "0:00"), (59.9, "0:59"), (61.5, "1:01"), (3599.99, "59:59"), (3600, "1:00:00")],
)
def test_a_second_counts_when_it_is_over(seconds: float, told: str) -> None:
    assert clock(seconds) == told


def test_the_page_tells_time_as_the_terminal_does() -> None:
    for module in (cards, library_page, shortlist_page):
        assert vars(module)["clock"] is clock
