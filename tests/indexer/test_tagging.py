"""Tags: the vocabulary, how sure words are, what becomes of titles that are tagged."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from shelf import add_title, make_film, make_library

from indexer.catalogue import open_catalogue
from indexer.encoders.load import EncoderSet
from indexer.encoders.protocol import Vectors, unit
from indexer.library import Library
from indexer.manifest import Manifest
from indexer.probes.kept import KeptProbe, keep_probe
from indexer.publish import records_of
from indexer.studio import Studio
from indexer.tagging.confidence import SUREST, Usual, confidence_of, usual_of
from indexer.tagging.tag import Tagged, clear_tags, tag_titles
from indexer.tagging.tags import carried_over, read_tags
from indexer.tagging.vocabulary import GROUPS, Vocabulary, read_vocabulary
from qdrant.errors import CannotRunNow, UsageError
from qdrant.language import AnyOf, Query

DIM = 384
THINGS = ("dog", "sea", "fog", "night", "crowd")
"""What the encoder of these tests knows; any other word is the last direction of its space."""
VOCABULARY = """
[label.dog]
about = "A dog."
phrases = ["a dog"]
[label.sea]
about = "The sea, and no fog over it."
phrases = ["the sea"]
unlike = ["fog"]
[label.still]
about = "Nothing moves."
phrases = ["nothing"]
measured = { column = "motion", from = 0.02, to = 0.0, instead = true }
[label.party]
about = "A crowd that can be heard."
phrases = ["crowd"]
measured = { column = "speech", from = 0.2, to = 0.6 }
[label.submarine]
about = "What no film here shows."
phrases = ["submarine"]
[tone.dark]
about = "Night."
phrases = ["night"]
"""


class Things:
    """A tiny encoder: a direction for each thing it knows."""

    name, version, dim = "things", "1", DIM

    def encode(self, items: Sequence[object]) -> Vectors:
        raise NotImplementedError

    def encode_words(self, words: Sequence[str]) -> Vectors:
        return np.stack([seen(*phrase.split()) for phrase in words])


def seen(*words: str, strength: float = 1.0) -> Vectors:
    """Return the unit vector of things, by so much, and of something else besides."""
    vector = np.zeros(DIM, np.float32)
    for word in words:
        vector[THINGS.index(word) if word in THINGS else DIM - 1] += word not in ("a", "the")
    vector = unit(vector) * strength
    vector[DIM - 2] = np.sqrt(1 - strength**2)
    return vector


SHOTS = [seen("dog"), seen("sea"), seen("sea", "fog"), seen("night"), seen("crowd"), seen("crowd")]


@pytest.fixture
def vocabulary(tmp_path: Path) -> Vocabulary:
    path = tmp_path / "words.toml"
    path.write_text(VOCABULARY)
    return read_vocabulary(path)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_film(tmp_path_factory.mktemp("films") / "a.mp4", seconds=12, size="64x36")


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return make_library(tmp_path / "library")


@pytest.fixture
def title(library: Library, film: Path) -> Manifest:
    return add_seen(library, film, SHOTS)


@pytest.fixture
def studio(library: Library, tmp_path: Path) -> Studio:
    missing = {"audio": "not here", "text": "not here"}
    encoders = EncoderSet(library.profile, device="cpu", cache_dir=tmp_path, missing=missing)
    encoders._loaded["video"] = Things()
    return Studio(library, encoders, say=lambda sentence: None)


def add_seen(library: Library, film: Path, shots: Sequence[Vectors]) -> Manifest:
    """Put a title in whose shots show these things."""
    file = "video@things.safetensors"
    manifest = add_title(library, film, title="Harbour", spaces={"video": file})
    folder = library.folder(manifest.title_id)
    save_file({"shots": np.stack(shots)}, folder / file)
    table = library.shots(manifest.title_id)
    table["motion"] = [0.0, 0.001, 0.05, 0.05, 0.05, float("nan")]
    table["speech"] = [0.0, 0.0, 0.0, 0.0, 1.0, 0.0]
    table.to_parquet(folder / "shots.parquet")
    return manifest


def carried(library: Library, title: Manifest) -> list[dict[str, list[str]]]:
    """Return what the store would be told that each shot carries."""
    records = records_of(library, library.manifest(title.title_id))
    fields = ("labels", "tones", "clip_genres")
    return [{f: r.payload[f] for f in fields if f in r.payload} for r in records]


# -- the vocabulary


def test_the_vocabulary_asks_for_everything_in_words_of_its_own() -> None:
    vocabulary = read_vocabulary()
    assert {group: len(vocabulary.of(group)) for group in GROUPS} == {
        "label": 56, "own": 0, "tone": 42, "genre": 11,
    }  # fmt: skip
    for entry in vocabulary.entries:
        assert entry.about.endswith("."), entry.name
        assert entry.phrases, entry.name
        assert not set(entry.phrases) & set(entry.unlike), entry.name
    for group in GROUPS:
        names = vocabulary.names(group)
        assert len({name.casefold() for name in names}) == len(names)
    assert {"nudity", "gore", "smoking", "drugs", "violence", "alcohol"} <= vocabulary.to_avoid(
        "label"
    )
    assert vocabulary.names("genre")[0] == "Action"


# -- how sure words are


def slowly(evidence: float, level: float, row: list[float], column: list[float], floor: float):
    """One shot and one entry, step by step as confidence.py tells it."""
    if np.isnan(level) or evidence < floor:
        return 0.0

    def spread(levels: list[float]) -> tuple[float, float]:
        there = sorted(x for x in levels if not np.isnan(x))
        middle = np.median(there)
        return middle, max(1.4826 * np.median([abs(x - middle) for x in there]), 0.02)

    (own, own_width), (other, other_width) = spread(column), spread(row)
    away = ((level - own) / own_width + (level - other) / other_width) / 2
    outstanding = 1 / (1 + np.exp(-(away - 1.5) / 0.5))
    clear = min((evidence - floor) / (0.5 - floor), 1.0)
    return 0.9 * np.sqrt(clear * outstanding)


def test_confidence_is_as_told_step_by_step() -> None:
    rng = np.random.default_rng(5)
    levels = rng.normal(size=(40, 7))
    levels[3] = np.nan  # a shot that cannot be asked
    levels[5, 2] = np.nan
    evidence = np.clip(np.nan_to_num(levels) / 3, 0, 0.9)
    middle, width = np.nanmedian(levels, axis=0), np.zeros(7)
    width = 1.4826 * np.nanmedian(abs(levels - middle), axis=0)
    fast = confidence_of(evidence, levels, Usual(middle, width), floor=0.2)
    for shot in range(40):
        for entry in range(7):
            told = slowly(evidence[shot, entry], levels[shot, entry], levels[shot].tolist(),
                          levels[:, entry].tolist(), 0.2)  # fmt: skip
            assert fast[shot, entry] == pytest.approx(told, abs=1e-9), (shot, entry)
    assert fast.max() > 0.5


def test_few_shots_are_judged_by_what_is_usual_of_all_entries() -> None:
    one = usual_of(np.array([[2.0, -1.0, 0.0]]))
    pooled = 0.0  # the median of all three
    assert one.middle == pytest.approx([(2 + 20 * pooled) / 21, (-1 + 20 * pooled) / 21, 0.0])
    many = usual_of(np.repeat([[2.0, -1.0, 0.0]], 2000, axis=0))
    assert many.middle == pytest.approx([2.0, -1.0, 0.0], abs=0.03)
    nothing = usual_of(np.zeros((0, 3)))
    assert nothing.middle.tolist() == [0.0, 0.0, 0.0]


def test_words_are_never_quite_sure_and_what_is_no_evidence_is_nothing() -> None:
    levels = np.array([[0.0, 0.0, 9.0], [0.0, 0.0, 0.1], [0.0, 0.0, 0.0]])
    evidence = np.array([[0.0, 0.0, 0.9], [0.0, 0.0, 0.2], [0.0, 0.0, 0.0]])
    sure = confidence_of(evidence, levels, usual_of(levels), floor=0.24)
    assert sure[0, 2] == pytest.approx(SUREST, abs=1e-3)
    sure[0, 2] = 0
    assert not sure.any()


# -- titles


def test_shots_carry_what_they_show_and_nothing_of_what_nothing_shows(
    library: Library, title: Manifest, studio: Studio, vocabulary: Vocabulary
) -> None:
    [told] = tag_titles(studio, [title], vocabulary=vocabulary)
    assert told == Tagged(
        title.title_id, "Harbour", "tagged", 6,
        tags={"label": {"still": 2, "dog": 1, "party": 1, "sea": 1}, "tone": {"dark": 1},
              "genre": {}},
        sources={"label": "words", "tone": "words", "genre": "words"},
    )  # fmt: skip
    assert carried(library, title) == [
        {"labels": ["dog", "still"]},
        {"labels": ["sea", "still"]},
        {},  # as much fog as sea, and what it is taken for is no less near
        {"tones": ["dark"]},
        {"labels": ["party"]},
        {},  # a crowd that cannot be heard; and its motion is not known
    ]


def test_what_is_surer_than_asked_for_counts(
    library: Library, title: Manifest, studio: Studio, vocabulary: Vocabulary
) -> None:
    list(tag_titles(studio, [title], vocabulary=vocabulary, least=0.95))
    assert carried(library, title) == [{}] * 6
    tags = read_tags(library.folder(title.title_id), library.manifest(title.title_id))
    assert tags is not None
    list(tag_titles(studio, [title], vocabulary=vocabulary, groups=["label"], least=0.5))
    assert carried(library, title)[0] == {"labels": ["dog", "still"]}
    assert carried(library, title)[3] == {}, "tones were not asked for again"


def test_an_unchanged_title_costs_nothing(
    library: Library,
    title: Manifest,
    studio: Studio,
    vocabulary: Vocabulary,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    list(tag_titles(studio, [title], vocabulary=vocabulary))
    before = {p: p.stat().st_mtime_ns for p in library.folder(title.title_id).glob("*.json")}
    monkeypatch.setattr(studio.encoders, "of", None)  # nothing is encoded, so nothing is loaded
    [again] = tag_titles(studio, library.titles(), vocabulary=vocabulary)
    assert again.status == "unchanged"
    assert again.tags["tone"] == {"dark": 1}
    assert before == {
        p: p.stat().st_mtime_ns for p in library.folder(title.title_id).glob("*.json")
    }
    assert len(list(library.folder(title.title_id).glob("tags@*"))) == 1


def test_a_title_that_comes_later_leaves_the_others_tags_alone(
    library: Library, title: Manifest, studio: Studio, vocabulary: Vocabulary, tmp_path: Path
) -> None:
    for n in range(4):
        film = make_film(tmp_path / f"{n}.mp4", seconds=12, size=f"64x{38 + 2 * n}", rate=24)
        add_seen(library, film, SHOTS)
    list(tag_titles(studio, library.titles(), vocabulary=vocabulary))
    add_seen(library, make_film(tmp_path / "new.mp4", seconds=12, size="80x36"), SHOTS[::-1])
    told = list(tag_titles(studio, library.titles(), vocabulary=vocabulary))
    assert sorted(result.status for result in told) == ["tagged", *["unchanged"] * 5]


def test_tags_reach_the_store_and_leave_it_and_no_other_stage_is_done(
    library: Library, title: Manifest, studio: Studio, vocabulary: Vocabulary
) -> None:
    dark = Query(conditions=(AnyOf("tones", ("dark",)),))
    with open_catalogue(library, command="pytest") as catalogue:
        assert catalogue.query(dark) == []
        studio.published = lambda: catalogue.sync()  # type: ignore[assignment]
        list(tag_titles(studio, [title], vocabulary=vocabulary))
        assert [hit.shot for hit in catalogue.query(dark)] == [3]
        assert catalogue.count() == 6
        assert library.manifest(title.title_id).generation == title.generation
        assert [r.status for r in clear_tags(studio, [title])] == ["cleared"]
        assert catalogue.query(dark) == []
        assert catalogue.count() == 6
        assert [r.status for r in clear_tags(studio, [title])] == ["unchanged"]
    assert not list(library.folder(title.title_id).glob("tags@*"))


def test_a_probe_s_word_replaces_words_for_its_group(
    library: Library, title: Manifest, studio: Studio, vocabulary: Vocabulary
) -> None:
    weights = np.zeros((DIM, 2), np.float32)
    weights[THINGS.index("sea"), 0] = 8.0
    probe = KeptProbe(
        task="tone", classes=("salty", "dry"), row="video", weights=weights,
        bias=np.array([-4.0, -4.0], np.float32), calibration=np.array([[1, 1], [0, 0]], np.float32),
        version=library.version, checkpoint=None,
    )  # fmt: skip
    keep_probe(library, probe)
    [told] = tag_titles(studio, [title], vocabulary=vocabulary)
    assert told.sources["tone"] == "probe"
    assert told.tags["tone"] == {"salty": 2}
    tags = read_tags(library.folder(title.title_id), library.manifest(title.title_id))
    assert tags is not None
    assert tags.groups["tone"].shots[1] == {"salty": pytest.approx(0.982, abs=1e-3)}
    keep_probe(library, replace(probe, version="another-12345678"))
    [again] = tag_titles(studio, library.titles(), vocabulary=vocabulary)
    assert (again.sources["tone"], again.tags["tone"]) == ("words", {"dark": 1})


def test_shots_that_are_the_same_keep_their_tags_and_others_lose_them(
    library: Library, title: Manifest, studio: Studio, vocabulary: Vocabulary
) -> None:
    list(tag_titles(studio, [title], vocabulary=vocabulary))
    known, folder = library.manifest(title.title_id), library.folder(title.title_id)
    shots = library.shots(title.title_id)
    anew = replace(title, title="Harbour, again", generation="later")
    kept = carried_over(anew, known, shots, folder)
    assert (kept.title, kept.tags, kept.tag_names) == (
        "Harbour, again",
        known.tags,
        known.tag_names,
    )
    recut = shots.assign(end_frame=shots["end_frame"] + 1)
    assert carried_over(anew, known, recut, folder).tags is None


# -- what can go wrong


def test_without_an_encoder_that_reads_words_it_says_so(
    library: Library, title: Manifest, tmp_path: Path
) -> None:
    missing = {"video": "no wheel", "text": "no wheel"}
    encoders = EncoderSet(library.profile, device="cpu", cache_dir=tmp_path, missing=missing)
    with pytest.raises(UsageError, match=r"No encoder of profile 'offline' .* reads words"):
        list(tag_titles(Studio(library, encoders), [title]))
    assert library.manifest(title.title_id).tags is None


def test_a_title_that_is_removed_meanwhile_is_not_made_again(
    library: Library, title: Manifest, studio: Studio, vocabulary: Vocabulary
) -> None:
    shutil.rmtree(library.folder(title.title_id))
    [told] = tag_titles(studio, [title], vocabulary=vocabulary)
    assert (told.status, told.reason) == ("failed", "Harbour has gone from the library.")
    assert not library.folder(title.title_id).exists()


def test_a_damaged_title_stops_no_other(
    library: Library, title: Manifest, studio: Studio, vocabulary: Vocabulary, tmp_path: Path
) -> None:
    whole = add_seen(library, make_film(tmp_path / "b.mp4", seconds=12, size="80x36"), SHOTS)
    (library.folder(title.title_id) / "shots.parquet").write_bytes(b"no table")
    told = {r.title_id: r for r in tag_titles(studio, [title, whole], vocabulary=vocabulary)}
    assert told[whole.title_id].status == "tagged"
    assert told[title.title_id].status == "failed"
    assert "Run `trimbin index` on it" in told[title.title_id].reason


def test_a_library_that_cannot_be_written_is_left_as_it_was(
    library: Library, title: Manifest, studio: Studio, vocabulary: Vocabulary
) -> None:
    library.models_folder.write_text("a file in the way")
    with pytest.raises(CannotRunNow, match="cannot be written"):
        list(tag_titles(studio, [title], vocabulary=vocabulary))
    assert library.manifest(title.title_id).tags is None


def test_a_full_disk_is_told_and_leaves_the_title_as_it_was(
    library: Library,
    title: Manifest,
    studio: Studio,
    vocabulary: Vocabulary,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("indexer.workbench.write_atomically", refuse)
    with pytest.raises(CannotRunNow, match="No space left on device"):
        list(tag_titles(studio, [title], vocabulary=vocabulary))
    assert library.manifest(title.title_id).tags is None


def test_tags_that_cannot_be_read_are_made_again(
    library: Library, title: Manifest, studio: Studio, vocabulary: Vocabulary
) -> None:
    list(tag_titles(studio, [title], vocabulary=vocabulary))
    [file] = library.folder(title.title_id).glob("tags@*")
    file.write_text("{not json")
    assert carried(library, title) == [{}] * 6
    [again] = tag_titles(studio, library.titles(), vocabulary=vocabulary)
    assert again.status == "tagged"
    assert carried(library, title)[3] == {"tones": ["dark"]}
