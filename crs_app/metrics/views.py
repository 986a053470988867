"""/metrics, for the Prometheus of the site alone."""

from __future__ import annotations

import hmac
from contextlib import nullcontext

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from crs_app.accounts.middleware import without_session
from crs_app.metrics.counts import COUNTED
from crs_app.metrics.gauges import Gauges, look_within
from crs_app.metrics.shared import shared_folder, whole_counts


@without_session
@login_not_required
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer a request with the token of CRS_METRICS_TOKEN with every count and gauge.

    Where the site has no token there is nothing at this address.
    """
    token = settings.METRICS_TOKEN
    if not token:
        raise Http404
    sent = request.headers.get("Authorization", "")
    if not hmac.compare_digest(sent.encode(), f"Bearer {token}".encode()):
        refused = HttpResponse("No token, or a wrong one.\n", status=401, content_type="text/plain")
        refused["WWW-Authenticate"] = "Bearer"
        return refused
    answer = HttpResponse(_text(), content_type=CONTENT_TYPE_PLAIN_0_0_4)
    answer["Cache-Control"] = "no-store"
    return answer


def _text() -> bytes:
    folder = shared_folder()
    gauges = generate_latest(registry_of(Gauges(look_within())))
    with whole_counts(folder) if folder else nullcontext():
        counted = COUNTED if folder is None else registry_of(_of_all_processes(str(folder)))
        return generate_latest(counted) + gauges


def registry_of(collector: Collector) -> CollectorRegistry:
    """Return a registry that has this collector alone."""
    registry = CollectorRegistry()
    registry.register(collector)
    return registry


def _of_all_processes(folder: str) -> Collector:
    return MultiProcessCollector(None, path=folder)
