"""Text on screen: what is read, what is passed over, and what a shot's frames come to."""

import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.words import screen
from indexer.words.screen import ScreenLine, ScreenReader, cv2_owners, obstacle, text_of_shot
from indexer.words.screen_lines import each_once, in_reading_order
from qdrant.errors import WeightsUnavailable

HEIGHT, WIDTH = 288, 512

Pixels = NDArray[np.uint8]


@pytest.fixture(scope="module")
def reader() -> ScreenReader:
    reason = obstacle()
    if reason is not None:
        pytest.skip(reason)
    return ScreenReader()


def photograph(name: str = "coffee", height: int = HEIGHT) -> Pixels:
    """Return a picture without text, (height, 16 / 9 of it, 3) RGB."""
    from skimage import data, transform

    picture = transform.resize(getattr(data, name)(), (height, height * WIDTH // HEIGHT, 3))
    return (255 * picture).astype(np.uint8)


def written(picture: Pixels, *lines: tuple[float, float, float, str]) -> Pixels:
    """Return a picture with lines of (left, top, height, text), the first three as shares."""
    from PIL import Image, ImageDraw, ImageFont

    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image)
    height, width = picture.shape[:2]
    for left, top, size, text in lines:
        font = ImageFont.load_default(size * height)
        edge = max(1, round(size * height / 12))
        draw.text((left * width, top * height), text, "white", font, stroke_width=edge,
                  stroke_fill="black")  # fmt: skip
    return np.asarray(image)


def texts(lines: tuple[ScreenLine, ...]) -> list[str]:
    return [line.text for line in lines]


def test_a_title_is_read_where_it_stands(reader: ScreenReader) -> None:
    picture = written(
        photograph(), (0.1, 0.2, 0.12, "THE LAST TRAIN"), (0.55, 0.7, 0.08, "Oslo 1957")
    )
    title, place = reader.read(picture)
    assert (title.text, place.text) == ("THE LAST TRAIN", "Oslo 1957")
    assert title.confidence > 0.9
    left, top, right, bottom = title.box
    assert left == pytest.approx(0.1, abs=0.03)
    assert 0.15 < top < 0.25
    assert 0.28 < bottom < 0.38
    assert right > 0.5


def test_pictures_without_text_are_passed_over_at_a_glance(reader: ScreenReader) -> None:
    text = written(photograph(), (0.1, 0.2, 0.12, "THE LAST TRAIN"))
    photographs = [photograph(name) for name in ("coffee", "chelsea", "rocket", "astronaut")][:3]
    black = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    assert [reader.read(picture) for picture in (black, *photographs)] == [()] * 4
    assert seconds(reader.read, photographs[0]) < seconds(reader.read, text) / 3


def seconds(work: Callable[[Pixels], Any], picture: Pixels) -> float:
    def once() -> float:
        started = time.process_time()
        work(picture)
        return time.process_time() - started

    return min(once() for _ in range(3))


def test_small_print_wants_a_larger_picture(reader: ScreenReader) -> None:
    names = ["Enrico Valenza", "Nathan Vegdahl", "Brecht van Lommel"]
    lines = [(0.2, 0.3 + 0.1 * n, 0.03, name) for n, name in enumerate(names)]
    assert texts(reader.read(written(photograph(height=576), *lines))) == names


def test_most_words_set_in_capitals_are_parted(reader: ScreenReader) -> None:
    """Out of the box the recogniser runs them together."""
    title = "SOUND EFFECTS AND FOLEY DESIGN"
    num_spaces = 0
    for size in (0.05, 0.07, 0.09):
        (found,) = texts(reader.read(written(photograph("chelsea"), (0.05, 0.4, size, title))))
        assert found.replace(" ", "") == title.replace(" ", "")
        num_spaces += found.count(" ")
    assert 9 <= num_spaces <= 12


def test_a_widely_set_title_stays_a_word(reader: ScreenReader) -> None:
    letters = [(0.1 + 0.12 * n, 0.4, 0.15, letter) for n, letter in enumerate("SINTEL")]
    black = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    assert "".join(texts(reader.read(written(black, *letters)))) == "SINTEL"


def test_a_tall_box_may_be_two_lines() -> None:
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    tall, flat = (
        np.array([(0, 0), (200, 0), (200, height), (0, height)], np.float32) for height in (100, 20)
    )
    assert screen._may_be_two(tall, picture)
    assert not screen._may_be_two(flat, picture)
    upper, lower = screen._halves(tall)
    assert upper.tolist() == [[0, 0], [200, 0], [200, 50], [0, 50]]
    assert lower.tolist() == [[0, 50], [200, 50], [200, 100], [0, 100]]


def test_a_page_too_full_to_read_gives_its_tallest_lines(
    reader: ScreenReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [(0.05, 0.1, 0.06, "Many thanks to"), (0.05, 0.3, 0.14, "DIRECTOR")]
    picture = written(photograph(), *lines)
    assert texts(reader.read(picture)) == ["Many thanks to", "DIRECTOR"]
    monkeypatch.setattr(screen, "READING_BUDGET", 7.0)
    assert texts(reader.read(picture)) == ["DIRECTOR"]


def test_a_shot_tells_each_line_once(reader: ScreenReader) -> None:
    before = photograph()
    title = written(before, (0.1, 0.2, 0.12, "THE LAST TRAIN"))
    both = written(title, (0.1, 0.7, 0.1, "Chapter 2"))
    shot = np.stack([before, before, title, title, both, both])
    assert texts(text_of_shot(shot, reader)) == ["THE LAST TRAIN", "Chapter 2"]
    assert text_of_shot(shot[:0], reader) == ()


def test_a_crawl_is_read_at_more_places(reader: ScreenReader) -> None:
    black = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    words = ["camera", "sound", "music", "story", "colour", "light", "editing", "writing"]
    crawl = np.stack([written(black, (0.2, 0.4, 0.1, word)) for word in words])
    assert texts(text_of_shot(crawl, reader)) == words
    assert len(text_of_shot(crawl[:3], reader)) == 3


def line(text: str, left: float = 0.1, top: float = 0.1, confidence: float = 0.9) -> ScreenLine:
    return ScreenLine(text, confidence, (left, top, left + 0.2, top + 0.1))


def test_lines_are_in_reading_order() -> None:
    lines = [line("d", 0.1, 0.5), line("b", 0.4, 0.12), line("c", 0.7, 0.08), line("a", 0.1, 0.1)]
    assert texts(tuple(in_reading_order(lines))) == ["a", "b", "c", "d"]


def test_a_line_is_kept_as_best_read() -> None:
    first = [line("Nethan Vegdaht", confidence=0.7), line("Sun")]
    then = [line("Nathan Vegdahl", top=0.4, confidence=0.95), line("Moon")]
    assert texts(each_once([first, then])) == ["Nathan Vegdahl", "Sun", "Moon"]
    assert texts(each_once([[line("Chapter 1")], [line("Chapter 2")]])) == [
        "Chapter 1",
        "Chapter 2",
    ]


def test_without_its_wheel_the_way_out_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        screen,
        "find_spec",
        lambda name: None if name == "rapidocr_onnxruntime" else find_spec(name),
    )
    with pytest.raises(WeightsUnavailable, match=r"--no-deps rapidocr-onnxruntime==1\.4\.4"):
        ScreenReader()


def test_opencv_has_one_owner() -> None:
    assert cv2_owners() == ["opencv-python-headless"]
