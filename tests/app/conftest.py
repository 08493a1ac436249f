"""A library with a page over it, and a browser that visits it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright
from visiting import CHROMIUM, FLAGS, SEE_WITHIN_MS, Visit, note_stranger, start_page, stop


@pytest.fixture(scope="module")
def library_root(reel_library: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the reel's library: the page owns its store for as long as it is open."""
    root = tmp_path_factory.mktemp("page") / "library"
    shutil.copytree(reel_library, root)
    return root


@pytest.fixture(scope="module")
def address(library_root: Path) -> Iterator[str]:
    server, address = start_page(library_root)
    yield address
    assert stop(server) == 0


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        expect.set_options(timeout=SEE_WITHIN_MS)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Visit]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(SEE_WITHIN_MS)
    visit = Visit(context.new_page(), address)
    visit.page.on("response", lambda r: visit.responses.append(r))
    visit.page.on("request", lambda r: note_stranger(visit, r.url))
    visit.page.on("dialog", lambda d: (visit.alerts.append(d.message), d.dismiss()))
    yield visit
    context.close()
    assert visit.strangers == []
    assert visit.alerts == []
