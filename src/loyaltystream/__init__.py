"""loyaltystream judges every behavioral event of a loyalty program exactly once.

Start reading at `pipeline.py`.
"""

from importlib.metadata import version

__version__ = version("loyaltystream")
