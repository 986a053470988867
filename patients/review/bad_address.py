"""Answer an address that a review page cannot show."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from patients.requests import BAD_REQUEST
from patients.review.address import BadAddressError


def bad_address_page(request: HttpRequest, error: BadAddressError) -> HttpResponse:
    """Return the page that says what is wrong with the address."""
    return render(request, "review/bad_address.html", {"error": error}, status=BAD_REQUEST)


def bad_address_json(error: BadAddressError, *, field: str = "") -> JsonResponse:
    """Return the error as JSON, by its field, or by ``field`` where that has another name here."""
    return JsonResponse({"errors": {field or error.field: str(error)}}, status=BAD_REQUEST)
