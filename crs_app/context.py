"""What every page says about the site, and the instant at which it was made."""

from datetime import datetime

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone


def site(_request: HttpRequest) -> dict[str, str | datetime]:
    return {
        "site_name": settings.SITE_NAME,
        "site_time_zone": settings.TIME_ZONE,
        "served_at": timezone.now(),
    }
