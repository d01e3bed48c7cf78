"""The catalogue in a real browser: on a desktop and on a phone, by light and by night."""

from collections.abc import Iterator
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from loyaltystream.notifications.catalog import CATALOG
from tests.catalogue.browser import DESKTOP, PHONE, Seen, Theme, launched, opened
from tests.toolchain import demand

_LOOKS: Final = [
    pytest.param(size, theme, id=f"{size['width']} px, {theme}")
    for size in (PHONE, DESKTOP)
    for theme in ("light", "dark")
]
_READABLE: Final = 4.5
"""The contrast that WCAG asks of text, level AA."""

_CONTRASTS: Final = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgb = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const found = rgb(getComputedStyle(at).backgroundColor);
      if (found[3] === 255) return found;
    }
    return [255, 255, 255];
  };
  const light = (colour) => {
    const [r, g, b] = colour.slice(0, 3).map((part) => part / 255)
      .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = {};
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility()) continue;
    if (["SCRIPT", "STYLE"].includes(element.tagName)) continue;
    const [one, other] = [light(rgb(getComputedStyle(element).color)), light(ground(element))];
    const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    const name = `${element.tagName}.${element.className} in ${element.parentElement.className}`;
    found[name] = Math.min(contrast, found[name] ?? 21);
  }
  return found;
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start Chromium once."""
    demand("chromium")
    with launched() as started:
        yield started


@pytest.fixture
def desktop(browser: Browser) -> Iterator[Seen]:
    """Open the page on a desktop."""
    with opened(browser, DESKTOP) as seen:
        yield seen


def overflow(page: Page) -> int:
    """Return by how many pixels the page is wider than its window."""
    wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert isinstance(wider, int)
    return wider


def show_samples(page: Page) -> None:
    """Unfold all samples."""
    page.evaluate("for (const one of document.querySelectorAll('.samples')) one.open = true")


@pytest.mark.parametrize(("size", "theme"), _LOOKS)
def test_it_fits_its_window(browser: Browser, size: ViewportSize, theme: Theme) -> None:
    """Nothing makes the page wider than its window, also with everything unfolded."""
    with opened(browser, size, theme) as seen:
        assert overflow(seen.page) <= 0
        seen.page.evaluate(
            "for (const one of document.querySelectorAll('details')) one.open = true"
        )
        assert overflow(seen.page) <= 0


@pytest.mark.parametrize(("size", "theme"), _LOOKS)
def test_it_is_drawn(browser: Browser, size: ViewportSize, theme: Theme) -> None:
    """A picture of the page has text and background in the colours of its theme."""
    with opened(browser, size, theme, at="#pointsIssued") as seen:
        picture = seen.page.screenshot()
        colours = tell_colours(seen.page, picture)
    assert colours["different"] > 50
    assert colours["light"] > 0.8 if theme == "light" else colours["light"] < 0.2


def tell_colours(page: Page, picture: bytes) -> dict[str, Any]:
    """Return how many colours a picture has, and which part of it is light."""
    told = page.evaluate(
        """async (bytes) => {
          const picture = await createImageBitmap(new Blob([new Uint8Array(bytes)]));
          const canvas = new OffscreenCanvas(picture.width, picture.height).getContext("2d");
          canvas.drawImage(picture, 0, 0);
          const drawn = canvas.getImageData(0, 0, picture.width, picture.height).data;
          const points = new Uint32Array(drawn.buffer);
          let light = 0;
          for (let at = 0; at < drawn.length; at += 4) light += drawn[at + 1] > 127;
          return { different: new Set(points).size, light: light / points.length };
        }""",
        list(picture),
    )
    assert isinstance(told, dict)
    return told


def test_it_is_silent_and_fetches_nothing(desktop: Seen) -> None:
    """The console has no word of it, and nothing but the file itself is asked for."""
    show_samples(desktop.page)
    for form in ("Flat", "Event"):
        desktop.page.get_by_role("button", name=form).first.click()
    assert desktop.complaints == []
    assert [url for url in desktop.fetched if not url.startswith("data:")] == [desktop.page.url]


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_every_type_is_reached_from_the_contents(browser: Browser, size: ViewportSize) -> None:
    """A click on each of the 28 names brings its heading into view."""
    with opened(browser, size) as seen:
        toc = seen.page.locator(".toc")
        for name in CATALOG:
            if toc.get_attribute("open") is None:
                toc.locator("summary").click()
            toc.get_by_role("link", name=name, exact=True).click()
            expect(seen.page.locator(f"#{name}-name")).to_be_in_viewport()
            covered = seen.page.evaluate(
                "(id) => { const box = document.getElementById(id).getBoundingClientRect();"
                " return !document.elementFromPoint(box.x + 5, box.y + 5)?.closest('h3'); }",
                f"{name}-name",
            )
            assert not covered, name


def test_the_filter_leaves_what_fits(desktop: Seen) -> None:
    """By name, meaning or field: what fits stays in the page and its contents, all else goes."""
    page, filter_ = desktop.page, desktop.page.get_by_role("searchbox")
    shown = page.locator(".type:visible h3")
    expect(shown).to_have_count(28)
    filter_.fill("tierdown")
    expect(shown).to_have_text(["tierDowngraded#", "tierDowngradeReminder#"])
    expect(page.locator(".toc li[data-of]:visible")).to_have_count(2)
    expect(page.get_by_role("status")).to_have_text("2 of 28 notifications")
    filter_.fill("customer gave")
    expect(shown).to_have_text(["pointsTransferredInitiated#"])
    filter_.fill("cardNumber")
    expect(shown).to_have_text(["cardUpdated#"])
    filter_.press("Escape")
    expect(shown).to_have_count(28)


def test_a_filter_without_a_find_can_be_taken_back(desktop: Seen) -> None:
    """Where nothing fits the page says so, and a button shows all again."""
    page = desktop.page
    page.get_by_role("searchbox").fill("moonRisen")
    expect(page.locator(".type:visible")).to_have_count(0)
    page.get_by_role("button", name="Show all").click()
    expect(page.locator(".type:visible")).to_have_count(28)


def test_a_link_uncovers_what_the_filter_hides(desktop: Seen) -> None:
    """Who follows a link to a type that is filtered out gets there."""
    page = desktop.page
    page.get_by_role("searchbox").fill("badgeEarned")
    page.locator("#Store .users a").first.click()
    page.goto(f"{page.url.partition('#')[0]}#tierRenewed")
    expect(page.locator("#tierRenewed-name")).to_be_in_viewport()


def test_a_choice_of_rendering_is_for_all(desktop: Seen) -> None:
    """Who chose a rendering sees it under every type, now and after coming back."""
    page = desktop.page
    show_samples(page)
    page.locator("#tierRenewed").get_by_role("button", name="Body").click()
    expect(page.locator(".sample:visible")).to_have_count(28)
    expect(page.locator(".sample[data-form=body]:visible")).to_have_count(28)
    page.reload()
    page.locator("#badgeEarned summary").click()
    expect(page.locator("#badgeEarned .sample:visible")).to_have_attribute("data-form", "body")


def test_a_sample_is_copied(desktop: Seen) -> None:
    """The button beside a sample puts the very text that is shown on the clipboard."""
    sample = desktop.page.locator("#pointsExpired .samples")
    sample.locator("summary").click()
    sample.get_by_role("button", name="Copy").click()
    expect(sample.get_by_role("button", name="Copied")).to_be_visible()
    copied = desktop.page.evaluate("navigator.clipboard.readText()")
    assert copied == sample.locator(".sample:visible code").text_content()


def test_it_is_read_without_a_mouse(desktop: Seen) -> None:
    """Tab goes to the way past the contents first, `/` to the filter."""
    page = desktop.page
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the notifications")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox", name="Filter")).to_be_focused()


def test_its_parts_are_landmarks(desktop: Seen) -> None:
    """Whoever hears the page finds one banner, one navigation, one main part."""
    for role in ("banner", "navigation", "main", "contentinfo"):
        expect(desktop.page.get_by_role(role)).to_have_count(1)


@pytest.mark.parametrize(("size", "theme"), _LOOKS)
def test_everything_can_be_read(browser: Browser, size: ViewportSize, theme: Theme) -> None:
    """Every text, of code and samples too, has the contrast to its ground that WCAG asks for."""
    with opened(browser, size, theme) as seen:
        show_samples(seen.page)
        contrasts = seen.page.evaluate(_CONTRASTS)
    assert len(contrasts) > 20
    assert {name: one for name, one in contrasts.items() if one < _READABLE} == {}


def test_the_theme_can_be_chosen(desktop: Seen) -> None:
    """A reader may have it dark on a light system, and it stays so."""
    page = desktop.page
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    for _ in ("light", "dark"):
        page.get_by_role("button", name="Theme").click()
    dark = page.evaluate(ground)
    page.reload()
    assert page.evaluate(ground) == dark != light
