"""Windows over long titles."""

from itertools import pairwise

import pytest

from indexer.context.windows import most_central, overlapping_windows


@pytest.mark.parametrize(("num_shots", "size", "overlap"), [
    (9, 8, 0.5), (16, 8, 0.5), (17, 8, 0.25), (100, 8, 0.9), (1300, 512, 0.5), (23, 1, 0.0),
])  # fmt: skip
def test_windows_cover_every_shot_evenly_and_overlap_enough(num_shots, size, overlap):
    windows = overlapping_windows(num_shots, size=size, overlap=overlap)
    assert {shot for window in windows for shot in window} == set(range(num_shots))
    assert all(len(window) == size for window in windows)
    for former, latter in pairwise(windows):
        assert len(set(former) & set(latter)) >= int(size * overlap)


@pytest.mark.parametrize("num_shots", [0, 1, 2, 8])
def test_a_title_that_fits_is_one_window(num_shots):
    assert overlapping_windows(num_shots, size=8, overlap=0.5) == [range(num_shots)]


def test_windows_of_a_long_title_by_hand():
    windows = overlapping_windows(12, size=8, overlap=0.5)
    assert windows == [range(8), range(4, 12)]
    # Shot 5 is two from window 0's end and one from window 1's start; shot 6 the other way round.
    assert most_central(12, windows).tolist() == [0] * 6 + [1] * 6


@pytest.mark.parametrize("num_shots", [1, 7, 12, 37, 100])
def test_each_shot_is_taken_from_the_window_with_most_context(num_shots):
    windows = overlapping_windows(num_shots, size=8, overlap=0.6)

    def context(shot, window):
        """Return how many shots it sees on its poorer side."""
        if shot not in window:
            return -1
        return min(sum(s < shot for s in window), sum(s > shot for s in window))

    slow = [max(range(len(windows)), key=lambda w: context(shot, windows[w]))
            for shot in range(num_shots)]  # fmt: skip
    assert most_central(num_shots, windows).tolist() == slow
