"""Authors who are no one's sign-in: a course file, and the clinicians of the demonstration ward."""

from __future__ import annotations

from typing import Final

from crs_app.accounts.models import Role, User

_DEMO_CLINICIANS: Final = (("Jo", "Ruiz"), ("Mina", "Osei"), ("Tomas", "Lindqvist"))


def course_file_author() -> User:
    """Who stands as the author of what a course file says."""
    return _author("course-file", "", "Course file")


def demo_clinicians() -> list[User]:
    """Who charted in the demonstration ward."""
    return [_author(f"demo-{last.lower()}", first, last) for first, last in _DEMO_CLINICIANS]


def _author(username: str, first_name: str, last_name: str) -> User:
    names = {"first_name": first_name, "last_name": last_name}
    user, created = User.objects.get_or_create(
        username=username,
        defaults=names | {"role": Role.WARD_CLINICIAN, "is_active": False},
    )
    if created:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    return user
