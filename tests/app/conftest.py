"""A library with a page over it, and a browser that visits it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from visiting import CHROMIUM, FLAGS, SEE_WITHIN_MS, Visit, page_over, visiting


@pytest.fixture(scope="module")
def library_root(reel_library: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the reel's library: the page owns its store for as long as it is open."""
    root = tmp_path_factory.mktemp("page") / "library"
    shutil.copytree(reel_library, root)
    return root


@pytest.fixture(scope="module")
def address(library_root: Path) -> Iterator[str]:
    with page_over(library_root) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        expect.set_options(timeout=SEE_WITHIN_MS)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Visit]:
    with visiting(browser, address) as visit:
        yield visit


@pytest.fixture
def page(visit: Visit) -> Page:
    return visit.page
