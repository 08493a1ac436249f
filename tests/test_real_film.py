"""Big Buck Bunny, whole: what the README promises. Opt-in: `make check-media`."""

import json
import time
from pathlib import Path

import pytest
from harness import need_offline_profile, run_trimbin

pytestmark = pytest.mark.media


@pytest.fixture(scope="module")
def film_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need_offline_profile()
    library = tmp_path_factory.mktemp("bunny") / "library"
    run_trimbin("demo", "--no-serve", "--library", library)
    return library


def hits(library: Path, words: str) -> list[dict[str, float]]:
    return list(json.loads(run_trimbin("search", words, "--json", "--library", library))["hits"])


def test_a_bird_is_among_the_first_three(film_library: Path) -> None:
    assert any(h["start_s"] < 20 and h["end_s"] > 16 for h in hits(film_library, "a bird")[:3])


def test_the_closing_credits_come_first(film_library: Path) -> None:
    assert hits(film_library, "closing credits")[0]["start_s"] > 485


def test_the_shots_cover_the_film(film_library: Path) -> None:
    import pandas as pd

    shots = pd.read_parquet(next(film_library.glob("titles/*/shots.parquet")))
    assert len(shots) >= 120
    assert shots["start_frame"].tolist() == [0, *shots["end_frame"][:-1]]
    assert shots["start_s"].iloc[0] == 0
    assert shots["end_s"].iloc[-1] == pytest.approx(596.46, abs=0.05)
    assert len(list(film_library.glob("titles/*/thumbs/*.jpg"))) == len(shots)


def test_the_adaptive_cuts_are_those_of_pyscenedetect() -> None:
    """Decoded in runs, without the loop filter where nothing leans on it, planes made small."""
    from scenedetect import AdaptiveDetector, detect

    from app.demo import fetch_film
    from indexer.media.decode import Decoding
    from indexer.media.probe import probe
    from indexer.shots.detect import detector_of
    from indexer.shots.watch import watch

    film = fetch_film()
    reference = [start.frame_num for start, _ in detect(str(film), AdaptiveDetector())]
    shots = watch(probe(film), detector=detector_of("adaptive"), report=Decoding())
    assert [shot.start_frame for shot in shots] == reference


def test_the_film_s_dissolves_and_fades_are_found(film_library: Path) -> None:
    """By eye: 750 to 810 is a dissolve, 7172, 11056 and 11763 are faded through black."""
    import pandas as pd

    shots = pd.read_parquet(next(film_library.glob("titles/*/shots.parquet")))
    gradual = shots[shots["transition"].isin(["dissolve", "fade"])]
    for kind, first, last in (
        ("dissolve", 750, 810), ("fade", 7150, 7190), ("fade", 11045, 11065),
        ("fade", 11730, 11800),
    ):  # fmt: skip
        found = gradual[gradual["transition"] == kind]["start_frame"]
        assert found.between(first, last).any(), (kind, first)


def test_a_second_index_does_no_work(film_library: Path) -> None:
    from app.demo import fetch_film

    started = time.perf_counter()
    line = json.loads(run_trimbin("index", fetch_film(), "--library", film_library, "--json"))
    assert line["status"] == "unchanged"
    print(f"second index: {time.perf_counter() - started:.1f} s, start-up included")
