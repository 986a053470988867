"""The shell of a tablet without a network: its service worker, its files, and the manifest."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from crs_app.shell.files import shell_addresses

pytestmark = pytest.mark.django_db


def test_the_worker_keeps_the_shell_and_static_files_alone(client: Client) -> None:
    answer = client.get("/worker.js")
    text = answer.content.decode()
    assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert all(re.match(r"/static/|/shell/$", address) for address in shell_addresses())
    assert all(f'"{address}"' in text for address in shell_addresses())
    assert "sessionid" not in answer.cookies


def test_the_shell_names_nobody_and_every_file_of_it_is_kept(client: Client) -> None:
    page = client.get("/shell/").content.decode()
    assert "Open again when the network is back." in page
    assert set(re.findall(r'(?:href|src)="(/[^"]+)"', page)) <= set(shell_addresses())


def test_the_manifest_installs_the_board(client: Client) -> None:
    manifest = client.get("/manifest.webmanifest")
    assert manifest.headers["Content-Type"] == "application/manifest+json"
    assert (manifest.json()["start_url"], manifest.json()["scope"]) == ("/", "/")
    policy = manifest.headers["Content-Security-Policy"]
    assert "worker-src 'self'" in policy
    assert "manifest-src 'self'" in policy
