"""What every page says about the site, and the instant at which it was made."""

from functools import partial
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.template.backends.utils import csrf_input
from django.utils import timezone
from django.utils.functional import SimpleLazyObject


def site(request: HttpRequest) -> dict[str, Any]:
    return {
        "site_name": settings.SITE_NAME,
        "site_time_zone": settings.TIME_ZONE,
        "served_at": timezone.now(),
        # The backend's own is made anew for each of the twenty forms of a page.
        "csrf_input": SimpleLazyObject(partial(csrf_input, request)),
    }
