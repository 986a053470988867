"""Authors that are no sign-in: the course file."""

from __future__ import annotations

from crs_app.accounts.models import Role, User


def course_file_author() -> User:
    """Who stands as the author of what a course file says."""
    return author("course-file", "", "Course file")


def author(username: str, first_name: str, last_name: str) -> User:
    names = {"first_name": first_name, "last_name": last_name}
    user, created = User.objects.get_or_create(
        username=username,
        defaults=names | {"role": Role.WARD_CLINICIAN, "is_active": False},
    )
    if created:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    return user
