"""The hospital's identity provider, for the tests that sign in there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from crs_app.hospital_sign_in import HospitalSignIn
from tests.hospital_provider import CLIENT_ID, CLIENT_SECRET, FakeProvider, running_provider

EMAIL = "j.ruiz@hospital.example"


@pytest.fixture(scope="session")
def server() -> Iterator[FakeProvider]:
    with running_provider() as running:
        yield running


@pytest.fixture
def hospital(server: FakeProvider, settings: Any, monkeypatch: pytest.MonkeyPatch) -> FakeProvider:
    """The provider, which knows a verified address; the settings name it."""
    monkeypatch.setitem(os.environ, "NO_PROXY", "127.0.0.1")
    settings.HOSPITAL_SIGN_IN = HospitalSignIn(server.issuer, CLIENT_ID, CLIENT_SECRET)
    fresh = FakeProvider(server.issuer, {"email": EMAIL, "email_verified": True})
    server.__dict__.update(fresh.__dict__)
    return server
