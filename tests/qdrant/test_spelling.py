"""Words that a library doesn't know, and what may be meant by them."""

from __future__ import annotations

import random
import string

import pytest

from qdrant.spelling import Vocabulary, respelled

WORDS = Vocabulary(
    [
        "Why don't you just admit that you're freaked out by my robot hand?",
        "The robots are robotic. The ROBOT is here, I admit.",
        "Très bien, mon château",
        "今日は元気ですか",
    ]
)


def test_words_are_counted_folded():
    assert WORDS.count("robot") == WORDS.count("Robot") == 2
    assert "chateau" in WORDS and "Château" in WORDS and "castle" not in WORDS
    assert len(Vocabulary(["a b, A"])) == 2


def test_words_that_are_there_no_more_are_left_out():
    words = Vocabulary.counted({"robot": 2, "claw": 0})
    assert "claw" not in words and len(words) == 1
    assert words.alternatives("claws") == ()


def test_a_word_that_is_there_comes_first_then_the_nearest_then_the_most_frequent():
    words = Vocabulary(["hand hand band land land land sand wand bands"])

    assert words.alternatives("hand") == (
        ("hand", 1.0),
        ("land", 0.88),
        ("band", 0.88),
        ("sand", 0.88),
        ("wand", 0.88),
    )
    assert [word for word, _ in words.alternatives("bandz")] == ["band", "bands"]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("robto", ["robot"]),
        ("ROBOTT", ["robot", "robots"]),
        ("chatteau", ["chateau"]),
        ("frekaed", ["freaked"]),
        ("robbtoic", ["robotic"]),  # eight letters: two
        ("hnd", ["hand"]),  # one of four was left out
        ("hmn", []),  # but none of three is another
        ("yoi", []),
        ("zzzz", []),
        ("1984", []),
        ("", []),
        ("元気今日", []),
    ],
)
def test_as_many_edits_as_the_word_is_long(asked, found):
    assert [word for word, _ in WORDS.alternatives(asked)] == found


def test_against_every_word_tried():
    from rapidfuzz.distance import DamerauLevenshtein

    rng = random.Random(2)
    known = {
        "".join(rng.choices(string.ascii_lowercase[:6], k=rng.randint(2, 11))): rng.randint(1, 9)
        for _ in range(3000)
    }
    words = Vocabulary.counted(known)
    several = 0
    for _ in range(200):
        asked = "".join(rng.choices(string.ascii_lowercase[:7], k=rng.randint(3, 10)))
        edits = {word: DamerauLevenshtein.distance(asked, word) for word in known}
        near = sorted(
            (edits[word], -known[word], word)
            for word in known
            if edits[word] <= sum(max(len(asked), len(word)) >= length for length in (4, 8))
        )
        assert [word for word, _ in words.alternatives(asked)] == [word for *_, word in near][:5]
        several += len(near) > 1
    assert several > 20


def test_a_line_is_asked_with_what_its_unknown_words_may_stand_for():
    assert respelled("frekaed out by my robto!", WORDS) == "frekaed freaked out by my robto robot!"
    assert respelled("Don't admit", WORDS) == "Don't admit"
    assert respelled("今日は, zzzz\n x", WORDS) == "今日は, zzzz\n x"
    assert respelled("", WORDS) == ""
    assert respelled("robto", Vocabulary()) == "robto"
