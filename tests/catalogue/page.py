"""What the catalogue shows in, one HTML file out, which fetches nothing from elsewhere."""

import re
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from loyaltystream import __version__
from tests.catalogue.model import catalogue
from tests.core import TOPICS

FILE: Final = Path(__file__).parents[2] / "docs" / "catalogue.html"


def page() -> str:
    """Return the page."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"breaking": breaking, "curly": curly}
    shown = catalogue()
    return environment.get_template("page.html.j2").render(
        catalogue=shown,
        count=sum(map(len, shown.groups.values())),
        topic=TOPICS.notifications,
        version=__version__,
    )


def curly(text: str) -> str:
    """Return a text as it is printed."""
    return text.replace("'", "\N{RIGHT SINGLE QUOTATION MARK}")


def breaking(name: str) -> Markup:
    """Return a name that a narrow line breaks between its words."""
    return Markup("<wbr>").join(escape(word) for word in re.split(r"(?<=[a-z.])(?=[A-Z])", name))
