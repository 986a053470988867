"""A throw-away PostgreSQL for the run, emptied between tests; users and a course.

Run in parallel (``-n``, pytest-xdist), the workers share one server, which the process that
controls them starts, and each has a database of its own.
"""

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from django.conf import settings
from django.http import HttpRequest
from django.template.backends.jinja2 import Template
from django.test import Client
from django.test.signals import template_rendered
from hypothesis import HealthCheck
from hypothesis import settings as examples
from pytest_django import DjangoDbBlocker

from crs_app.accounts.models import Role, User
from crs_app.accounts.wards import let_work_everywhere
from crs_app.local_postgres import USER, LocalServer, socket_address, throwaway
from patients.models import Course
from tests.factories import UserFactory, admit
from tests.owner import (  # noqa: F401 - fixtures
    as_owner,
    become_superuser,
    become_web_role,
    flush_as_owner,
    partition_tables,
)
from tests.pooler import pooler
from tests.site_zone import choose_site_zone

# Files whose tests share a site or two servers, made in 20 seconds. They run first: one worker
# has the beginning of the list, and a worker without work takes tests over from the end. There, the
# tests of a file came to several workers, and each of them made a site.
SHARED_SITES = ("test_faults.py", "test_run.py", "test_second_machine.py", "test_replica.py")
SERVER = pytest.StashKey[dict[str, str]]()
POOLER = pytest.StashKey[dict[str, str]]()


def pytest_configure() -> None:
    """No need to collect static files first, and no slow password hash."""
    choose_site_zone()
    # A slow machine is no fault of what is tested.
    examples.register_profile(
        "on any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    examples.load_profile("on any machine")
    settings.OWNER_DATABASE = None
    settings.WHITENOISE_AUTOREFRESH = settings.WHITENOISE_USE_FINDERS = True
    settings.NEW_WARDS = True  # as on the local database: a form may name a new ward
    settings.SECOND_FACTOR_ROLES = frozenset()  # likewise: nobody needs a second factor
    settings.STORAGES["staticfiles"] = {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
    }
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the tests of a run: first those that share a site."""
    places = {name: place for place, name in enumerate(SHARED_SITES)}
    items.sort(key=lambda item: places.get(item.path.name, len(places)))


def pytest_collection_finish() -> None:
    """Look for garbage seldom, and never among the tests and modules, which stay until the end.

    With Python's own thresholds each worker spends a twelfth of its time on that.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One worker more than cores with ``-n auto``, from 3 to 8.

    With one for each core a seventh of the processors is idle, because a browser test often waits;
    no more than the connections of one PostgreSQL and the memory for one Chromium each allow.
    """
    affinity = getattr(os, "sched_getaffinity", None)  # not on macOS
    cores = len(affinity(0)) if affinity else os.cpu_count() or 2
    return min(max(cores, 2) + 1, 8)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config: pytest.Config) -> None:
    """Starts the server of all workers, once, before the first of them; DATABASE_URL wins."""
    if not os.environ.get("DATABASE_URL"):
        running = ExitStack()
        config.add_cleanup(running.close)
        server = running.enter_context(throwaway())
        config.stash[SERVER] = _address(server)
        if settings.POOLER:
            config.stash[POOLER] = running.enter_context(pooler(server))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Passes the server's address to a worker that is about to start."""
    node.workerinput["database"] = node.config.stash.get(SERVER, None)
    node.workerinput["pooler"] = node.config.stash.get(POOLER, None)


@pytest.fixture(scope="session", autouse=True)
def contexts_are_recorded() -> Iterator[None]:
    """Fills ``response.context`` for Jinja2, whose backend in Django sends no signal."""
    render = Template.render

    def render_and_send(
        self: Template, context: dict[str, Any] | None = None, request: HttpRequest | None = None
    ) -> str:
        template_rendered.send(sender=self, template=self, context=context or {})
        return render(self, context, request)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Template, "render", render_and_send)
        yield


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    request: pytest.FixtureRequest, django_db_modify_db_settings_parallel_suffix: None
) -> Iterator[None]:
    """Finds the server of the run, or starts one; DATABASE_URL wins."""
    if os.environ.get("DATABASE_URL"):
        yield
    elif shared := getattr(request.config, "workerinput", {}).get("database"):
        settings.DATABASES["default"].update(shared)
        yield
    else:
        with ExitStack() as running:
            server = running.enter_context(throwaway())
            settings.DATABASES["default"].update(_address(server))
            if settings.POOLER:
                request.config.stash[POOLER] = running.enter_context(pooler(server))
            yield


def _address(server: LocalServer) -> dict[str, str]:
    """Return the address of the superuser, who makes the databases of the tests."""
    return socket_address(server) | {"USER": USER}


@pytest.fixture(scope="session")
def django_db_setup(
    request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """The tables are made by the superuser; the tests have the rights of the web process."""
    shared = getattr(request.config, "workerinput", {}).get("pooler")
    with django_db_blocker.unblock():
        become_web_role(shared or request.config.stash.get(POOLER, None))
        if os.environ.get("CRS_TEST_PARTITIONED"):
            partition_tables()
    yield
    gc.collect()  # closes the connections of threads that have ended
    with django_db_blocker.unblock():
        become_superuser()


@pytest.fixture
def site_in_utc(settings: Any) -> None:
    """The zone of a test whose courses have fixed dates, and whose pages show times of them."""
    settings.TIME_ZONE = "UTC"


@pytest.fixture
def make_user(db: None) -> Callable[..., User]:
    """Creates a user with the password "correct horse 1"; a clinician works on all wards."""

    def make(username: str, role: Role, **names: Any) -> User:
        user = User.objects.create_user(username, password="correct horse 1", role=role, **names)
        let_work_everywhere(user)
        return user

    return make


@pytest.fixture
def nurse(make_user: Callable[..., User]) -> User:
    return make_user("nurse", Role.WARD_CLINICIAN, first_name="Jo", last_name="Ruiz")


@pytest.fixture
def intensivist(make_user: Callable[..., User]) -> User:
    return make_user("icu", Role.ICU_REVIEWER, first_name="Amara", last_name="Osei")


@pytest.fixture
def administrator(make_user: Callable[..., User]) -> User:
    return make_user("admin", Role.ADMINISTRATOR, first_name="Lin", last_name="Berg")


@pytest.fixture
def auditor(make_user: Callable[..., User]) -> User:
    return make_user("audit", Role.AUDITOR, first_name="Max", last_name="Ito")


def _signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def nurse_client(nurse: User) -> Client:
    return _signed_in(nurse)


@pytest.fixture
def intensivist_client(intensivist: User) -> Client:
    return _signed_in(intensivist)


@pytest.fixture
def administrator_client(administrator: User) -> Client:
    return _signed_in(administrator)


@pytest.fixture
def auditor_client(auditor: User) -> Client:
    return _signed_in(auditor)


@pytest.fixture
def clinician(db: None) -> User:
    """A ward clinician who has charted; not the one who is signed in."""
    return UserFactory()


@pytest.fixture
def course(clinician: User) -> Course:
    """An adult of 80 kg, baseline 126/74, infused two days ago."""
    return admit(clinician, baseline={"systolic_mmhg": "126", "diastolic_mmhg": "74"})
