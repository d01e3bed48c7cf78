"""A believable shop's event stream, the same for the same seed: for demo, kill tests and benchmark.

What enters is a recipe and a seed; what leaves are records as careless producers send them, each
with the intent behind it. Pure, apart from the shop's definitions (`shop.py`).
"""

from loyaltystream.story.recipe import CARELESS, SHOP, Intent, Recipe, Sent
from loyaltystream.story.shop import ORG_ID, definitions, definitions_folder
from loyaltystream.story.telling import generate

__all__ = [
    "CARELESS",
    "ORG_ID",
    "SHOP",
    "Intent",
    "Recipe",
    "Sent",
    "definitions",
    "definitions_folder",
    "generate",
]
