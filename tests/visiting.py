"""The page in a real browser, under watch: what tests of it stand on."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Response, expect

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
NEEDS_BROWSER = pytest.mark.skipif(
    not CHROMIUM.is_file(), reason=f"NO BROWSER: {CHROMIUM} is not installed, the page is untested"
)
START_WITHIN_S = 90
SEE_WITHIN_MS = 45_000


@dataclass
class Visit:
    """A page under watch: what it asked for, what it complained of."""

    page: Page
    address: str
    responses: list[Response] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)  # requests that left this machine
    alerts: list[str] = field(default_factory=list)  # scripts that ran though they never should
    errors: list[str] = field(default_factory=list)  # our own scripts that failed

    def card(self, title: str) -> Locator:
        return self.page.locator(".tb-item").filter(has_text=title).first

    def search(self, words: str) -> None:
        self.page.get_by_placeholder("Describe a moment").fill(words)
        self.page.keyboard.press("Enter")


def playing(page: Page) -> dict[str, float]:
    """Wait until the player has a picture, and return where it stands."""
    video = page.locator("video")
    expect(video).to_have_count(1)  # the one before has gone
    video.evaluate(
        """video => new Promise((done, fail) => {
            const look = () =>
                video.readyState >= 2 && !video.seeking ? done() : setTimeout(look, 50);
            setTimeout(() => fail(new Error(`no picture: ${video.error?.message}`)), 30000);
            look();
        })"""
    )
    found = video.evaluate(
        "v => ({now: v.currentTime, ready: v.readyState, width: v.videoWidth, end: v.duration})"
    )
    return dict(found)


@contextmanager
def visiting(browser: Browser, address: str, **options: Any) -> Iterator[Visit]:
    """Open a page under watch, and see at the end that nothing was wrong with it."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
    context.set_default_timeout(SEE_WITHIN_MS)
    visit = Visit(context.new_page(), address)
    visit.page.on("response", lambda r: visit.responses.append(r))
    visit.page.on("request", lambda r: note_stranger(visit, r.url))
    visit.page.on("dialog", lambda d: (visit.alerts.append(d.message), d.dismiss()))
    visit.page.on("pageerror", lambda e: visit.errors.append(str(e)))
    yield visit
    context.close()
    assert (visit.strangers, visit.alerts, visit.errors) == ([], [], [])


def note_stranger(visit: Visit, url: str) -> None:
    here = visit.address.removeprefix("http://")
    if not url.startswith((f"http://{here}", f"ws://{here}", "data:", "blob:")):
        visit.strangers.append(url)


def start_page(root: Path, *options: str) -> tuple[subprocess.Popen[str], str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "app", "ui", "--library", str(root), "--port", str(port)]
    server = subprocess.Popen([*command, "--no-browser", *options], text=True)
    address = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + START_WITHIN_S
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2):
                return server, address
        except OSError:
            time.sleep(0.2)
    server.kill()
    pytest.fail(f"the page did not come up (exit {server.wait()})")


@contextmanager
def page_over(root: Path, *options: str) -> Iterator[str]:
    """Open the page over a library for as long as this lasts; it has to end in order."""
    server, address = start_page(root, *options)
    try:
        yield address
        assert stop(server) == 0
    finally:
        server.kill()
        server.wait()


def stop(server: subprocess.Popen[str]) -> int:
    server.send_signal(signal.SIGTERM)
    try:
        return server.wait(30)
    finally:
        server.kill()
