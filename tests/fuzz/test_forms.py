"""Requests that nobody sends by intention, to every address and form, as every role.

The law: the answer is one of LAWFUL, a refusal stores nothing, every page still opens, and what
was typed into a field is never markup of a page.

Forms are found on the pages and addresses in the urlconf, so that a new one is fuzzed without a new
line. FUZZ_INPUTS is how many requests are sent; what fails names its seed and batch, and
``FUZZ_SEED=<seed> FUZZ_BATCH=<batch> make fuzz`` sends them again. A long run has longer batches,
because a site that is new and a look at every page take as long as some hundred requests; each
begins with the requests of the short one.
"""

from __future__ import annotations

import os
import random
import string
import traceback
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, Final
from urllib.parse import quote_from_bytes

import pytest
from django.apps import apps
from django.core.management import call_command
from django.core.signals import got_request_exception, request_finished, request_started
from django.db import close_old_connections, connection
from django.urls import Resolver404, URLPattern, URLResolver, get_resolver, resolve
from django.utils import timezone

from crs_app.accounts.models import Role, User
from crs_app.system_doors import door_of
from grading.engine.algorithm import Reply
from patients.forms.registry import ENTRY_FORMS
from patients.models import Course, Entry, RequestCount
from tests.fuzz.pages import Field, Form, Page
from tests.fuzz.site import PERSONS, Answer, Request, Site
from tests.fuzz.values import HEADERS, SCRIPT, TAG, WRONG_TYPES, as_header, nasty

