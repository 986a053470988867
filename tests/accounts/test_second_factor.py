"""Second factors: an app's codes and recovery codes, set up, asked for at sign-in, removed."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import NoReverseMatch, reverse


@pytest.mark.parametrize(
    "path", ["signup/", "login/", "email/", "password/reset/", "2fa/", "2fa/webauthn/login/"]
)
def test_no_page_of_the_library_has_an_address(nurse_client: Client, path: str) -> None:
    assert nurse_client.get(f"/accounts/{path}").status_code == 404
    with pytest.raises(NoReverseMatch):
        reverse("account_signup")
