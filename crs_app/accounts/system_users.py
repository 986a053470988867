"""Authors that are no sign-in: the course file, and a new version of the grading rules."""

from __future__ import annotations

from crs_app.accounts.models import Role, User


def course_file_author() -> User:
    """The author of entries that come from a course file."""
    return author("course-file", "", "Course file")


def grading_rules_author() -> User:
    """The author of acts that regrade a course under a new version of the rules."""
    return author("grading-rules", "", "Grading rules")


def author(username: str, first_name: str, last_name: str) -> User:
    """The user of this name, who cannot sign in; created where new."""
    names = {"first_name": first_name, "last_name": last_name}
    user, created = User.objects.get_or_create(
        username=username,
        defaults=names | {"role": Role.WARD_CLINICIAN, "is_active": False},
    )
    if created:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    return user
