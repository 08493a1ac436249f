"""A remembered line and what is said: which slips count, how much, and which do not pass."""
# ruff: noqa: RUF001

from __future__ import annotations

import random
import string

import pytest

from qdrant.errors import UsageError
from qdrant.phrases import Phrase, closeness

SAID = [
    "Why don't you just admit that\nyou're freaked out by my robot hand?",
    "Look Celia, we have to follow our passions;",
    "...you have your robotics, and I\njust want to be awesome in space.",
    "I have nightmares that I'm being chased by giant robotic claws of death",
    "The world's changed Celia, maybe we can too.",
    "Gunther, keep the hover engines running in case we need a fast exit.",
    "Memory override in progress, please stand behind the yellow line.",
    "Come, boys, let us see what the orchard has for supper tonight",
]


def close(text, said, *, slop=2, language="en"):
    return closeness(Phrase(text, slop), said, language=language)


@pytest.mark.parametrize(
    "said",
    ["say hello", "Say, HELLO!", "He'll\nsay\nhello to you", "to say “Hello”", "sáy hellô"],
)
def test_word_for_word_is_1_whatever_the_case_accents_punctuation_and_lines(said):
    assert close("say hello", said) == 1


@pytest.mark.parametrize("said", ["hello say", "say", "hello", "", "...", "essay hellos on end"])
def test_what_is_not_said_in_that_order_is_0(said):
    assert close("say hello", said) == 0


def test_nothing_asked_is_said_nowhere():
    assert close("", "say hello") == close("?!", "say hello") == 0


def test_inflection_costs_little():
    assert close("say hello", "she says hello") == pytest.approx(1 - 0.03 / 2)
    assert close("running", "runs") == pytest.approx(0.97)


def test_every_word_between_costs_until_the_slop_is_passed():
    said = ["say hello", "say a hello", "say a big hello", "say a very big hello"]
    found = [close("say hello", text) for text in said]

    assert found[0] == 1
    assert 1 > found[1] > found[2] > 0.5
    assert found[3] == 0
    assert close("say hello", said[3], slop=3) > 0.5
    assert close("say hello", said[1], slop=0) == 0


@pytest.mark.parametrize(
    ("asked", "said", "is_typo"),
    [
        ("helo", "hello", True),  # four letters: one edit
        ("ehllo", "hello", True),  # two changed about are one edit
        ("hexllo", "hello", True),
        ("heppo", "hello", False),  # two edits of five letters
        ("nightnares", "nightmares", True),
        ("nihgtnares", "nightmares", True),  # eight letters and more: two
        ("nihgtnaers", "nightmares", False),
        ("hve", "have", True),  # one of four was left out
        ("cat", "car", False),  # three letters: none
        ("1984", "1985", False),
    ],
)
def test_typos_by_the_length_of_the_word(asked, said, is_typo):
    found = close(asked, said)
    assert (0.7 < found < 0.95) if is_typo else found == 0


def test_the_nearest_place_counts():
    assert close("say hello", "say a hello, or say helo, or just say hello now") == 1


@pytest.mark.parametrize(
    "said",
    [
        "likes red apples",
        "he likes apples",
        "he likes red",
        "he likes green apples",
        "he red apples",
    ],
)
def test_four_words_may_lack_one_at_a_price(said):
    assert close("he likes red apples", said) == pytest.approx(0.75)


def test_three_words_may_lack_none_and_four_not_two():
    assert close("likes red apples", "likes apples") == 0
    assert close("he likes red apples", "he likes") == 0
    assert close("he likes red apples", "he green apples") == 0


def test_a_contraction_is_one_word_with_or_without_its_apostrophe():
    assert close("dont youre its", "Don’t! You're… it's") == 1
    assert close("homme est mort", "L’homme est mort", language="fr") == 1


@pytest.mark.parametrize(
    ("language", "asked", "said", "least"),
    [
        ("de", "das Haus ist leer", "Die alten Häuser sind leer; das Haus ist leer.", 1),
        ("de", "leere Häuser", "ein leeres Haus", 0.97),
        ("fr", "les chevaux sauvages", "le cheval sauvage", 0),
        ("fr", "cheval sauvage", "les chevaux sauvages", 0.97),
        ("ru", "ты придурок том", "Ты придурок, Том!", 1),
        ("ru", "следовать нашему желанию", "должны \nследовать нашим желаниям...", 0.6),
        ("ru", "ещё елка", "Еще ёлка", 1),
        ("nb", "hundene løp", "Hunden løp", 0.97),
        ("el", "καλημερα ανθρωποι", "Καλημέρα, άνθρωποι", 1),
        ("ar", "سلام عليكم", "سَلامٌ عَلَيْكُم", 1),
        ("hi", "हिन्दी में बोलो", "अब हिन्दी में बोलो!", 1),
        ("pl", "dobry wieczór państwu", "Dobry wieczor, panstwu", 1),
        ("ja", "今日は元気", "ねえ、今日は元気ですか？", 1),
        ("ja", "今日は天気ですか", "ねえ、今日は元気ですか？", 0.8),
        ("zh", "我的朋友", "你好,我的 朋友!", 1),
        ("th", "สวัสดี", "สวัสดีครับ", 1),
        (None, "say hello", "says hello", 0.97),
    ],
)
def test_in_other_languages(language, asked, said, least):
    assert close(asked, said, language=language) >= least


