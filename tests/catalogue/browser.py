"""The page in Chromium, Debian's own, without a window: what a reader sees, and what is wrong."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

import msgspec
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from tests.catalogue.page import FILE

DESKTOP: Final[ViewportSize] = {"width": 1280, "height": 900}
PHONE: Final[ViewportSize] = {"width": 375, "height": 812}

Theme = Literal["light", "dark"]


class Seen(msgspec.Struct, frozen=True):
    """A page, what its console had to say, and what it fetched."""

    page: Page
    complaints: list[str]
    fetched: list[str]


@contextmanager
def launched() -> Iterator[Browser]:
    """Start Chromium."""
    # Its sandbox refuses root.
    args = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=args)
        yield browser
        browser.close()


@contextmanager
def opened(
    browser: Browser, size: ViewportSize, theme: Theme = "light", *, at: str = ""
) -> Iterator[Seen]:
    """Open the catalogue, as a reader who was never there.

    Args:
        browser: that runs.
        size: of the window.
        theme: that the reader's system has.
        at: a part of the page, as `#pointsIssued`.
    """
    context = browser.new_context(viewport=size, color_scheme=theme)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    seen = Seen(page, [], [])
    page.on("console", lambda message: seen.complaints.append(message.text))
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    page.on("request", lambda request: seen.fetched.append(request.url))
    page.goto(f"{FILE.as_uri()}{at}")
    yield seen
    context.close()


def draw(folder: Path) -> None:
    """Draw the page as a desktop and a phone show it."""
    with launched() as browser:
        for name, size in (("desktop", DESKTOP), ("phone", PHONE)):
            with opened(browser, size, at="#pointsIssued") as seen:
                seen.page.screenshot(path=folder / f"catalogue-{name}.png")
