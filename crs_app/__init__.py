"""The project: settings, database server, addresses, sign-in."""

from typing import Final

VERSION: Final = "0.1.0"
"""The version of the product, which pyproject.toml has too."""
