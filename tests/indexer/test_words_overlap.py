import random

import pytest

from indexer.words.cues import Cue
from indexer.words.overlap import MIN_OVERLAP_S, cues_by_shot


def said(shots: list[tuple[float, float]], cues: list[Cue]) -> list[tuple[str, ...]]:
    return [tuple(cue.text for cue in found) for found in cues_by_shot(shots, cues)]


def test_a_cue_across_a_cut_is_in_both_shots_and_a_graze_in_one() -> None:
    shots = [(0.0, 2.0), (2.0, 4.0), (4.0, 9.0)]
    cues = [Cue(1.0, 3.0, "across"), Cue(3.0, 4.1, "graze"), Cue(5.0, 6.0, "inside")]
    assert said(shots, cues) == [("across",), ("across", "graze"), ("inside",)]


def test_a_short_cue_halved_by_a_cut_is_in_both() -> None:
    assert said([(0.0, 1.2), (1.2, 3.0)], [Cue(1.1, 1.3, "oh")]) == [("oh",), ("oh",)]


def test_a_long_cue_is_in_every_shot_it_covers_and_hides_no_other() -> None:
    shots = [(float(at), float(at + 1)) for at in range(5)]
    cues = [Cue(0.0, 5.0, "song"), Cue(1.2, 1.8, "hey"), Cue(3.2, 3.8, "you")]
    assert said(shots, cues) == [("song",), ("song", "hey"), ("song",), ("song", "you"), ("song",)]


def test_cues_and_shots_in_any_order_come_out_by_their_times() -> None:
    shots = [(2.0, 4.0), (0.0, 2.0)]
    cues = [Cue(1.0, 1.9, "second"), Cue(2.5, 3.0, "third"), Cue(0.0, 1.5, "first")]
    assert said(shots, cues) == [("third",), ("first", "second")]


@pytest.mark.parametrize("seed", range(20))
def test_the_same_cues_are_found_as_by_looking_at_every_pair(seed: int) -> None:
    random_ = random.Random(seed)
    cuts = sorted(random_.uniform(0, 60) for _ in range(30))
    shots = list(zip([0.0, *cuts], [*cuts, 60.0], strict=True))
    cues = []
    for number in range(60):
        start_s = random_.uniform(0, 60)
        cues.append(Cue(start_s, start_s + random_.choice([0.1, 0.4, 2, 9, 30]), str(number)))
    slowly = []
    for start_s, end_s in shots:
        belong = [
            cue
            for cue in sorted(cues, key=lambda cue: (cue.start_s, cue.end_s))
            if (over := min(end_s, cue.end_s) - max(start_s, cue.start_s)) > 0
            and over >= min(MIN_OVERLAP_S, (end_s - start_s) / 2, (cue.end_s - cue.start_s) / 2)
        ]
        slowly.append(tuple(belong))
    found = cues_by_shot(shots, cues)
    assert found == slowly
    # None within the shots falls between two of them.
    assert {cue for shot in found for cue in shot} >= {cue for cue in cues if cue.end_s <= 60}


def test_many_cues_under_one_that_spans_the_film_are_laid_in_no_time() -> None:
    shots = [(at / 2, (at + 1) / 2) for at in range(20_000)]
    cues = [Cue(0.0, 10_000.0, "hum"), *(Cue(at / 2, at / 2 + 0.5, "x") for at in range(20_000))]
    assert all(len(found) == 2 for found in cues_by_shot(shots, cues))
