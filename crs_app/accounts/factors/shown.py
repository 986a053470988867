"""What a session keeps of the second factor of its user."""

from typing import Final

SHOWN: Final = "second_factor"
"""Key of the session: whether its user has shown a second factor, or has just set one up."""
