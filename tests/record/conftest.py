"""What the record holds of a course."""

from crs_app.record.models import Event
from patients.models import Course


def recorded(course: Course) -> list[Event]:
    """The events of a course, the oldest first."""
    return list(Event.objects.filter(chain=course.pk).order_by("number"))
