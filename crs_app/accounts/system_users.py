"""Users who cannot sign in: authors of imported entries, of new rules, and other systems."""

from __future__ import annotations

from typing import Final

from crs_app.accounts.models import Role, User

SYSTEM_USERNAMES: Final = frozenset({"course-file", "grading-rules"})


def course_file_author() -> User:
    """Return the author of the entries of an imported course file."""
    return author("course-file", "", "Course file")


def grading_rules_author() -> User:
    """Return the author of acts that regrade a course under a new version of the rules."""
    return author("grading-rules", "", "Grading rules")


_SYSTEM: Final = "system:"
"""How the user name of another system begins; no person's has a colon."""


def external_system_user(name: str, shown_as: str) -> User:
    """Create and return the user who is the author of what the system of that name sends.

    ``shown_as`` stands as the author wherever an entry of it is shown.
    """
    user = User(username=f"{_SYSTEM}{name.lower()}", last_name=shown_as, role=Role.SYSTEM)
    user.is_active = False
    user.set_unusable_password()
    user.save(force_insert=True)
    return user


def is_of_system(username: str) -> bool:
    """Return whether a user name is that of another system."""
    return username.startswith(_SYSTEM)


def author(username: str, first_name: str, last_name: str) -> User:
    """Return the inactive user of that name; create it the first time."""
    names = {"first_name": first_name, "last_name": last_name}
    user, created = User.objects.get_or_create(
        username=username,
        defaults=names | {"role": Role.WARD_CLINICIAN, "is_active": False},
    )
    if created:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    return user
