"""Words as sparse vectors: which of them count, in which language, and that import stays light."""
# ruff: noqa: RUF001

from __future__ import annotations

import subprocess
import sys

import pytest
from qdrant_edge import Bm25, Bm25Config, TokenizerType

from qdrant import lines


def words(text, *languages, exact=False):
    vector = lines.question(text, languages or ("en",), exact=exact)
    return set() if vector is None else set(vector.indices)


def stored(text, language=None):
    vector = lines.document(text, language)
    return {} if vector is None else dict(zip(vector.indices, vector.values, strict=True))


def content(weights):
    return {index: value for index, value in weights.items() if index < lines.STOP_WORDS_FROM}


@pytest.mark.parametrize("text", ["", "   ", "...!"])
def test_text_without_words_has_no_vector(text):
    assert lines.question(text) is None
    assert lines.document(text) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [("The RAIN", "rain"), ("running", "runs"), ("Très bien", "tres bien")],
)
def test_case_endings_accents_and_stop_words_do_not_matter(one, other):
    assert words(one) == words(other) != set()


@pytest.mark.parametrize(
    "text",
    [
        "Why don't you just admit that you're freaked out by my robot hand?",
        "rain rain, copper",
        "Naïve façade - running, runs",
    ],
)
def test_english_is_stored_and_asked_as_the_engine_does_it(text):
    english = Bm25(
        Bm25Config(
            avg_len=lines.TYPICAL_TOKENS,
            tokenizer=TokenizerType.Multilingual,
            language="english",
            ascii_folding=True,
        )
    )
    document, question = english.embed_document(text), english.embed_query(text)

    assert content(stored(text)) == dict(zip(document.indices, document.values, strict=True))
    assert words(text) == set(question.indices)


def test_a_line_of_stop_words_is_asked_for_by_them_and_their_neighbours():
    asked, said = words("To be, or not to be"), stored("to be or not to be: the question").keys()

    assert asked <= said and asked
    assert len(words("who are you") - words("you are who")) == 2  # who-are, are-you
    assert words("Why?") <= stored("Tell me why").keys()
    assert not words("who are you") & content(stored("who are you")).keys()


def test_stop_words_are_left_out_of_a_question_that_has_others_unless_it_is_exact():
    assert words("who are you, stranger") == words("stranger")
    assert words("who are you, stranger", exact=True) == words("stranger") | words("who are you")


def test_a_stop_word_is_another_than_the_word_of_the_same_stem():
    assert not words("willing") & stored("you will").keys()
    assert words("willing") <= stored("she wills it").keys()


def test_numbers_count():
    assert words("room 237") > words("room")
    assert words("1984") <= stored("It was 1984, and 237 rooms").keys()
    assert not words("1984") & stored("1985").keys()


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("de", "die Häuser", "ein Haus"),
        ("fr", "les chevaux mangeaient", "le cheval mange"),
        ("ru", "с роботами", "робот"),
        ("ru", "Ещё ёлка", "елка"),
        ("nb", "hundene", "en hund"),
        ("no", "hundene", "hund"),
        ("es", "las canciones", "canción"),
    ],
)
def test_endings_and_stop_words_are_those_of_the_language(language, one, other):
    assert words(one, language) == words(other, language) != set()
    assert words(one, language) <= stored(other, language).keys()


@pytest.mark.parametrize("language", ["pl", "Klingon", "xx"])
def test_a_language_without_a_stemmer_keeps_its_words(language):
    assert not words("running", language) & words("runs", language)
    assert words("the rain", language) == stored("The rain!", language).keys()


@pytest.mark.parametrize("language", ["de", "DE", "deu", "ger", "de-AT", "de_AT", "German"])
def test_a_language_may_be_named_in_any_usual_form(language):
    assert words("Häuser", language) == words("haus", language)


@pytest.mark.parametrize("language", [None, "", "und"])
def test_words_of_no_stated_language_are_read_as_english(language):
    assert stored("The running man", language) == stored("The running man", "en")


def test_a_question_in_several_languages_is_asked_in_each():
    both = words("die Häuser", "en", "de")

    assert both == words("die Häuser", "en") | words("die Häuser", "de")
    # Stop words of one language are looked for though another has words to ask for.
    assert words("who are you") <= words("who are you", "en", "de")


@pytest.mark.parametrize(
    ("language", "part", "line"),
    [
        ("ja", "今日は", "今日は元気ですか"),
        ("ja", "元気", "今日は元気ですか"),
        ("ja", "それは", "それは今日です"),
        ("zh", "朋友", "你好，我的朋友！"),
        ("th", "สวัสดี", "สวัสดีครับ"),
    ],
)
def test_a_part_of_a_line_without_spaces_is_found(language, part, line):
    asked, said = words(part, language), stored(line, language).keys()
    assert len(asked & said) >= len(part) - 1
    assert not words("空港", language) & said


def test_a_word_said_more_often_weighs_more_and_one_in_a_long_speech_less():
    def weight(dialogue):
        (rain,) = words("rain")
        return stored(dialogue)[rain]

    assert weight("rain rain") > weight("rain copper")
    assert weight("rain " + "copper lantern meadow " * 5) < weight("rain copper")
    # tf (k + 1) / (tf + k (1 - b + b length / typical)), at the typical length of 8 tokens
    exactly_typical = "rain " + "copper lantern meadow orchard violin engine harbour"
    assert weight(exactly_typical) == pytest.approx(2.2 / 2.2)


def test_importing_the_store_loads_neither_client_nor_engine():
    program = (
        "import sys, qdrant.store, qdrant.schema, qdrant.language, qdrant.moments, qdrant.ranking\n"
        "import qdrant.phrases, qdrant.spelling\n"
        "print([m for m in sys.modules if m.split('.')[0] in "
        "('qdrant_client', 'qdrant_edge', 'httpx', 'grpc')])"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[]"
