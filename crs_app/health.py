"""Health check: whether the application and its database answer, and whether their clocks agree."""

from datetime import timedelta
from typing import Final

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from patients.queries.courses import read_clocks

CLOCKS_AGREE: Final = timedelta(minutes=1)


@login_not_required
@require_safe
def health(_request: HttpRequest) -> HttpResponse:
    """Answer 200, or 503 with the reason: no database, or a clock that is wrong."""
    try:
        clock, last_recorded_at = read_clocks()
    except DatabaseError:
        return _answer("no database", status=503)
    ahead = timezone.now() - clock
    if abs(ahead) > CLOCKS_AGREE:
        how = "ahead of" if ahead > timedelta(0) else "behind"
        return _answer(f"application's clock is {_minutes(ahead)} {how} the database's", status=503)
    if last_recorded_at is not None and last_recorded_at - clock > CLOCKS_AGREE:
        behind = _minutes(last_recorded_at - clock)
        return _answer(f"clock is {behind} behind the last entry", status=503)
    return _answer("ok")


def _minutes(span: timedelta) -> str:
    return f"{round(abs(span) / timedelta(minutes=1))} min"


def _answer(words: str, status: int = 200) -> HttpResponse:
    return HttpResponse(f"{words}\n", status=status, content_type="text/plain")
