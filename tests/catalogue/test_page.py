"""The catalogue is what the schemas, the goldens and the code make, and leads nowhere else."""

import json
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import pytest

from loyaltystream.contracts import releases
from loyaltystream.contracts.headers import MEANINGS, headers_of
from loyaltystream.notifications.catalog import CATALOG
from loyaltystream.rendering.reader import Notification, read_text
from loyaltystream.rendering.shapes import Rendering
from tests.catalogue.model import GROUPS, catalogue, meaning
from tests.catalogue.page import FILE, page
from tests.notifications.test_standard import CASES

_ROOT: Final = Path(__file__).parents[2]
_MAX_BYTES: Final = 1_000_000


class Outline(HTMLParser):
    """What a browser would find: ids, links, headings, and the texts of code."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.levels: list[int] = []
        self.code: dict[str, list[str]] = {}
        self.samples: dict[str, dict[str, str]] = {}
        self._article = self._form = ""
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note where something begins."""
        told = dict(attrs)
        self._open.append(tag)
        self.ids += [told["id"] or ""] if "id" in told else []
        self.links += [told[name] or "" for name in ("href", "src") if name in told]
        if re.fullmatch(r"h[1-6]", tag):
            self.levels.append(int(tag[1]))
        if tag == "article":
            self._article = told["id"] or ""
        self._form = told.get("data-form") or self._form
        if tag == "code":
            self.code.setdefault(self._article, []).append("")

    def handle_endtag(self, tag: str) -> None:
        """Note where it ends."""
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        """Take the text of code."""
        if "code" in self._open:
            self.code[self._article][-1] += data
            if "pre" in self._open:
                forms = self.samples.setdefault(self._article, {})
                forms[self._form] = forms.get(self._form, "") + data


@pytest.fixture(scope="module")
def outline() -> Outline:
    """Return what is on the committed page."""
    read = Outline()
    read.feed(FILE.read_text())
    return read


def golden(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the event of the case with everything in it, and the notification that it causes."""
    for path in CASES:
        case = json.loads(path.read_text())
        for each in case["caused"]:
            if path.stem.endswith("_full") and each["notification"]["eventName"] == name:
                return case["event"], each["notification"]
    raise LookupError(name)


def test_the_committed_page_is_what_the_code_makes() -> None:
    """docs/catalogue.html is up to date, and of a size that a phone takes."""
    assert FILE.read_text() == page(), "make it again: python -m tests.catalogue"
    assert FILE.stat().st_size < _MAX_BYTES


def test_every_type_has_its_group() -> None:
    """Each of the 28 types stands in one group, and no other."""
    named = [name for names in GROUPS.values() for name in names]
    assert len(named) == len(set(named)) == 28
    assert set(named) == set(CATALOG)


def test_every_field_is_shown(outline: Outline) -> None:
    """Each type and each shared record shows the fields of its schema, with their meanings."""
    text = FILE.read_text()
    own = {kind.schema for kind in CATALOG.values()}
    for full_name, schema in releases.written().items():
        if not full_name.startswith("loyalty.notification.v1."):
            continue
        name = full_name.removeprefix("loyalty.notification.v1.").removesuffix("Data")
        [anchor] = [one for one in outline.ids if one.lower() == name.lower()]
        fields = {field["name"] for field in schema["fields"]}
        shown = set(outline.code["" if full_name in own else anchor])
        if full_name in own:
            assert fields <= shown | {"eventName", "refId", "data"}
        else:
            assert fields <= shown, full_name
        for field in schema["fields"] if full_name not in own else []:
            assert field["doc"].replace("'", "\N{RIGHT SINGLE QUOTATION MARK}") in text, full_name


def test_every_release_is_linked(outline: Outline) -> None:
    """Each type leads to its schema and to every released version of it."""
    for kind in CATALOG.values():
        assert f"../schemas/{kind.schema}.avsc" in outline.links
        for number in releases.released(kind.schema):
            assert f"../schemas/released/{kind.schema}/{number}.avsc" in outline.links


def test_every_header_is_shown(outline: Outline) -> None:
    """The headers of a notification stand there, each with its meaning."""
    assert set(headers_of("notifications")["properties"]) <= set(outline.code[""])
    assert [doc for _, doc, _ in catalogue().headers] == [
        MEANINGS[name]["description"] for name, _, _ in catalogue().headers
    ]


@pytest.mark.parametrize("name", CATALOG)
def test_samples_are_the_goldens(outline: Outline, name: str) -> None:
    """The event and the record are those of the golden case, and each rendering reads as it."""
    event, notification = golden(name)
    shown = outline.samples[name]
    assert [*shown] == ["event", "json", *Rendering]
    assert json.loads(shown["event"]) == event
    assert json.loads(shown["json"]) == notification
    expected = read_text(json.dumps(notification))
    assert isinstance(expected, Notification)
    for rendering in Rendering:
        assert read_text(shown[rendering]) == expected


def test_every_link_leads_somewhere(outline: Outline) -> None:
    """A link finds its part of the page or its file, and none leads out of the repository."""
    assert len(outline.ids) == len(set(outline.ids))
    for link in outline.links:
        if link.startswith("#"):
            assert link[1:] in outline.ids, link
        elif not link.startswith("data:"):
            path = (FILE.parent / link.partition("#")[0]).resolve()
            assert path.is_relative_to(_ROOT), link
            assert path.exists(), link


def test_headings_are_an_outline(outline: Outline) -> None:
    """One heading stands above all, and no level is left out on the way down."""
    # Those of the table of contents come before.
    start = outline.levels.index(1)
    assert outline.levels.count(1) == 1
    levels = outline.levels[start:]
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_the_key_is_told_once() -> None:
    """A meaning ends before it comes to the key, which has a row of its own."""
    assert meaning("A. The record's key is b.") == "A."
    assert all("key is" not in one.doc for types in catalogue().groups.values() for one in types)


def test_the_pictures_are_small() -> None:
    """A desktop's and a phone's picture of the page lie beside it, and the README shows them."""
    for name in ("desktop", "phone"):
        picture = FILE.parent / f"catalogue-{name}.png"
        assert picture.read_bytes().startswith(b"\x89PNG")
        assert picture.stat().st_size < 200_000
        assert f'src="docs/{picture.name}"' in (_ROOT / "README.md").read_text()
