"""The hospital's identity provider: how a person is sent there, and what it answers.

django-allauth builds the addresses and exchanges the code. What it leaves open is closed here: the
nonce, the signature, the issuer of the discovery page, other hosts, redirects and slow answers.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from secrets import token_urlsafe
from typing import Any, Final

import requests
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from urllib3.exceptions import HTTPError

from crs_app.accounts.hospital.refusals import RefusedError, Why
from crs_app.accounts.hospital.token import Expected, claims_of
from crs_app.hospital_sign_in import HospitalSignIn, origin_of

ASKED_AT_ONCE: Final = 2
"""Sign-ins for which one process asks the provider at the same time, of its four threads."""
_asking: Final = threading.BoundedSemaphore(ASKED_AT_ONCE)
_SILENCE_AT_MOST_S: Final = 5
_ANSWER_AT_MOST_S: Final = 10
_LARGEST_ANSWER: Final = 512 * 1024
_ADDRESSES: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")


@dataclass(frozen=True)
class Begun:
    """A sign-in that was sent to the provider: its secrets, and the page to lead to after it."""

    state: str
    nonce: str
    verifier: str
    at: float
    next: str

    def kept(self) -> dict[str, Any]:
        """Return it as the cookie keeps it."""
        return asdict(self)


class ProviderSession(requests.Session):
    """Asks the configured issuer and nobody else: no redirect, bounded in time and size."""

    def __init__(self, origin: str) -> None:
        super().__init__()
        self._origin = origin

    def request(self, method: Any, url: Any, **options: Any) -> Any:  # type: ignore[override]
        """Return the answer, which is read whole."""
        if origin_of(url) != self._origin:
            raise requests.exceptions.InvalidURL
        ends = time.monotonic() + _ANSWER_AT_MOST_S
        options |= {"timeout": _SILENCE_AT_MOST_S, "allow_redirects": False, "stream": True}
        response = super().request(method, url, **options)
        try:
            response._content = _body(response, ends)
        finally:
            response.close()
        return response


def _body(response: requests.Response, ends: float) -> bytes:
    """Return what comes until the end, as it comes: an answer that drips is cut."""
    body = b""
    try:
        while piece := response.raw.read1(8192, decode_content=True):
            body += piece
            if len(body) > _LARGEST_ANSWER or time.monotonic() > ends:
                raise requests.exceptions.ReadTimeout
    except HTTPError:
        raise requests.exceptions.ReadTimeout from None
    return body


class HospitalSocialAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # no type hints
    """Settings of django-allauth: no provider stands in the database, and nobody signs up."""

    def get_requests_session(self) -> requests.Session:
        return ProviderSession(_configured().origin)

    def list_apps(
        self, request: HttpRequest, provider: str | None = None, client_id: str | None = None
    ) -> list[SocialApp]:
        return []

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        return False


class HospitalOAuth2Adapter(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]  # no type hints
    """The addresses of the provider, as its discovery page has them."""

    def get_provider(self) -> HospitalProvider:
        return hospital_provider(self.request)

    @cached_property
    def openid_config(self) -> dict[str, Any]:
        found = _read_json(self.get_provider().server_url)
        if found.get("issuer") != _configured().issuer:
            raise RefusedError(Why.ISSUER)
        if any(_origin(found.get(name)) != _configured().origin for name in _ADDRESSES):
            raise RefusedError(Why.NO_ANSWER)
        return found

    @property
    def basic_auth(self) -> bool:
        """Return whether the client's secret goes into a header, as it does where nothing is said.

        See OpenID Connect Discovery 1.0, section 3.
        """
        methods = self.openid_config.get("token_endpoint_auth_methods_supported")
        return "client_secret_basic" in (methods or ["client_secret_basic"])

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        return request.build_absolute_uri(reverse("accounts:hospital_return"))

    def signing_keys(self) -> dict[str, Any]:
        return _read_json(self.openid_config["jwks_uri"])


class HospitalProvider(OpenIDConnectProvider):  # type: ignore[misc]  # no type hints
    """The provider of the settings; ``begun`` is what a cookie must keep until the return."""

    oauth2_adapter_class = HospitalOAuth2Adapter
    begun: Begun

    def stash_redirect_state(
        self,
        request: HttpRequest,
        process: str,
        next_url: str | None = None,
        data: Mapping[str, str] | None = None,
        state_id: str | None = None,
        pkce_code_verifier: str = "",
        **kept: Any,
    ) -> str:
        """Keep the state outside of the session: a stranger's click must not make a session."""
        nonce = (data or {})["nonce"]
        self.begun = Begun(
            token_urlsafe(24), nonce, pkce_code_verifier, time.time(), next_url or ""
        )
        return self.begun.state


