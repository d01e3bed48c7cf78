"""Write docs/catalogue.html again, and draw it: `python -m tests.catalogue`."""

from tests.catalogue.browser import draw
from tests.catalogue.page import FILE, page

FILE.write_text(page(), encoding="utf-8")
draw(FILE.parent)