LAWFUL: Final = frozenset({200, 204, 302, 303, 304, 400, 403, 404, 405, 409, 413, 415, 422, 429})
SIGNED_OUT: Final = 401
"""Of htmx, where nobody is signed in: its scripts show a link to sign in; and of a program."""
NOT_ACCEPTABLE: Final = 406
"""Of a door that writes FHIR JSON alone, to who asks for something else."""
ZONES: Final = ("UTC", "America/New_York", "Asia/Tokyo", "Europe/Zurich", "Pacific/Kiritimati")
ROLES: Final = (None, *PERSONS)
OFTEN: Final = (*[Role.WARD_CLINICIAN] * 3, Role.ICU_REVIEWER, Role.ADMINISTRATOR)
METHODS: Final = ("GET", "POST", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE")
INPUTS: Final = int(os.environ.get("FUZZ_INPUTS", "300"))
IN_A_BATCH: Final = 100 if INPUTS < 10_000 else 1_000
SEED: Final = os.environ.get("FUZZ_SEED", "crs")
FORMS_KEPT: Final = 5


def batches() -> range:
    if only := os.environ.get("FUZZ_BATCH"):
        return range(int(only), int(only) + 1)
    return range(-(-INPUTS // IN_A_BATCH))


def patterns(resolver: URLResolver, before: str = "") -> Iterator[tuple[str, dict[str, str]]]:
    """The template of each address, with the kind of each of its arguments by name."""
    for entry in resolver.url_patterns:
        route = before + str(entry.pattern)
        if isinstance(entry, URLPattern):
            converters = resolver_converters(entry)
            yield route, converters
        else:
            yield from patterns(entry, route)


def resolver_converters(entry: URLPattern) -> dict[str, str]:
    return {name: type(converter).__name__ for name, converter in entry.pattern.converters.items()}


class Fuzzer:
    """Requests made by throwing dice: what a page sends, changed in some places."""

    def __init__(self, site: Site, dice: random.Random) -> None:
        self.site, self.dice = site, dice
        self.patterns = list(patterns(get_resolver()))
        self.forms: dict[str, list[Form]] = {}
        self.names: list[str] = ["kind", "before", "seen", "since", "ended", "next", "course", "q"]
        self.seen: list[str] = []
        self.codes = ["icu.one_to_one", "tocilizumab", "x"]

    def pages_to_learn(self) -> Iterator[Request]:
        """Pages with forms to begin with: of each address, and a few of the kinds of entry."""
        for route, arguments in self.patterns:
            for role in (Role.WARD_CLINICIAN, Role.ADMINISTRATOR):
                for _ in range(4 if "kind" in arguments else 1):
                    address = "/" + self._filled(route, arguments)
                    yield Request("GET", address, role=role, headers={"HTTP_HX_REQUEST": "true"})

    def request(self) -> Request:
        role = self.dice.choice(self.dice.choice((ROLES, OFTEN, OFTEN, OFTEN)))
        if not self.forms or self.dice.random() < 0.35:
            made = self._of_an_address(role)
        else:
            made = self._of_a_form(self.dice.choice(self.dice.choice([*self.forms.values()])), role)
        if self.dice.random() < 0.4:
            made.headers["HTTP_HX_REQUEST"] = "true"
        if self.dice.random() < 0.2:
            made.headers[self.dice.choice(HEADERS)] = as_header(self._nasty())
        if self.dice.random() < 0.04:
            made.headers["CONTENT_TYPE"] = self.dice.choice(WRONG_TYPES)
        if self.dice.random() < 0.02:
            made.headers["CONTENT_LENGTH"] = self.dice.choice(("-1", "9" * 30, "1", "x", "600000"))
        if self.dice.random() < 0.02:
            made.headers |= {"HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": ""}
        return made

    def learn(self, request: Request, answer: Answer) -> None:
        """Take in the forms of an answer; they are sent later."""
        if "<" not in answer.text:
            return
        for form in Page(answer.text, request.address).forms:
            if form.fields or form.method == "POST":
                alike = self.forms.setdefault(self._key_of(form), [])
                alike.append(form)
                del alike[:-FORMS_KEPT]
                self.names += [one.name for one in form.fields if one.name not in self.names]
                self.seen += [one.value for one in form.fields if one.value][:20]
        del self.seen[:-200]

    def _key_of(self, form: Form) -> str:
        """Forms of one key are alike: each key is sent as often as another."""
        try:
            found = resolve(form.action.partition("?")[0])
        except Resolver404:
            return ""
        part = found.kwargs.get("kind", found.kwargs.get("reply", ""))
        name = found.view_name
        # Alone under its key, the form to sign out would be sent as often as the sign-in.
        return f"{form.method} {'accounts' if name.startswith('accounts:') else name} {part}"

    def _nasty(self) -> str:
        return nasty(self.dice, self.seen)

    def _of_an_address(self, role: Role | None) -> Request:
        route, arguments = self.dice.choice(self.patterns)
        address = "/" + self._filled(route, arguments)
        method = "GET" if self.dice.random() < 0.6 else self.dice.choice(METHODS)
        how_many = self.dice.randint(0, 3)
        fields = [(self.dice.choice(self.names), self._nasty()) for _ in range(how_many)]
        if method in ("GET", "HEAD"):
            query = _encoded(fields).decode("latin-1")
            return Request(method, f"{address}?{query}" if query else address, role=role)
        return Request(method, address, _encoded(fields), role)

    def _filled(self, route: str, arguments: dict[str, str]) -> str:
        """Return ``route`` with a value in the place of each argument, mostly one that exists."""
        course = self.dice.choice([*self.site.courses, *self.site.courses, self.site.ended])
        for name, kind in arguments.items():
            start, stop = route.index("<"), route.index(">") + 1
            argument = self._argument(name, kind, course)
            route = route[:start] + argument + route[stop:]
        return route

    def _argument(self, name: str, kind: str, course: Course) -> str:
        dice = self.dice
        if dice.random() < 0.1:
            return {"UUIDConverter": str(uuid.UUID(int=dice.getrandbits(128)))}.get(kind, "0")
        if name == "course_id":
            return str(course.pk)
        if kind == "UUIDConverter":
            entries = list(Entry.objects.filter(course=course).values_list("pk", flat=True))
            return str(dice.choice([*entries, *entries, course.patient_id]))
        if kind == "IntConverter":
            return str(dice.choice([*(user.pk for user in self.site.users.values()), 10**30]))
        words = {"kind": list(ENTRY_FORMS), "reply": list(Reply), "code": self.codes}
        return str(dice.choice([*words.get(name, []), "x", "a" * 300]))

    def _of_a_form(self, form: Form, role: Role | None) -> Request:
        values = [
            (one.name, self._plausible(one)) for one in form.fields if self.dice.random() < 0.9
        ]
        sent = [(name, value) for name, value in values if value is not None]
        for _ in range(self.dice.choice((0, 0, 0, 1, 1, 2, 3))):
            self._spoil(sent)
        if "/guidance/" in form.action:
            self.codes += [part for part in form.action.split("/") if "." in part][:1]
        if form.method == "GET":
            query = _encoded(sent).decode("latin-1")
            return Request("GET", f"{form.action.partition('?')[0]}?{query}", role=role)
        return Request("POST", form.action, _encoded(sent), role)

    def _spoil(self, sent: list[tuple[str, str]]) -> None:
        """Change a field of ``sent``: its value, its name, how often it is there."""
        if not sent:
            sent.append((self.dice.choice(self.names), self._nasty()))
            return
        place = self.dice.randrange(len(sent))
        name, value = sent[place]
        what = self.dice.random()
        if what < 0.6:
            sent[place] = (name, self._nasty())
        elif what < 0.75:
            del sent[place]
        elif what < 0.9:
            sent.append((name, self._nasty()))
        else:
            sent.append((self.dice.choice(self.names), value))

    def _plausible(self, one: Field) -> str | None:
        """Return a value of this field that a person could send; None leaves it out."""
        dice = self.dice
        if one.kind in ("checkbox", "button"):
            return dice.choice(one.choices) if dice.random() < 0.3 else None
        if one.choices:
            return dice.choice(one.choices)
        if one.value or dice.random() < 0.5:
            return one.value
        if one.name == "form_id":
            return str(uuid.UUID(int=dice.getrandbits(128)))
        if one.limits is not None:
            lowest, highest = map(float, one.limits)
            return f"{dice.uniform(lowest, min(highest, lowest + 200)):.1f}"
        there = timezone.localtime() - timedelta(minutes=dice.randint(0, 3000))
        if one.kind == "date" or one.name.endswith("_date"):
            return f"{there:%Y-%m-%d}"
        if one.name.endswith("_time"):
            return f"{there:%H:%M}"
        typed = "".join(dice.choices(string.ascii_letters + " ", k=dice.randint(1, 12)))
        return f"{typed}{TAG}" if len(typed) % 2 else typed


def _encoded(fields: list[tuple[str, str]]) -> bytes:
    """Return ``fields`` as a browser sends them; unpaired surrogates as their bytes."""
    return "&".join(
        "=".join(quote_from_bytes(part.encode("utf-8", "surrogatepass")) for part in pair)
        for pair in fields
    ).encode()


def counts() -> list[tuple[str, int]]:
    """How many rows each table of the chart has; the counts of requests are none of it."""
    models = [one for one in apps.get_app_config("patients").get_models() if one != RequestCount]
    tables = [model._meta.db_table for model in models]
    union = " UNION ALL ".join(f"SELECT '{name}', count(*) FROM {name}" for name in tables)  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(union)
        return list(cursor.fetchall())


@pytest.fixture(autouse=True)
def one_connection() -> Iterator[None]:
    """Keeps the connection of the test over its requests, as Django's own client does."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def errors() -> Iterator[list[str]]:
    """The stack of each error that became a page of 500."""
    raised: list[str] = []

    def note(**_signal: Any) -> None:
        raised.append(traceback.format_exc())

    got_request_exception.connect(note)
    yield raised
    got_request_exception.disconnect(note)


@pytest.mark.parametrize("batch", batches())
def test_no_request_breaks_the_site(
    batch: int, make_user: Callable[..., User], settings: Any, errors: list[str]
) -> None:
    dice = random.Random(f"{SEED}:{batch}")  # noqa: S311 - no secret
    settings.TIME_ZONE = dice.choice(ZONES)
    site = Site(make_user)
    fuzzer = Fuzzer(site, dice)
    for page in fuzzer.pages_to_learn():
        fuzzer.learn(page, site.send(page))
    before = counts()
    for number in range(IN_A_BATCH):
        request = fuzzer.request()
        answer = site.send(request)
        where = f"FUZZ_SEED={SEED} FUZZ_BATCH={batch}, number {number}, {settings.TIME_ZONE}"
        report = f"{where}\n{request}\n{errors[-1] if errors else ''}"
        is_door = door_of(request.address.partition("?")[0]) is not None  # of a program
        is_signed_out = answer.status == SIGNED_OUT and (
            is_door or "HTTP_HX_REQUEST" in request.headers
        )
        is_of_a_program = is_door and answer.status == NOT_ACCEPTABLE
        lawful = answer.status in LAWFUL or is_signed_out or is_of_a_program
        assert lawful, f"{answer.status}: {report}"
        stored, before = before, counts()
        if answer.status >= 400:
            assert stored == before, f"{answer.status}, yet stored: {report}"
        assert not has_typed_markup(answer), f"typed markup on a page: {report}"
        fuzzer.learn(request, answer)
    every_page_opens(site, f"FUZZ_SEED={SEED} FUZZ_BATCH={batch}", errors)
    call_command("verify_grades", verbosity=0)


def has_typed_markup(answer: Answer) -> bool:
    return answer.is_html and (TAG in answer.text or SCRIPT in answer.text)


def every_page_opens(site: Site, where: str, errors: list[str]) -> None:
    """Whatever was stored: each page of each course, and each form of it."""
    opened = 0
    for course in Course.objects.all():
        entries = list(Entry.objects.filter(course=course).values_list("pk", flat=True))[-5:]
        for route, arguments in patterns(get_resolver()):
            address = "/" + route.replace("<uuid:course_id>", str(course.pk))
            for kind in ENTRY_FORMS if "kind" in arguments else [""]:
                for entry in entries if "entry_id" in arguments else [""]:
                    page = address.replace("<uuid:entry_id>", str(entry))
                    page = page.replace("<slug:kind>", kind)
                    if "<" in page:
                        continue
                    for role in (Role.WARD_CLINICIAN, Role.ADMINISTRATOR):
                        answer = site.send(Request("GET", page, role=role))
                        is_door = answer.status == SIGNED_OUT and door_of(page) is not None
                        assert answer.status in LAWFUL or is_door, (where, page, errors[-1:])
                        assert not has_typed_markup(answer), (where, page)
                        opened += answer.status == 200
    assert opened