def hospital_provider(request: HttpRequest) -> HospitalProvider:
    """Return the provider that the settings name."""
    configured = _configured()
    app = SocialApp(
        provider=HospitalProvider.id,
        provider_id="hospital",
        name=configured.button,
        client_id=configured.client_id,
        secret=configured.client_secret,
        settings={"server_url": configured.issuer.rstrip("/"), "oauth_pkce_enabled": True},
    )
    return HospitalProvider(request, app=app)


def send_there(request: HttpRequest, next_page: str) -> tuple[HttpResponse, Begun]:
    """Return the redirect to the provider, and what the return will need.

    :raises RefusedError: where the provider does not answer.
    """
    provider, nonce = hospital_provider(request), token_urlsafe(24)
    asked = {"nonce": nonce}
    if _configured().always_asks:
        # Whoever signed in there before on this tablet may be somebody else.
        asked |= {"prompt": "login", "max_age": "0"}
    with _asking_the_provider():
        redirect = provider.redirect(
            request, "login", next_page, {"nonce": nonce}, auth_params=asked
        )
    return redirect, provider.begun


def claims_of_answer(request: HttpRequest, begun: Begun) -> Mapping[str, Any]:
    """Return what the provider says of the person whose browser brought a code.

    :raises RefusedError: where it does not answer, or its answer cannot be trusted.
    """
    configured = _configured()
    provider = hospital_provider(request)
    adapter = provider.get_oauth2_adapter(request)
    with _asking_the_provider():
        client = adapter.get_client(request, provider.app)
        answer = client.get_access_token(request.GET["code"], pkce_code_verifier=begun.verifier)
        keys = adapter.signing_keys()
    if not isinstance(answer, dict):
        raise RefusedError(Why.TOKEN)
    return claims_of(
        answer.get("id_token"),
        keys,
        Expected(
            configured.issuer,
            configured.client_id,
            begun.nonce,
            begun.at if configured.always_asks else None,
        ),
    )


@contextmanager
def _asking_the_provider() -> Iterator[None]:
    """Let few threads wait for the provider at once: those who chart must not wait for it."""
    if not _asking.acquire(blocking=False):
        raise RefusedError(Why.BUSY)
    try:
        yield
    except OAuth2Error:  # the message has what the provider sent
        raise RefusedError(Why.CODE) from None
    except (requests.RequestException, ValueError, TypeError, KeyError):
        raise RefusedError(Why.NO_ANSWER) from None
    finally:
        _asking.release()


def _read_json(address: str) -> dict[str, Any]:
    with ProviderSession(_configured().origin) as session:
        response = session.get(address)
    if response.status_code != 200:
        raise RefusedError(Why.NO_ANSWER)
    found = response.json()
    if not isinstance(found, dict):
        raise RefusedError(Why.NO_ANSWER)
    return found


def _origin(address: object) -> str | None:
    try:
        return origin_of(str(address))
    except ValueError:
        return None


def _configured() -> HospitalSignIn:
    configured: HospitalSignIn | None = settings.HOSPITAL_SIGN_IN
    if configured is None:
        raise RefusedError(Why.NO_ANSWER)
    return configured
