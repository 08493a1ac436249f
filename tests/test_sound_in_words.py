"""A library whose profile hears what words can name: stored beside what is fused, and asked for.

The weights are random: what sounds like a bell means nothing, that only what sounds is found does.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from growing import growing, make_recording, wait_until
from reel import CAT, PHOTOGRAPHS, ROCKET, STARS, make_reel
from second_version import make_profiles, profile_at

from app.parsing import parse
from app.search import Answer, search
from indexer.assembly import title_sequence
from indexer.catalogue import Catalogue, open_catalogue
from indexer.clip import encode_clip
from indexer.encoders.load import EncoderSet, load_encoders
from indexer.library import Library
from indexer.live.follow import follow
from indexer.manifest import Manifest
from indexer.pipeline import index_title
from indexer.publish import library_schema, records_of
from indexer.studio import Studio
from indexer.versions.rebuilding import rebuild

QUICK = {"detector": "adaptive", "transcribe": "never"}
LOUD_SHOTS = [shot for shot in range(len(PHOTOGRAPHS)) if shot != STARS]
"""The coffee is silent too, but AAC lets the tone before it run on: there it can be heard."""


@pytest.fixture(scope="module")
def garden(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The path of a profile with an encoder of sound that reads words."""
    path = make_profiles(tmp_path_factory.mktemp("profiles"))["garden"]
    profile_at(path)
    return path


@pytest.fixture(scope="module")
def library(garden: Path, tmp_path_factory: pytest.TempPathFactory) -> Library:
    return Library.open(
        tmp_path_factory.mktemp("garden") / "library", create=True, profile=str(garden)
    )


@pytest.fixture(scope="module")
def encoders(library: Library) -> EncoderSet:
    return load_encoders(library.profile, device="cpu", cache_dir=library.cache_folder)


@pytest.fixture(scope="module")
def film(library: Library, encoders: EncoderSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = make_reel(tmp_path_factory.mktemp("films"), name="Reel.mp4").path
    index_title(path, Studio(library, encoders, chosen=QUICK))
    return path


@pytest.fixture
def catalogue(library: Library, film: Path) -> Iterator[Catalogue]:
    with open_catalogue(library, command="test") as opened:
        yield opened


def asked(catalogue: Catalogue, encoders: EncoderSet, words: str) -> Answer:
    return search(catalogue, encoders, parse(words))


def with_sound(answer: Answer) -> set[int]:
    hits = (*answer.hits, *answer.weak)
    return {shot for hit in hits if hit.why["sound"] for shot in range(*hit.shots)}


def test_what_sounds_has_a_vector_and_silence_has_none(library: Library, film: Path) -> None:
    records = records_of(library, library.titles()[0])
    assert [r.shot for r in records if "sound" in r.vectors] == LOUD_SHOTS
    assert library_schema(library).dims["sound"] == 16


def test_what_is_fused_does_not_know_it(library: Library, film: Path) -> None:
    [title] = library.titles()
    sequence = title_sequence(library, title.title_id, title.spaces, num_shots=title.num_shots)
    assert sequence.fused.shape == (len(PHOTOGRAPHS), 3 * 16)


def test_a_sound_is_asked_for_by_its_name(catalogue: Catalogue, encoders: EncoderSet) -> None:
    answer = asked(catalogue, encoders, 'sound:"a bell"')
    assert with_sound(answer) == set(LOUD_SHOTS)
    assert not [note for note in answer.notes if "sound" in note]
    best = max((*answer.hits, *answer.weak), key=lambda hit: hit.score)
    assert best.why["sound"] == pytest.approx(1)
    assert best.why["audio"] is None


def test_other_words_do_not_ask_it(catalogue: Catalogue, encoders: EncoderSet) -> None:
    answer = asked(catalogue, encoders, "a bell")
    assert answer.hits and not with_sound(answer)


def test_a_script_that_it_does_not_know_is_named(
    catalogue: Catalogue, encoders: EncoderSet
) -> None:
    answer = asked(catalogue, encoders, 'sound:"колокол"')
    assert any("what hears words in profile 'garden' knows English only" in n for n in answer.notes)


def test_a_place_in_a_film_asks_with_it(catalogue: Catalogue, encoders: EncoderSet) -> None:
    answer = asked(catalogue, encoders, f"like:Reel@{2 * CAT}-{2 * CAT + 2}")
    assert with_sound(answer)


def test_a_clip_asks_with_it(library: Library, film: Path, encoders: EncoderSet) -> None:
    clip = encode_clip(film, encoders, in_s=2.0 * ROCKET, out_s=2.0 * ROCKET + 2)
    stored = records_of(library, library.titles()[0])[ROCKET].vectors["sound"]
    np.testing.assert_allclose(clip.vectors["sound"], stored, atol=1e-5)
    assert clip.fused.shape == (1, 3 * 16)


def test_a_store_made_anew_has_it(library: Library, film: Path, encoders: EncoderSet) -> None:
    assert rebuild(library, command="test").damaged == ()
    with open_catalogue(library, command="test") as catalogue:
        title_id = library.titles()[0].title_id
        assert "sound" in catalogue.vectors(title_id, CAT)
        assert with_sound(asked(catalogue, encoders, 'sound:"a bell"')) == set(LOUD_SHOTS)


def test_a_recording_has_it_while_it_grows(
    garden: Path, encoders: EncoderSet, tmp_path: Path
) -> None:
    library = Library.open(tmp_path / "library", create=True, profile=str(garden))
    published: list[Manifest] = []
    studio = Studio(
        library, encoders, chosen=QUICK, published=lambda: published.extend(library.titles())
    )
    source = make_recording(tmp_path / "recordings")
    target = tmp_path / "films" / source.name
    target.parent.mkdir()
    with growing(source, target):
        wait_until(lambda: target.exists() and target.stat().st_size > 2**20)
        assert follow(target, studio, settled_s=1.0, stop=Event()).is_finished
    live = [manifest for manifest in published if manifest.live]
    assert live and all("sound" in manifest.spaces for manifest in live)
    finished = records_of(library, library.titles()[0])
    heard = {r.shot for r in finished if "sound" in r.vectors}
    assert heard == {r.shot for r in finished if "audio" in r.vectors}
    assert CAT in heard and STARS not in heard