@pytest.mark.parametrize(("asked", "said"), [("元気今日", "今日は元気ですか"), ("日本語", "日語")])
def test_characters_in_another_order_or_missing_from_few_do_not_count(asked, said):
    assert close(asked, said, language="ja") == 0


def one_typo(line, rng):
    """Change one letter in a word of four letters or more; None where there is none."""
    words = line.split()
    places = [n for n, word in enumerate(words) if len(word) >= 4 and word.isalpha()]
    if not places:
        return None
    at = rng.choice(places)
    letters = list(words[at])
    place = rng.randrange(len(letters) - 1)
    kind = rng.choice(["delete", "insert", "substitute", "transpose"])
    if kind == "delete":
        del letters[place]
    elif kind == "insert":
        letters.insert(place, rng.choice(string.ascii_lowercase))
    elif kind == "substitute":
        letters[place] = rng.choice(string.ascii_lowercase)
    else:
        letters[place : place + 2] = reversed(letters[place : place + 2])
    words[at] = "".join(letters)
    return " ".join(words)


def test_one_typo_in_four_words_or_more_stays_close_and_other_lines_do_not():
    rng = random.Random(20)
    for _ in range(400):
        said = rng.choice(SAID)
        words = said.split()
        first = rng.randrange(len(words) - 3)
        line = " ".join(words[first : first + rng.randint(4, 9)])
        misspelt = one_typo(line, rng)
        if misspelt is None:
            continue
        assert close(misspelt, said) > 0.7, misspelt
        for other in SAID:
            if other != said:
                assert close(misspelt, other) == 0, (misspelt, other)


def by_hand(asked, said, slop):
    """Say the same of words without typos, endings or gaps in them, trying every choice."""
    best = 0.0

    def go(row, last, cost, lacks, gap_free):
        nonlocal best
        if row == len(asked):
            best = max(best, 1 - cost / len(asked))
            return
        if not lacks and len(asked) >= 4:
            go(row + 1, last, cost + 1, True, last is not None)
        for place in range(len(said)):
            if said[place] != asked[row]:
                continue
            if last is None:
                go(row + 1, place, cost, lacks, False)
                continue
            between = place - last - 1 - (gap_free and place > last + 1)
            if place > last and between <= slop:
                go(row + 1, place, cost + 0.3 * between, lacks, False)

    go(0, None, 0.0, False, False)
    return best


def test_against_every_choice_tried():
    rng = random.Random(4)
    seen = set()
    for _ in range(600):
        asked = rng.choices("abc", k=rng.randint(1, 5))
        said = rng.choices("abcd", k=rng.randint(1, 8))
        slop = rng.randint(0, 2)
        expected = max(0.0, by_hand(asked, said, slop))
        # single letters: nothing to misspell, and no ending
        assert close(" ".join(asked), " ".join(said), slop=slop, language="xx") == pytest.approx(
            expected, abs=1e-6
        ), (asked, said, slop)
        seen.add(round(expected, 2))
    assert len(seen) > 8


@pytest.mark.parametrize(
    ("asked", "said", "found"),
    [
        ("the " * 40, "the " * 25_000, 1),
        ("the robot and " * 13, "the and robot " * 7_000, 1 - 38 * 0.3 / 39),  # one between each
        ("a" * 100_000, "a" * 99_999 + "b", 1),  # of a word, only so much is read as anybody types
        ("あい" * 500, "あ" * 100_000, 0),
        ("x " * 50_000, "x " * 50_000, 1),
        ("zebra unicorn lollipop", "copper lantern meadow " * 5_000, 0),
    ],
)
def test_a_hundred_kilobytes_are_read(asked, said, found):
    assert close(asked, said) == pytest.approx(found)


@pytest.mark.parametrize("slop", [-1, 21, 10**9])
def test_a_slop_that_makes_no_sense_is_refused(slop):
    with pytest.raises(UsageError, match="0 to 20"):
        Phrase("say hello", slop)
