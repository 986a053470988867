"""Decorators of views."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from django.http import HttpResponseBase

from crs_app.accounts.permissions import check
from crs_app.accounts.requests import SignedInRequest
from crs_app.accounts.rights import Act

Response = TypeVar("Response", bound=HttpResponseBase)


def requires(act: Act) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    """Decorate a view that only a role which may do ``act`` on its own wards can open."""

    def decorate(view: Callable[..., Response]) -> Callable[..., Response]:
        @wraps(view)
        def guarded(request: SignedInRequest, *args: Any, **kwargs: Any) -> Response:
            check(request.user, act)
            return view(request, *args, **kwargs)

        return guarded

    return decorate
