"""The page in a real browser, under watch: what tests of it stand on."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Response

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
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

    def card(self, title: str) -> Locator:
        return self.page.locator(".tb-item").filter(has_text=title).first

    def search(self, words: str) -> None:
        self.page.get_by_placeholder("Describe a moment").fill(words)
        self.page.keyboard.press("Enter")

    def playing(self) -> dict[str, float]:
        """Wait until a picture is there, and return where the player stands."""
        video = self.page.locator("video")
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


def stop(server: subprocess.Popen[str]) -> int:
    server.send_signal(signal.SIGTERM)
    try:
        return server.wait(30)
    finally:
        server.kill()
