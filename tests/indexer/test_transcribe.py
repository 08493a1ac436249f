"""Speech becomes words with times, and words become cues."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import numpy as np
import pysubs2
import pytest
from harness import need_offline_profile
from numpy.typing import NDArray

from indexer.encoders import weights
from indexer.encoders.weights import package_folder
from indexer.media.probe import probe
from indexer.profiles import load_profile
from indexer.sound.recording import Recording, recording
from indexer.sound.voice import speech_spans
from indexer.words.alignment import times_of
from indexer.words.cues import Cue
from indexer.words.moonshine import MoonshineTranscriber, read_tokens, without_loop
from indexer.words.transcribe import Span, Word, obstacle, transcriber_of, transcript
from indexer.words.whisper import WhisperTranscriber, words_of
from qdrant.errors import WeightsUnavailable

RATE_HZ = 16_000

BECKETT = "Ever tried|Ever failed|No matter|Try again|Fail again|Fail better"
TWO_CITIES = (
    "It was the best of times it was the worst of times|it was the age of wisdom|"
    "it was the age of foolishness|it was the epoch of belief|it was the epoch of incredulity|"
    "it was the season of Light|it was the season of Darkness|it was the spring of hope|"
    "it was the winter of despair|we had everything before us we had nothing before us|"
    "we were all going direct to Heaven|we were all going direct the other way|in short|"
    "the period was so far like the present period|that some of its noisiest authorities "
    "insisted on its being received for good or for evil in the superlative degree of "
    "comparison only"
)
"""What is said, and `|` where silero finds that the speaker pauses."""


def plain(text: str) -> list[str]:
    kept = (c if c.isalnum() or c == "'" else " " for c in text.lower().replace("\u2019", "'"))
    return "".join(kept).split()


def word_error_rate(said: str, heard: str) -> float:
    """Words put in, left out or changed, by the words that were said."""
    truth, found = plain(said), plain(heard)
    row = list(range(len(found) + 1))
    for number, word in enumerate(truth, start=1):
        diagonal, row[0] = row[0], number
        for column, other in enumerate(found, start=1):
            best = min(row[column] + 1, row[column - 1] + 1, diagonal + (word != other))
            diagonal, row[column] = row[column], best
    return row[-1] / len(truth)


def test_the_measure_counts_words() -> None:
    assert word_error_rate("a b c d", "A, b; c. d!") == 0
    assert word_error_rate("a b c d", "a x c") == 0.5
    assert word_error_rate("a", "a b c") == 2


@contextmanager
def reading(name: str) -> Iterator[tuple[Recording, list[Span]]]:
    with recording(probe(package_folder("moonshine_voice") / "assets" / name)) as heard:
        yield heard, speech_spans(heard.samples)


@pytest.fixture(scope="module")
def moonshine() -> MoonshineTranscriber:
    need_offline_profile()
    return MoonshineTranscriber()


@pytest.mark.parametrize(
    ("name", "said", "most_wrong", "most_astray"),
    [("beckett.wav", BECKETT, 0.09, 2), ("two_cities.wav", TWO_CITIES, 0.03, 4)],
)
def test_readings_are_written_down_where_they_are_said(
    moonshine: MoonshineTranscriber, name: str, said: str, most_wrong: float, most_astray: int
) -> None:
    with reading(name) as (heard, spans):
        cues = transcript(heard, spans, moonshine)
    assert word_error_rate(said.replace("|", " "), told(cues)) <= most_wrong
    parts = [part.split() for part in said.split("|")]
    assert len(spans) == len(parts)
    counts = [len(told(inside(cues, span)).split()) for span in spans]
    # A word on the wrong side of a pause is missing in one span and over in the next.
    astray = sum(abs(n - len(part)) for n, part in zip(counts, parts, strict=True)) / 2
    assert astray <= most_astray


def test_no_cue_leaves_its_span_or_grows_too_long(moonshine: MoonshineTranscriber) -> None:
    with reading("two_cities.wav") as (heard, spans):
        cues = transcript(heard, spans, moonshine)
    assert sum(len(inside(cues, span)) for span in spans) == len(cues) > len(spans)
    for cue, following in pairwise(cues):
        assert cue.end_s <= following.start_s + 1e-9
    for cue in cues:
        assert 0 < cue.end_s - cue.start_s <= 7
        assert 0 < len(cue.text) <= 84


def test_speech_without_a_pause_is_cut_where_it_is_quiet(moonshine: MoonshineTranscriber) -> None:
    with reading("two_cities.wav") as (heard, spans):
        one = (spans[0][0], spans[-1][1])
        cues = transcript(heard, [one], moonshine)
    assert one[1] - one[0] > 2 * moonshine.longest_s
    assert word_error_rate(TWO_CITIES.replace("|", " "), told(cues)) <= 0.15


def test_words_are_on_the_titles_clock(moonshine: MoonshineTranscriber) -> None:
    with reading("beckett.wav") as (heard, _):
        sound = heard.between(0, heard.duration_s)
    first = moonshine.transcribe(sound, start_s=0.0)
    later = moonshine.transcribe(sound, start_s=100.0)
    assert [word.text for word in later] == [word.text for word in first]
    assert [word.start_s for word in later] == pytest.approx([w.start_s + 100 for w in first])
    assert all(0 <= word.start_s <= word.end_s <= heard.duration_s for word in first)


def test_what_is_no_speech_gives_no_words(moonshine: MoonshineTranscriber) -> None:
    random = np.random.default_rng(1)
    hiss = (0.05 * random.standard_normal(2 * RATE_HZ)).astype(np.float32)
    for sound in (np.zeros(0, np.float32), np.zeros(RATE_HZ, np.float32), hiss):
        assert moonshine.transcribe(sound, start_s=5.0) == []


def test_progress_is_told_in_seconds_of_the_recording(moonshine: MoonshineTranscriber) -> None:
    reports: list[tuple[str, float, float]] = []
    with reading("beckett.wav") as (heard, spans):
        transcript(heard, spans, moonshine, progress=lambda *report: reports.append(report))
    assert reports[0] == ("transcribe", spans[0][0], heard.duration_s)
    assert reports[-1] == ("transcribe", heard.duration_s, heard.duration_s)


class Prompter:
    """Says one word a second, whatever it hears: what cues are made of, without a model."""

    name = version = "prompter"
    languages: tuple[str, ...] = ("en",)
    longest_s = 20.0

    def __init__(self, text: str) -> None:
        self.text = text

    def transcribe(self, sound: NDArray[np.float32], *, start_s: float) -> list[Word]:
        words = enumerate(self.text.split())
        return [Word(start_s + n, start_s + n + 0.8, word) for n, word in words]


def cues_of(text: str, *spans: Span) -> tuple[Cue, ...]:
    with reading("two_cities.wav") as (heard, _):
        return transcript(heard, spans, Prompter(text))


def test_cues_end_with_sentences_and_at_commas_of_long_ones() -> None:
    need_offline_profile()
    assert [cue.text for cue in cues_of("Yes. So it is, my friend.", (0, 10))] == [
        "Yes.",
        "So it is, my friend.",
    ]
    assert [cue.text for cue in cues_of("a b c d, e f g h i", (0, 10))] == ["a b c d,", "e f g h i"]
    assert [cue.text for cue in cues_of("a b c d e f g h i", (0, 10))] == ["a b c d e f g", "h i"]


def test_words_heard_in_a_pause_go_to_the_nearer_span() -> None:
    need_offline_profile()
    cues = cues_of("one two three four", (0.0, 1.6), (2.2, 4.0))
    assert cues == (Cue(0.0, 1.6, "one two"), Cue(2.2, 3.8, "three four"))


def test_asking_finds_words_between_pauses() -> None:
    """Three words said at 0-1, 3-3.5 and 3.5-4 s; letters alone would put them elsewhere."""
    time_s = np.arange(4 * RATE_HZ) / RATE_HZ
    said = (time_s < 1) | (time_s >= 3)
    sound = (said * np.sin(2 * np.pi * 200 * time_s)).astype(np.float32)
    heard_at_s = np.array([0.6, 3.3, 3.8])

    def loss(first: int, last: int, until_s: float) -> NDArray[np.float32]:
        return np.where(heard_at_s[first:last] > until_s, 9.0, 0.0).astype(np.float32)

    (one, two, three) = times_of(["a", "much", "longer"], sound, loss)
    assert one == pytest.approx((0.0, 1.0), abs=0.02)
    assert two[0] == pytest.approx(3.0, abs=0.02)
    assert two[1] == three[0] == pytest.approx(3.5, abs=0.15)
    assert three[1] == pytest.approx(4.0, abs=0.02)


def test_tokens_are_read_by_their_lengths() -> None:
    long = b"x" * 200
    assert read_tokens(b"\x02ab\x00" + bytes([200 - 128 + 128, 1]) + long) == [b"ab", b"", long]


def test_a_loop_is_left_out_and_a_repetition_is_not() -> None:
    assert without_loop([5, 1, 2, 1, 2, 1, 2]) == [5, 1, 2]
    assert without_loop([5, 7, 7, 7, 7]) == [5, 7]
    assert without_loop([5, 1, 2, 1, 2]) == [5, 1, 2, 1, 2]


def test_a_profile_out_of_wheels_transcribes_with_moonshine() -> None:
    need_offline_profile()
    offline = load_profile("offline")
    assert obstacle(offline) is None
    assert obstacle(offline, language="en-GB") is None
    assert "knows en, and this is in nb" in (obstacle(offline, language="nb") or "")
    assert isinstance(transcriber_of(offline), MoonshineTranscriber)


@pytest.fixture
def no_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty cache, and a hub at an address where nobody listens."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    weights.hub_answers.cache_clear()


def need_whisper() -> None:
    pytest.importorskip("faster_whisper", reason="pip install 'trimbin[transcribe]' first")


@pytest.mark.usefixtures("no_hub")
def test_whisper_without_its_weights_says_so_within_seconds() -> None:
    need_whisper()
    clip = load_profile("clip")
    assert "faster-whisper-small are not in the local cache" in (obstacle(clip) or "")
    started = time.monotonic()
    with pytest.raises(WeightsUnavailable, match=r"--profile offline.*--transcribe never"):
        transcriber_of(clip)
    assert time.monotonic() - started < 20


def test_words_come_out_of_whispers_segments() -> None:
    need_whisper()
    from faster_whisper.transcribe import Segment
    from faster_whisper.transcribe import Word as Spoken

    def segment(start: float, end: float, text: str, words: list[Spoken] | None) -> Segment:
        return Segment(
            id=1,
            seek=0,
            start=start,
            end=end,
            text=text,
            tokens=[],
            avg_logprob=-0.2,
            compression_ratio=1.0,
            no_speech_prob=0.0,
            words=words,
            temperature=0.0,
        )

    spoken = [Spoken(0.0, 0.4, " No", 0.9), Spoken(0.5, 1.0, " matter.", 0.8)]
    segments = [segment(0, 1, " No matter.", spoken), segment(2, 3, " Try again.", None)]
    assert words_of(segments, start_s=10.0) == [
        Word(10.0, 10.4, "No"),
        Word(10.5, 11.0, "matter."),
        Word(12.0, 13.0, "Try again."),
    ]


def test_a_small_whisper_of_ones_own_runs(tmp_path: Path) -> None:
    """A real model in the real format, if one that has learnt nothing."""
    need_whisper()
    whisper = WhisperTranscriber(str(small_whisper(tmp_path)), language="en")
    sound = np.random.default_rng(0).standard_normal(RATE_HZ).astype(np.float32) / 10
    words = whisper.transcribe(sound, start_s=100.0)
    assert words
    assert all(isinstance(word.start_s, float) and word.start_s >= 100 for word in words)
    assert whisper.transcribe(sound, start_s=100.0) == words
    assert WhisperTranscriber.obstacle(str(tmp_path / "ct2")) is None


def small_whisper(folder: Path) -> Path:
    import torch
    from ctranslate2.converters import TransformersConverter
    from faster_whisper.tokenizer import _LANGUAGE_CODES
    from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers
    from transformers import (
        GenerationConfig,
        WhisperConfig,
        WhisperForConditionalGeneration,
        WhisperTokenizerFast,
    )

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={c: n for n, c in enumerate(letters)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    languages = [f"<|{code}|>" for code in _LANGUAGE_CODES]
    tasks = "translate transcribe startoflm startofprev nospeech notimestamps"
    special = ["<|endoftext|>", "<|startoftranscript|>", *languages]
    special += [f"<|{task}|>" for task in tasks.split()]
    special += [f"<|{n * 0.02:.2f}|>" for n in range(1501)]
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in special])
    tokenizer.save(str(folder / "tokenizer.json"))
    end, start = (tokenizer.token_to_id(token) for token in special[:2])
    limits = {"eos_token_id": end, "bos_token_id": end, "pad_token_id": end}
    config = WhisperConfig(
        vocab_size=tokenizer.get_vocab_size(),
        d_model=32,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=64,
        decoder_ffn_dim=64,
        init_std=0.2,
        decoder_start_token_id=start,
        suppress_tokens=[],
        begin_suppress_tokens=[],
        **limits,
    )
    with torch.random.fork_rng(), weights.quietly():
        torch.manual_seed(0)
        model = WhisperForConditionalGeneration(config)
        model.generation_config = GenerationConfig(decoder_start_token_id=start, **limits)
        model.generation_config.suppress_tokens = model.generation_config.begin_suppress_tokens = []
        model.generation_config.alignment_heads = [[0, 0]]
        model.generation_config.lang_to_id = {t: tokenizer.token_to_id(t) for t in languages}
        model.save_pretrained(folder)
        WhisperTokenizerFast(tokenizer_file=str(folder / "tokenizer.json")).save_pretrained(folder)
        converter = TransformersConverter(str(folder), copy_files=["tokenizer.json"])
        return Path(converter.convert(str(folder / "ct2")))


@pytest.mark.media
@pytest.mark.parametrize(
    ("film", "subtitles", "most_wrong"),
    [
        ("nasa_13013.mp4", "subs/nasa_13013.en.srt", 0.2),
        # One of its four lines is said under music, where silero hears no voice.
        ("sintel_trailer_720p.mp4", "subs/sintel_trailer.en.vtt", 0.3),
    ],
)
def test_films_against_their_subtitles(
    moonshine: MoonshineTranscriber, film: str, subtitles: str, most_wrong: float
) -> None:
    folder = Path(os.environ.get("TRIMBIN_MEDIA", "not set"))
    if not (folder / film).is_file() or not (folder / subtitles).is_file():
        pytest.skip(f"set TRIMBIN_MEDIA to a folder with {film} and {subtitles}")
    with recording(probe(folder / film)) as heard:
        cues = transcript(heard, speech_spans(heard.samples), moonshine)
        events = pysubs2.load(str(folder / subtitles)).events
        whole = [event.plaintext for event in events if event.end / 1000 < heard.duration_s]
    said = " ".join(whole).replace("NAR:", "")
    assert word_error_rate(said, told(cues)) <= most_wrong


def told(cues: tuple[Cue, ...] | list[Cue]) -> str:
    return " ".join(cue.text for cue in cues)


def inside(cues: tuple[Cue, ...], span: Span) -> list[Cue]:
    near = 1e-6
    return [c for c in cues if span[0] - near <= c.start_s and c.end_s <= span[1] + near]
