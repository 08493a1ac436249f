"""Dialogue as sparse vectors: which words count, and that import stays light."""

from __future__ import annotations

import subprocess
import sys

import pytest

from qdrant import lines


def words(text):
    vector = lines.question(text)
    return set() if vector is None else set(vector.indices)


@pytest.mark.parametrize("text", ["", "   ", "to be or not to be", "...!"])
def test_text_without_words_of_its_own_has_no_vector(text):
    assert lines.question(text) is None
    assert lines.document(text) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [("The RAIN", "rain"), ("running", "runs"), ("Très bien", "tres bien")],
)
def test_case_endings_accents_and_stop_words_do_not_matter(one, other):
    assert words(one) == words(other) != set()


def test_a_language_without_spaces_is_split_into_words():
    assert words("今日は") < words("今日は元気ですか")


def test_a_word_said_more_often_weighs_more_and_one_in_a_long_speech_less():
    def weight(dialogue):
        vector = lines.document(dialogue)
        (rain,) = words("rain")
        return vector.values[vector.indices.index(rain)]

    assert weight("rain rain") > weight("rain copper")
    assert weight("rain " + "copper lantern meadow " * 5) < weight("rain copper")
    # tf (k + 1) / (tf + k (1 - b + b length / typical)), at the typical length of 8 tokens
    exactly_typical = "rain " + "copper lantern meadow orchard violin engine harbour"
    assert weight(exactly_typical) == pytest.approx(2.2 / 2.2)


def test_importing_the_store_loads_neither_client_nor_engine():
    program = (
        "import sys, qdrant.store, qdrant.schema, qdrant.language, qdrant.moments, qdrant.ranking\n"
        "print([m for m in sys.modules if m.split('.')[0] in "
        "('qdrant_client', 'qdrant_edge', 'httpx', 'grpc')])"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[]"
